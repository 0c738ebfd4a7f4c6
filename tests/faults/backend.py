"""A crowd whose backend does more than start and stop, and takes a refusal for an answer."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from core.model.policy import Policy
from core.model.record import Record
from tests.chaos.crowd import Crowd, _Active
from tests.chaos.lives import Act, Member
from tests.faults.lives import Kind


@dataclass
class Backend(Crowd):
    """`kinds` has the kind of life of each container."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    refused: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The errors of starts that were answered with a refusal."""
    _answered: dict[str, Event] = field(init=False)
    """Set when a start was answered. Until then a backend does nothing else with the container."""

    def __post_init__(self) -> None:
        self._answered = {container_id: Event() for container_id in self.kinds}

    def _start(self, member: Member) -> None:
        self._prepare(member)
        kind = self.kinds[member.container_id]
        self._ask_and_note(member)
        if (kind.stopped_early or kind.started_again) and member.container_id not in self.refused:
            self.stack.eventually(lambda: self._agent_listens(member.container_id), lambda: "the agent listens")
            if kind.started_again:
                self._ask_and_note(member)
            else:
                self._called(lambda: self.stack.stop(member.container_id))
        self._answered[member.container_id].set()

    def _ask_and_note(self, member: Member) -> None:
        if error := self._ask(member):
            self.refused[member.container_id] = error

    def _act(self, act: Act, record: Record) -> None:
        assert self._answered[record.container_id].wait(self.stuck_seconds)
        super()._act(act, record)

    def _hurry(self, active: _Active, record: Record) -> bool:
        """Not before the start was answered: what the backend does then is to meet a record without news."""
        return self._answered[record.container_id].is_set() and super()._hurry(active, record)

    def _agent_listens(self, container_id: str) -> bool:
        running = [task["address"] for task in self.stack.tasks(container_id) if task["last_status"] == "RUNNING"]
        try:
            for address in running:
                socket.create_connection((address, Policy().agent_port), timeout=1).close()
        except OSError:
            return False
        return bool(running)
