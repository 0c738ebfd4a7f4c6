"""A crowd whose backend repeats what had no answer, as contract.md 4 says, until the functions' calls succeed again."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final, TypeVar

from core.model.failure import ErrorCode
from core.model.policy import Policy
from core.model.record import Record
from tests.chaos.crowd import STUCK_SECONDS, Crowd
from tests.chaos.lives import Act, Member
from tests.e2e.stack import FunctionFailed
from tests.faults.lives import Kind

_TRIES: Final = 6

T = TypeVar("T")


@dataclass
class PersistentCrowd(Crowd):
    """`kinds` has the kind of life of each container."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    refused: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The errors of starts that were answered with a refusal."""
    errors: int = 0
    """Invocations that failed."""
    _answered: dict[str, Event] = field(init=False)
    """Set when a start was answered. Until then a backend does nothing else with the container."""

    def __post_init__(self) -> None:
        self._answered = {container_id: Event() for container_id in self.kinds}

    def _start(self, member: Member) -> None:
        self._prepare(member)
        kind = self.kinds[member.container_id]
        self._ask(member)
        if (kind.stopped_early or kind.started_again) and member.container_id not in self.refused:
            self.stack.eventually(lambda: self._agent_listens(member.container_id), lambda: "the agent listens")
            if kind.started_again:
                self._ask(member)
            else:
                self._repeated(lambda: self.stack.stop(member.container_id))
        self._answered[member.container_id].set()

    def _ask(self, member: Member) -> None:
        answer = self._repeated(lambda: self.stack.start(member.container_id, **member.life.request))
        # The start that had no answer may have succeeded, or the reconciler may have been quicker than the second.
        if "error" in answer and answer["error"]["code"] != ErrorCode.ALREADY_RUNNING:
            self.refused[member.container_id] = answer["error"]

    def _act(self, act: Act, record: Record) -> None:
        assert self._answered[record.container_id].wait(STUCK_SECONDS)
        act_once = super()._act
        self._repeated(lambda: act_once(act, record))

    def _reconcile(self) -> None:
        try:
            super()._reconcile()
        except FunctionFailed:
            self.errors += 1

    def _repeated(self, call: Callable[[], T]) -> T:
        for _ in range(_TRIES):
            try:
                return call()
            except FunctionFailed:
                self.errors += 1
        return call()

    def _agent_listens(self, container_id: str) -> bool:
        running = [task["address"] for task in self.stack.tasks(container_id) if task["last_status"] == "RUNNING"]
        try:
            for address in running:
                socket.create_connection((address, Policy().agent_port), timeout=1).close()
        except OSError:
            return False
        return bool(running)
