"""A start request on its way to StartContainerFunction.

It names its generation, so the same request may be sent again when no answer came: it is the same task, and when that
one has ended meanwhile the answer says so (backend.md "start").
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from core.client import ReachClient
from core.model.errors import CallFailed, ContainerNotFound
from core.ports import Clock
from reach.starting.request import Request

PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds between two sends."""


class Starter(Protocol):
    """What a start needs of `reach.stack.opening.Stack`."""

    @property
    def client(self) -> ReachClient:
        """Reads containers."""

    def start(self, document: dict[str, Any]) -> dict[str, Any]:
        """Sends it once."""


def send(stack: Starter, request: Request, clock: Clock) -> dict[str, Any]:
    """The function's answer. Raises `FunctionRefused`, and `CallFailed`: uncertain when the task may run."""
    generation = request.parsed.generation or (1 if request.fresh else _next_generation(stack.client, request))
    lost, pauses = False, iter(PAUSES)
    while True:
        try:
            return stack.start({**request.document, "generation": generation})
        except CallFailed as failed:
            lost = lost or failed.uncertain
            pause = next(pauses, None) if failed.uncertain or failed.transient else None
            if pause is None:
                raise failed.but(uncertain=lost) from failed
            clock.sleep(pause)


def _next_generation(client: ReachClient, request: Request) -> int:
    """That of a start that died goes on."""
    try:
        record = client.get(request.container_id)
    except ContainerNotFound:
        return 1
    return record.generation if record.unlaunched else record.generation + 1
