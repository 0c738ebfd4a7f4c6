"""Lets many containers live at once on a deployed stack, as a backend would, with the reconciler's clock wound up."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import pytest

from core.model.instants import truncate
from core.model.record import Record
from core.model.state import State
from core.ports import RevisionConflict
from tests.chaos.lives import Act, Member
from tests.e2e.stack import FunctionFailed, Stack

POLL_SECONDS: Final = 0.2
STUCK_SECONDS: Final = 120.0
"""Without the end of any container, after which the run is given up."""
T = TypeVar("T")


@dataclass(slots=True)
class _Active:
    """A container on its way. `since` is when its record was first seen at this revision."""

    member: Member
    revision: int = 0
    since: float = field(default_factory=time.monotonic)
    acted: bool = False


@dataclass(slots=True)
class Crowd:
    """At most `window` containers at a time, each followed from its start until nothing is pending for it.

    A record without news for `check_after` seconds gets `check_at` now, and ReconcileFunction is invoked while any is
    due. What it does then it would have done unasked, half a minute to a quarter of an hour later.
    """

    stack: Stack
    window: int
    check_after: float
    tell: Callable[[str], None] = lambda _: None
    hands: int = 6
    """Calls at a time; boto3's clients keep ten connections each."""
    repeats: int = 0
    """How often a call is sent again when its function died, as a backend does (docs/backend.md)."""
    stuck_seconds: float = STUCK_SECONDS
    hold: Callable[[int], bool] = lambda _left: False
    """Whether the next start waits, by how many are left."""
    repeated: int = 0
    hurried: int = 0
    """Looks that were brought forward."""
    runs: int = 0
    """Of the reconciler, besides those of its schedule."""
    healed: int = 0
    """Records that these runs moved on: an event had been lost, or was late."""
    _active: dict[str, _Active] = field(default_factory=dict)
    _errands: list[Future[Any]] = field(default_factory=list)
    _reconciling: Future[Any] | None = None

    def live(self, members: Sequence[Member]) -> dict[str, Record]:
        """The last record of each container. Fails when nothing ends for `stuck_seconds`."""
        waiting = deque(members)
        ended: dict[str, Record] = {}
        progress = begun = time.monotonic()
        with ThreadPoolExecutor(self.hands) as hands:
            while waiting or self._active:
                while waiting and len(self._active) < self.window and not self.hold(len(waiting)):
                    member = waiting.popleft()
                    self._active[member.container_id] = _Active(member)
                    self._errands.append(hands.submit(self._start, member))
                over = self._round(hands)
                ended.update(over)
                if over:
                    progress = time.monotonic()
                    if len(ended) // 50 > (len(ended) - len(over)) // 50:
                        self.tell(f"{len(ended)} of {len(members)} have ended after {progress - begun:.0f} s")
                elif time.monotonic() - progress > self.stuck_seconds:
                    pytest.fail(f"for {self.stuck_seconds:g} s nothing ended: {self._whereabouts()}")
                time.sleep(POLL_SECONDS)
        return ended

    def _round(self, hands: ThreadPoolExecutor) -> dict[str, Record]:
        """Looks at every container once and does what is to be done. Returns the records of those that are over."""
        self._errands = [errand for errand in self._errands if not _done(errand)]
        records = self._load(self._active)
        over = {one.container_id: one for one in records if one.state.ended and one.check_at is None}
        for container_id in over:
            del self._active[container_id]
        due = False
        for record in records:
            active = self._active.get(record.container_id)
            if active is None:
                continue
            if record.state is State.AGENT_HEALTHY and not active.acted and active.member.life.act is not None:
                active.acted = True
                self._errands.append(hands.submit(self._act, active.member.life.act, record))
            due = self._hurry(active, record) or due
        if due and (self._reconciling is None or _done(self._reconciling)):
            self.runs += 1
            self._reconciling = hands.submit(self._reconcile)
        return over

    def _hurry(self, active: _Active, record: Record) -> bool:
        """Whether the record is due, made so when it had no news for a while."""
        now = truncate(datetime.now(UTC))
        if record.check_at is not None and record.check_at <= now:
            return True
        if record.revision != active.revision:
            active.revision, active.since = record.revision, time.monotonic()
        if time.monotonic() - active.since < self.check_after:
            return False
        try:
            self.stack.store.save(replace(record, revision=record.revision + 1, check_at=now))
        except RevisionConflict:
            return False  # news, this very moment
        self.hurried += 1
        return True

    def _reconcile(self) -> None:
        self.healed += self._called(self.stack.reconcile)["healed"]

    def _start(self, member: Member) -> None:
        self._prepare(member)
        if error := self._ask(member):
            raise AssertionError(f"{member.life.name} is not started: {error}")

    def _ask(self, member: Member) -> dict[str, Any] | None:
        """The error of a start that was refused. A repeated one may be answered with the end that this life has."""
        answer = self._called(lambda: self.stack.start(member.container_id, generation=1, **member.life.request))
        error: dict[str, Any] | None = answer.get("error")
        ended = self.repeats > 0 and error is not None and error["code"] == member.life.end.code
        return None if ended else error

    def _prepare(self, member: Member) -> None:
        life, weather = member.life, member.weather
        if weather.drop or weather.duplicate or weather.scatter_seconds:
            self.stack.fargate.fault(
                member.container_id,
                "events",
                drop=weather.drop,
                duplicate=weather.duplicate,
                scatter_seconds=weather.scatter_seconds,
                seed=member.seed,
            )
        if life.fault is not None:
            self.stack.fargate.fault(member.container_id, life.fault, **life.fault_parameters)

    def _called(self, call: Callable[[], T]) -> T:
        for _ in range(self.repeats):
            try:
                return call()
            except FunctionFailed:
                self.repeated += 1
        return call()

    def _act(self, act: Act, record: Record) -> None:
        match act:
            case Act.STOP:
                self._called(lambda: self.stack.stop(record.container_id))
            case Act.KILL:
                self.stack.fargate.kill(str(record.task_arn))
            case Act.INTERRUPT:
                self.stack.fargate.interrupt(str(record.task_arn))

    def _load(self, container_ids: Iterable[str]) -> list[Record]:
        loaded = self.stack.store.load_many(container_ids)
        assert loaded.unreadable == ()
        return list(loaded.records.values())

    def _whereabouts(self) -> str:
        names = {container_id: active.member.life.name for container_id, active in self._active.items()}
        return "; ".join(f"{names[one.container_id]}: {one}" for one in self._load(names))


def _done(errand: Future[Any]) -> bool:
    """Whether it is; raises what went wrong in it."""
    if not errand.done():
        return False
    errand.result()
    return True
