"""The AWS calls of one container's life, counted while it is lived: start, healthy for a while, stopped, ended.

Three counters that see different things, so that nothing is counted twice: the SDK's own hooks in the backend, the
local Fargate's count of ECS calls, and the local AWS's CloudTrail, where the calls of functions stand under the
credentials of their roles.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.latency import container_id
from bench.systems import Unusable, client
from local.fargate.client import LocalFargate

if TYPE_CHECKING:
    from bench.systems import Polling, Reach, System
    from local.cloud.cloud import LocalCloud

END_SECONDS: Final = 60.0
_ROLE: Final = "ASIA"
"""Temporary credentials, which only functions have here (IAM user guide, unique identifiers)."""
_RECONCILER: Final = "Query"
"""Made by the reconciler alone, which runs every minute whether anybody starts a container or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """Calls of all lives together, by `service.Operation`.

    `aws`: what AWS itself does in between and charges for, without a call of ours: events delivered to a function.
    """

    number: int
    healthy_seconds: float
    polling: Counter[str]
    reach_backend: Counter[str]
    reach_functions: Counter[str]
    reconciler: Counter[str]
    aws: Counter[str]


def count_lives(cloud: LocalCloud, systems: tuple[Polling, Reach], *, number: int, healthy_seconds: float) -> Lives:
    """Lives that many containers in each system, all at the same time."""
    polling, reach = systems
    fargate = LocalFargate(cloud.ecs_endpoint)
    before = _recorded(cloud, wanted=True)
    polling.calls.clear()
    reach.calls.clear()
    fargate.reset_calls()
    known = {task["arn"] for task in fargate.tasks()}
    with ThreadPoolExecutor(2 * number) as pool:
        lives = [
            pool.submit(_live, system, fargate, container_id("life", system.name, index), healthy_seconds)
            for index in range(number)
            for system in systems
        ]
        for life in lives:
            life.result()
    functions, reconciler = _by_functions(_trail(cloud) - before)
    _recorded(cloud, wanted=False)
    ecs = Counter({f"ecs.{name}": count for name, count in fargate.calls().items()})
    return Lives(
        number=number,
        healthy_seconds=healthy_seconds,
        polling=Counter(polling.calls),
        reach_backend=Counter(reach.calls),
        # What the polling backend did not ask of ECS, our functions did.
        reach_functions=functions + (ecs - polling.calls),
        reconciler=reconciler,
        aws=Counter({"lambda.event": _delivered(fargate, known)}),
    )


def _live(system: System, fargate: LocalFargate, name: str, healthy_seconds: float) -> None:
    started = system.start(name)
    system.wait(started)
    with ThreadPoolExecutor(1) as pool:
        # A backend that polls does so all the time; one that is told has nothing to do.
        following = pool.submit(system.wait_until_ended, started) if system.name == "polling" else None
        time.sleep(healthy_seconds)
        system.stop(started)
        _until_stopped(fargate, name)
        if following is not None:
            following.result()
    if following is None:
        system.wait_until_ended(started)


def _until_stopped(fargate: LocalFargate, name: str) -> None:
    """Until the task of that container has stopped, and what follows from that has had a moment."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        own = [task for task in fargate.tasks() if f"/{name}/" in (task["started_by"] or "")]
        if own and all(task["last_status"] == "STOPPED" for task in own):
            time.sleep(1)
            return
        time.sleep(0.2)
    raise Unusable(f"The task of container {name} did not stop within {END_SECONDS:g} s.")


def _delivered(fargate: LocalFargate, known: set[str]) -> int:
    """Events of new tasks that went to a function."""
    new = [one for one in fargate.deliveries() if not known.intersection(one["event"]["resources"]) and one["targets"]]
    return sum(one["copies"] * len(one["targets"]) for one in new)


def _recorded(cloud: LocalCloud, *, wanted: bool) -> Counter[tuple[str, str]]:
    """Turns the recording on or off: what it holds by now."""
    body = json.dumps({"cloudtrail._recording_enabled": wanted}).encode()
    request = urllib.request.Request(f"{cloud.endpoint}/_ministack/config", data=body, method="POST")  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        applied = json.load(answer)["applied"]
    if not applied:
        raise Unusable("The local AWS does not record calls: its version may know another switch.")
    return _trail(cloud)


def _trail(cloud: LocalCloud) -> Counter[tuple[str, str]]:
    """Recorded calls by access key and `service.Operation`."""
    found: Counter[tuple[str, str]] = Counter()
    for page in client(cloud, "cloudtrail").get_paginator("lookup_events").paginate():
        for event in page["Events"]:
            call: dict[str, Any] = json.loads(event["CloudTrailEvent"])
            service = str(call["eventSource"]).partition(".")[0]
            found[str(call["userIdentity"]["accessKeyId"]), f"{service}.{call['eventName']}"] += 1
    return found


def _by_functions(trail: Counter[tuple[str, str]]) -> tuple[Counter[str], Counter[str]]:
    """The calls of the functions that serve containers, and those of the reconciler."""
    reconcilers = {key for key, call in trail if call.endswith(f".{_RECONCILER}")}
    functions: Counter[str] = Counter()
    reconciler: Counter[str] = Counter()
    for (key, call), count in trail.items():
        if key in reconcilers:
            reconciler[call] += count
        elif key.startswith(_ROLE):
            functions[call] += count
    return functions, reconciler
