"""A start request on its way to StartContainerFunction.

It names its generation, so the same request may be sent again when no answer came: it is the same task, and when that
one has ended meanwhile the answer says so (backend.md "start").
"""

from __future__ import annotations

from typing import Any, Protocol

from core.client import ReachClient
from core.model.errors import ContainerNotFound
from core.ports import Clock
from reach.stack.functions import repeated
from reach.starting.request import Request


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
    return repeated(lambda: stack.start({**request.document, "generation": generation}), clock, unanswered=True)


def _next_generation(client: ReachClient, request: Request) -> int:
    """That of a start that died goes on."""
    try:
        record = client.get(request.container_id)
    except ContainerNotFound:
        return 1
    return record.generation if record.unlaunched else record.generation + 1
