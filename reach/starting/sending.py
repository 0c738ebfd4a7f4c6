"""A start request on its way to StartContainerFunction.

The same request may be sent again when no answer came: it is the same task (backend.md "start"). The function says
AlreadyRunning where an earlier send was carried out to its end, and then the container is the one that was asked for.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from core.client import ReachClient
from core.model.errors import CallFailed, ContainerNotFound
from core.model.failure import ErrorCode
from core.ports import Clock
from reach import FunctionRefused
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
    before = 0 if request.fresh else _generation(stack.client, request.container_id)
    lost, pauses = False, iter(PAUSES)
    while True:
        try:
            return stack.start(request.document)
        except CallFailed as failed:
            lost = lost or failed.uncertain
            pause = next(pauses, None) if failed.uncertain or failed.transient else None
            if pause is None:
                raise failed.but(uncertain=lost) from failed
            clock.sleep(pause)
        except FunctionRefused as refused:
            if not lost or refused.code != ErrorCode.ALREADY_RUNNING:
                raise
            return _started_before(stack.client, request.container_id, before, refused)


def _started_before(client: ReachClient, container_id: str, before: int, refused: FunctionRefused) -> dict[str, Any]:
    """The answer that was lost, from the item. Raises `refused` where the item was there before the first send."""
    record = client.get(container_id)
    if record.generation <= before:
        raise refused
    tasks = {"task_arn": record.task_arn, "task_definition_arn": record.task_definition_arn}
    return {**record.ref._asdict(), "state": record.state.value, **tasks}


def _generation(client: ReachClient, container_id: str) -> int:
    try:
        return client.get(container_id).generation
    except ContainerNotFound:
        return 0
