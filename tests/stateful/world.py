"""Two containers, the functions of the stack, and everything around them in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any, Final, cast

from core.launch.settings import Settings
from core.model.errors import ReachError
from core.model.identity import Ref
from core.model.record import Record
from core.probe.answer import Answer, ProbeErrorKind, judge_health, judge_identity, probe_error
from core.probe.prober import AgentProbe
from core.probe.view import Target
from tests.exploration.ends import at_rest, resting
from tests.exploration.wired import ControlPlane, Surroundings, failed
from tests.exploration.writes import Finding, findings
from tests.factories import SETTINGS, at
from tests.fakes import MemoryOutput, MemoryRegistrations, MemoryStore, MemoryVault, RecordingQueue, SettableClock
from tests.stateful.interrupted import Died, Interrupted, Interruptions
from tests.stateful.tasks import IMAGE, Change, LivingEcs, LivingTask

IDS: Final = ("a" * 64, "b" * 64)
ROUNDS: Final = 60
"""Of calm, within which a life has to come to rest."""
PROBER_SECONDS: Final = 280.0
LEAK_GRACE: Final = 900.0


class JudgedStore(MemoryStore):
    """A table whose every write is judged."""

    def __init__(self, judge: Callable[[Record | None, Record], None]) -> None:
        super().__init__()
        self._judge = judge

    def save(self, record: Record) -> None:
        before = self.load(record.container_id)
        super().save(record)
        after = self.load(record.container_id)
        assert after is not None
        self._judge(before, after)


@dataclass
class World:
    """`broken` are the rules that were broken so far; it is also `tests.exploration.wired.Host` of every invocation."""

    settings: Settings = SETTINGS
    deaf: bool = False
    """In the end no event arrives any more."""
    clock: SettableClock = field(default_factory=lambda: SettableClock(at(0)))
    interruptions: Interruptions = field(default_factory=Interruptions)
    broken: list[Finding] = field(default_factory=list)
    stops: set[tuple[str, int]] = field(default_factory=set)
    name: str = ""
    _invocations: int = 0
    _depth: int = 0
    _arrived: int = 0
    _probed: int = 0

    def __post_init__(self) -> None:
        self.policy = self.settings.policy
        self.ecs = LivingEcs(self.clock)
        self.store = JudgedStore(self._written)
        self.queue = RecordingQueue()
        self.vault = MemoryVault(clock=self.clock.now)
        ports = {"store": self.store, "ecs": self.ecs, "queue": self.queue, "vault": self.vault}
        around = Surroundings(
            **cast("Any", {name: Interrupted(port, self.interruptions) for name, port in ports.items()}),
            registrations=MemoryRegistrations(),
            output=MemoryOutput(),
            settled=lambda _: None,
            leaked=lambda *_: None,
        )
        self.plane = ControlPlane(self, around)

    def time_left(self) -> float:
        return 120.0

    def new_token(self) -> str:
        self._invocations += 1
        return f"{self._invocations:064x}"

    def note(self, *words: Any) -> None: ...

    def invoke(self, kind: str, work: Callable[[], object]) -> None:
        """An invocation, also in the middle of another one. It may fail or die."""
        if self._depth > 1:
            return
        self._invocations += 1
        outer, self.name = self.name, f"{kind}-{self._invocations}"
        self._depth += 1
        try:
            with suppress(ReachError, Died):
                work()
        finally:
            self._depth -= 1
            self.name = outer

    def start(self, container_id: str, members: Mapping[str, Any]) -> None:
        """The backend asks for a start."""
        request = {"container_id": container_id, "image": IMAGE, "cmd": ["serve"], **members}

        def work() -> None:
            answer = self.plane.start(request)
            if answer.record is not None and failed(answer.record):
                self.broken.append(("answer", f"{answer.record.state} without an error"))

        self.invoke("start", work)

    def stop(self, container_id: str) -> None:
        """The backend asks for a stop."""

        def work() -> None:
            record = self.plane.stop({"container_id": container_id}).record
            if record is None:
                return
            if not record.state.ended and not record.stop_requested:
                self.broken.append(("stop-answer", f"{record.state}, and no stop is recorded"))
            self.stops.add((record.container_id, record.generation))

        self.invoke("stop", work)

    def deliver(self, event: dict[str, Any]) -> None:
        """An event arrives."""
        self.invoke("event", lambda: self.plane.observe(event))

    def deliver_the_newest(self) -> None:
        """The newest event, if there is one."""
        for event in self.ecs.events[-1:]:
            self.deliver(event)

    def probe_the_newest(self) -> None:
        """The newest message to the prober, if there is one."""
        for message in self.queue.sent[-1:]:
            self.probe(message)

    def reconcile(self) -> None:
        """The minute's run."""
        self.invoke("run", self.plane.reconcile)

    def find_leaks(self) -> None:
        """The quarter's run."""
        self.invoke("leaks", self.plane.find_leaks)

    def probe(self, message: tuple[str, int, str]) -> None:
        """The prober gets a message, and takes its time."""
        if _loop().is_running():
            return
        container_id, generation, address = message
        probe = self._probe(Target(Ref(container_id, generation), address))
        self.invoke("probe", lambda: _loop().run_until_complete(probe.run()))

    def calm(self) -> None:
        """Nothing goes wrong any more, and the world comes to rest, where the rules of `ends` hold."""
        self.interruptions.clear()
        self.ecs.young.clear()
        self.ecs.hides = False
        for _ in range(ROUNDS):
            self._go_on()
            if self._rests():
                break
        self.clock.advance(LEAK_GRACE)
        self.find_leaks()
        self._go_on()
        records = self.records()
        keeps = self.policy.keep_unreachable
        self.broken += at_rest(records, self.ecs.living, list(self.vault.tokens), self.stops, keeps=keeps)

    def records(self) -> dict[str, Record]:
        """What the table says."""
        return {one: record for one in IDS if (record := self.store.load(one)) is not None}

    def _go_on(self) -> None:
        for task in self.ecs.living:
            for change in (Change.ENDS, Change.PENDING, Change.RUNNING, Change.LISTENING):
                self.ecs.change(task, change)
        events, self._arrived = self.ecs.events[self._arrived :], len(self.ecs.events)
        for event in () if self.deaf else events:
            self.deliver(event)
        due = [one.check_at for one in self.records().values() if one.check_at and not resting(one, self.ecs.living)]
        if due:
            self.clock.instant = max(self.clock.instant, min(due))
            self.reconcile()
        messages, self._probed = self.queue.sent[self._probed :], len(self.queue.sent)
        for message in messages:
            self.probe(message)

    def _rests(self) -> bool:
        arrived = self._arrived == len(self.ecs.events) and self._probed == len(self.queue.sent)
        return arrived and all(resting(record, self.ecs.living) for record in self.records().values())

    def _written(self, before: Record | None, after: Record) -> None:
        own = {task.arn: task for task in self.ecs.living if task.container_id == after.container_id}
        self.broken += findings(before, after, own)

    def _probe(self, target: Target) -> AgentProbe:
        async def check_health(address: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as the port
            task = self._listening(address)
            return _refused(address) if task is None else judge_health(address, 200, b'{"pid": 7}')

        async def check_identity(address: str, token: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as the port
            task = self._listening(address)
            status = 400 if task is not None and task.token == token else 401
            return judge_identity(address, status, b"")

        async def read_record() -> Record | None:
            self.interruptions.call("load_many", lambda: None)
            return self.store.load(target.ref.container_id)

        async def settle_verdict(verdict: Any, record: Record | None) -> None:
            self.plane.judge(verdict, record)

        async def sleep(seconds: float) -> None:
            self.clock.advance(seconds)
            await asyncio.sleep(0)

        return AgentProbe(
            target,
            check_health=check_health,
            check_identity=check_identity,
            read_record=read_record,
            settle_verdict=settle_verdict,
            now=self.clock.now,
            sleep=sleep,
            # Fewer tries: each costs time of the test's.
            policy=replace(self.policy, probe_first_interval=5, probe_interval=5, early_probe_interval=5),
            give_up_at=self.clock.now() + timedelta(seconds=PROBER_SECONDS),
        )

    def _listening(self, address: str) -> LivingTask | None:
        return next((task for task in self.ecs.living if task.answers and f"{task.address}:9111" == address), None)


def _refused(address: str) -> Answer:
    return Answer(probe_error(ProbeErrorKind.REFUSED, address))


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The prober's, for all lives."""
    return asyncio.new_event_loop()
