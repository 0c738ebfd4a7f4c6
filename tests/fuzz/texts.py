"""What parses bytes. Each function takes any, and lets through what must never be raised."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import socket
from functools import cache

from core.adapters import http_probe
from core.machine.runtime_complaint import complaint_in
from core.model.errors import MalformedEvent
from core.model.facts import AgentAnswered, ProcessExited
from core.probe.answer import judge_health, judge_identity
from handlers import agent_health, reconcile
from reach.replaying.reading import parse
from tests.factories import ADDRESS, REF, at
from tests.fuzz import seeds
from tests.fuzz.records import apply_to, apply_to_all
from tests.records import resolved


def message(raw: bytes) -> None:
    """A message of the probe queue: a target, or `MalformedEvent`."""
    try:
        target = agent_health.target_of(raw.decode("utf-8", "replace"))
    except MalformedEvent:
        return
    assert target.ref.generation >= 0 or target.address is not None


def health(raw: bytes) -> None:
    """The body of GET /health: an answer, whose verdict every record can take."""
    said = judge_health(ADDRESS, 200, raw)
    assert said.healthy
    child = said.child
    if child is not None and child.exited:
        apply_to_all(ProcessExited(ref=REF, at=at(100), address=ADDRESS, exit_code=child.exit_code))
    else:
        apply_to_all(AgentAnswered(ref=REF, at=at(100), address=ADDRESS, attempts=1, has_child=child is not None))


def response(raw: bytes) -> None:
    """Whatever comes back from an agent's port: an answer, or the reason why it is none."""
    for judge in (judge_health, judge_identity):
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            far.sendall(raw[: http_probe.RESPONSE_LIMIT])
            far.shutdown(socket.SHUT_WR)
            try:
                status, body = _loop().run_until_complete(http_probe._response(near))
            except http_probe._UnusableError:
                continue
        assert judge(ADDRESS, status, body).healthy in {True, False}


def delivery(raw: bytes) -> None:
    """A line of the prober's log: what it says of an aborted probe, or it is passed over. No line stops the others."""
    good = json.dumps(seeds.LINE_SEEDS[0])
    lines = [{"message": raw.decode("utf-8", "replace")}, {"message": good}]
    data = base64.b64encode(gzip.compress(json.dumps({"logEvents": lines}).encode())).decode()
    facts = list(reconcile._aborted_probes({"awslogs": {"data": data}}))
    assert facts[-1].ref == REF
    for fact in facts:
        apply_to(resolved(container_id=fact.ref.container_id, generation=fact.ref.generation), fact)


def output(raw: bytes) -> None:
    """The lines of a container: a complaint of the container runtime, or nothing; never more than a line of it."""
    lines = raw.decode("utf-8", "replace").split("\n")
    for container in ("main", "init"):
        complaint = complaint_in(lines[-2:], container)
        assert complaint is None or len(complaint) <= max(map(len, lines))


def recorded(raw: bytes) -> None:
    """A file of recorded events: each found, or the reason why it is none."""
    for found in parse("fuzz", raw.decode("utf-8-sig", errors="replace")):
        assert found.problem is None or found.document is None


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()
