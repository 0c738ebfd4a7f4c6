"""The rules of a world in which nothing will happen any more. Pure, and the same for every kind of exploration here.

- `leak`: no task runs that no record wants.
- `doubled`: a generation has at most one task that is to run.
- `stop`: what was asked to stop has stopped.
- `parameter`: no token is left in the Parameter Store but that of a live generation.
- `hangs`: a record has ended and owes nothing, or is healthy and its task is to run.
- `exit`: a container that ran and exited by itself is `stopped` with its code, whatever was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from core.model.failure import ErrorCode
from core.model.identity import Ref, token_parameter
from core.model.record import Record
from core.model.state import State
from tests.exploration.writes import Finding, TaskTruth
from tests.factories import SETTINGS

_NOT_THE_CONTAINERS_FAULT = frozenset(
    {
        ErrorCode.TASK_LOST,
        ErrorCode.LAUNCH_FAILED,
        ErrorCode.START_TIMEOUT,
        ErrorCode.TASK_STOPPED,
        ErrorCode.TASK_FAILED_TO_START,
    }
)


class EndedTask(TaskTruth, Protocol):
    """`exited`: its main container ended by itself, with `exit_code`; `complained`: because its agent could not run."""

    @property
    def container_id(self) -> str: ...
    @property
    def exited(self) -> bool: ...
    @property
    def exit_code(self) -> int | None: ...
    @property
    def complained(self) -> bool: ...


def at_rest(
    records: Mapping[str, Record],
    tasks: Collection[EndedTask],
    parameters: Iterable[str] = (),
    stops: Collection[tuple[str, int]] = (),
    *,
    keeps: bool = False,
) -> Iterator[Finding]:
    """`stops` are generations whose stop was accepted. `keeps`: the tasks of unreachable agents are to run on."""
    running = [task for task in tasks if task.wanted]
    if len({(task.container_id, task.generation) for task in running}) < len(running):
        yield "doubled", ", ".join(map(str, running))
    for task in running:
        yield from _wanted(task, records.get(task.container_id), stops, keeps=keeps)
    for name in parameters:
        if not any(_holds(record, name) for record in records.values()):
            yield "parameter", f"{name} is left"
    for record in records.values():
        if not resting(record, tasks):
            yield "hangs", f"{record.state}, to be checked {record.check_at}"
        yield from _exit(record, tasks)


def resting(record: Record, tasks: Iterable[EndedTask]) -> bool:
    """It has ended and owes nothing, or is healthy while its task is to run."""
    if record.state.ended:
        return record.check_at is None
    healthy = record.state is State.AGENT_HEALTHY and not record.stop_wanted and not record.unwanted_tasks
    return healthy and any(task.arn == record.task_arn and task.wanted for task in tasks)


def _wanted(
    task: EndedTask, record: Record | None, stops: Collection[tuple[str, int]], *, keeps: bool
) -> Iterator[Finding]:
    if (task.container_id, task.generation) in stops:
        yield "stop", f"{task} of generation {task.generation} still runs"
    elif record is None or record.task_arn != task.arn:
        yield "leak", f"{task} of generation {task.generation} runs, and the record names {record and record.task_arn}"
    elif record.state.ended:
        unreachable = record.error is not None and record.error.code is ErrorCode.AGENT_UNREACHABLE
        if not (keeps and unreachable and not record.stop_requested):
            yield "leak", f"{task} runs, and its record is {record.state}"


def _holds(record: Record, name: str) -> bool:
    return not record.state.ended and token_parameter(SETTINGS.started_by_prefix, record.ref) == name


def _exit(record: Record, tasks: Iterable[EndedTask]) -> Iterator[Finding]:
    mine = [task for task in tasks if Ref(task.container_id, task.generation) == record.ref]
    named = [task for task in mine if task.arn == record.task_arn] or mine
    if len(named) != 1 or not named[0].exited or named[0].complained:
        return
    (task,) = named
    blamed = record.error is not None and record.error.code in _NOT_THE_CONTAINERS_FAULT
    code = record.stop.exit_code if record.stop else None
    if blamed or (record.state is State.STOPPED and code != task.exit_code):
        yield "exit", f"{task} exited with {task.exit_code}; the record is {record.state}, {code}, {record.error}"
