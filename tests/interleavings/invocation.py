"""Runs an invocation up to its next call: the functions of the stack, and the prober on its event loop.

The same log gives the same run, so each log is run once.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

from core.launch.settings import Settings
from core.model.errors import ReachError
from core.model.facts import Fact
from core.model.identity import Ref
from core.model.policy import Policy
from core.model.record import Record
from core.probe.answer import Answer, ProbeErrorKind, judge_health, judge_identity, probe_error
from core.probe.prober import AgentProbe
from core.probe.view import Target
from tests.exploration import wired
from tests.exploration.wired import ControlPlane, Surroundings
from tests.interleavings.scene import Scene
from tests.interleavings.state import Call, Invocation, document_of, record_of
from tests.interleavings.tape import Suspended, Tape, TapedClock, TapedPorts

TIMEOUTS: Final = {"start": 60, "stop": 60, "event": 30, "run": 120, "stream": 120, "leaks": 120, "probe": 300}
"""Seconds, as in template.yaml."""


class Standing(NamedTuple):
    """Where an invocation stands: before these calls; or, without any, at its end, which `failed` or has an answer."""

    calls: tuple[tuple[int, Call], ...] = ()
    failed: bool = False
    answer: wired.Answer | None = None


class Invocations:
    """Every run of one search, remembered."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._loop = _Loop()
        self._known: dict[tuple[Hashable, ...], Standing] = {}

    def standing(self, invocation: Invocation) -> Standing:
        """Where it stands."""
        # Its message is none of its business.
        key = invocation[:7]
        if (known := self._known.get(key)) is None:
            known = self._known[key] = self._run(invocation)
        return known

    def close(self) -> None:
        """Gives the event loop back."""
        self._loop.close()

    @property
    def runs(self) -> int:
        """How many runs differed."""
        return len(self._known)

    def _run(self, invocation: Invocation) -> Standing:
        tape = Tape(invocation)
        host = _Host(self._scene, tape)
        try:
            answer = self._begin(host)
        except Suspended:
            return Standing(tuple(sorted(tape.pending.items())))
        except ReachError:
            return Standing(failed=True)
        return Standing(answer=answer)

    def _begin(self, host: _Host) -> wired.Answer | None:
        kind, about = host.tape.invocation.kind, cast("Any", host.tape.invocation.about)
        plane = host.plane
        match kind:
            case "start":
                return plane.start(document_of(about[0]))
            case "stop":
                return plane.stop(document_of(about[0]))
            case "event":
                plane.observe({"detail-type": "ECS Task State Change", "detail": document_of(about[2])})
            case "run":
                plane.reconcile()
            case "stream":
                plane.reconcile([about[0]])
            case "leaks":
                plane.find_leaks()
            case "probe":
                self._loop.probe(host, Target(Ref(about[0], about[1]), about[2]))
        return None


class _Host:
    """`tests.exploration.wired.Host` of one run."""

    def __init__(self, scene: Scene, tape: Tape) -> None:
        self.tape = tape
        self.settings: Settings = scene.settings
        self.policy: Policy = scene.policies[tape.invocation.policy]
        self.clock = TapedClock(tape)
        self._tokens = 0

    @property
    def name(self) -> str:
        return self.tape.invocation.name

    @cached_property
    def plane(self) -> ControlPlane:
        ports = cast("Any", TapedPorts(self.tape))
        around = Surroundings(
            store=ports,
            ecs=ports,
            queue=ports,
            vault=ports,
            registrations=ports,
            output=ports,
            settled=lambda _: None,
            leaked=lambda *_: None,
        )
        return ControlPlane(self, around)

    def time_left(self) -> float:
        invocation = self.tape.invocation
        return invocation.began + TIMEOUTS[invocation.kind] - self.tape.now

    def new_token(self) -> str:
        self._tokens += 1
        return (f"{self.name}/{self._tokens}".encode().hex() + "0" * 64)[:64]

    def note(self, *words: Any) -> None: ...


class _PlayingSelector(selectors.DefaultSelector):
    """When nothing is ready, plays the next answer of the tape instead of waiting."""

    idle: Callable[[], None]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout != 0:
            self.idle()
        return ready


class _Loop:
    """The prober's event loop, for one run after the other."""

    def __init__(self) -> None:
        self._selector = _PlayingSelector()
        self._loop = asyncio.SelectorEventLoop(self._selector)

    def close(self) -> None:
        self._loop.close()

    def probe(self, host: _Host, target: Target) -> None:
        """AgentHealthFunction with one message. Raises `Suspended` where the log ends."""
        tape = host.tape
        suspended: dict[int, Call] = {}
        task = self._loop.create_task(_probed(host, target))

        def idle() -> None:
            if not tape.play():
                suspended.update(tape.pending)
                task.cancel()

        self._selector.idle = idle
        try:
            self._loop.run_until_complete(task)
        except asyncio.CancelledError:
            tape.pending.update(suspended)
            raise Suspended from None


async def _probed(host: _Host, target: Target) -> None:
    tape, settings = host.tape, host.settings

    async def check_health(address: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as the port
        return _judged(await tape.take_later("GET /health", address), address, judge_health)

    async def check_identity(address: str, token: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as the port
        return _judged(await tape.take_later("GET /ws", address, token), address, judge_identity)

    async def read_record() -> Record | None:
        texts = await tape.take_later("BatchGetItem", target.ref.container_id)
        return record_of(texts[0]) if texts else None

    async def settle_verdict(verdict: Fact, record: Record | None) -> None:
        host.plane.judge(verdict, record)

    async def sleep(seconds: float) -> None:
        await tape.take_later("sleep", tape.now + seconds)

    def now() -> datetime:
        return tape.clock()

    probe = AgentProbe(
        target,
        check_health=check_health,
        check_identity=check_identity if settings.verify_agent_identity else None,
        read_record=read_record,
        settle_verdict=settle_verdict,
        now=now,
        sleep=sleep,
        policy=replace(host.policy, probe_first_interval=1, early_probe_interval=2),
        give_up_at=now() + timedelta(seconds=host.time_left() - 10),
    )
    await probe.run()


def _judged(status: int | None, address: str, judge: Callable[[str, int, bytes], Answer]) -> Answer:
    if status is None:
        return Answer(probe_error(ProbeErrorKind.REFUSED, address))
    return judge(address, status, b'{"pid": 7}')
