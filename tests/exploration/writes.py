"""The rules of one write: what the record before it, the record after it and the tasks there are must agree in.

Pure, and the same for random lives (`rules`) and for every interleaving (`tests.interleavings`).

- `set-back`: a live record does not go back, and only an ended one gives way to the next generation.
- `version`: `task_version` never goes back while the task is the same.
- `stop-forgotten`: a stop that was asked for, or is due for `max_lifetime`, stays so.
- `unlisted`: every live record is in the index, where a backend finds it again after a restart.
- `expiry`: an ended record has its time to live, a live one has none.
- `address`: an address is there from its resolution to the end, and is that of the record's own task.
- `withdrawn`: no token, address or early address after the end.
- `generation`: the task, and every launch that was given up, is of the record's own generation.
- `token`: the token of a live generation stays, and is the one that the agent of its task knows.
- `described`: the record's image and command are those of its task.
- `healthy`: a record becomes healthy only when the agent of its task has listened at that address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from core.model.record import Record
from core.model.state import State

Finding = tuple[str, str]
"""The rule that is broken, and how."""
_RANK = {state: rank for rank, state in enumerate(State)}
_HAS_ADDRESS = frozenset({State.ENI_RESOLVED, State.AGENT_HEALTHY})


class TaskTruth(Protocol):
    """A task as it is, whatever ECS shows of it. `listened`: its agent has accepted connections."""

    @property
    def arn(self) -> str: ...
    @property
    def generation(self) -> int: ...
    @property
    def token(self) -> str | None: ...
    @property
    def address(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def command(self) -> tuple[str, ...]: ...
    @property
    def wanted(self) -> bool: ...
    @property
    def listened(self) -> bool: ...


Tasks = Mapping[str, TaskTruth]
"""By ARN."""


def findings(before: Record | None, after: Record, tasks: Tasks) -> Iterator[Finding]:
    """Every rule of one write that is broken."""
    if before is not None:
        yield from _in_order(before, after)
    yield from _complete(after)
    yield from _own(after, tasks)
    if after.task_arn is not None and after.task_arn in tasks:
        yield from _fits(after, tasks[after.task_arn])
    healthy = after.state is State.AGENT_HEALTHY
    if healthy and (before is None or before.ref != after.ref or before.state is not State.AGENT_HEALTHY):
        yield from _answered(after, tasks)


def _in_order(before: Record, after: Record) -> Iterator[Finding]:
    if after.generation != before.generation:
        if after.generation != before.generation + 1 or not before.state.ended:
            yield "set-back", f"generation {after.generation} replaces {before.generation}, {before.state}"
        return
    relaunched = after.attempt > before.attempt
    if _RANK[after.state] < _RANK[before.state] or (before.state.ended and after.state is not before.state):
        yield "set-back", f"{before.state} becomes {after.state}"
    elif before.task_arn not in (None, after.task_arn) and not relaunched:
        yield "set-back", f"{before.state} gets another task: {before.task_arn} -> {after.task_arn}"
    elif after.agent_token != before.agent_token and not after.state.ended and not after.unexplained:
        yield "token", "the token of a live generation changes"
    if after.task_version < before.task_version and not relaunched:
        yield "version", f"task_version goes back from {before.task_version} to {after.task_version}"
    if (before.stop_requested and not after.stop_requested) or (before.stop_wanted and not after.stop_wanted):
        yield "stop-forgotten", f"{before.state} -> {after.state}"


def _complete(after: Record) -> Iterator[Finding]:
    if not after.state.ended and (after.watch is None or after.check_at is None):
        yield "unlisted", f"{after.state} has watch {after.watch} and check_at {after.check_at}"
    if after.state.ended is not (after.expires_at is not None):
        yield "expiry", f"{after.state} has expires_at {after.expires_at}"
    left = [name for name in ("agent_token", "agent_address", "early_address") if getattr(after, name) is not None]
    if left and (after.state.ended or after.unexplained is not None):
        yield "withdrawn", f"{after.state} still has {', '.join(left)}"
    known = after.agent_address is not None
    if known is not (after.state in _HAS_ADDRESS and after.unexplained is None):
        yield "address", f"{after.state} has the address {after.agent_address}"


def _own(after: Record, tasks: Tasks) -> Iterator[Finding]:
    own = [task for task in tasks.values() if task.generation == after.generation]
    named = {*(launch.task_arn for launch in after.launches), after.task_arn} - {None, *(task.arn for task in own)}
    if named:
        yield "generation", f"generation {after.generation} names {sorted(map(str, named))}"
    mine = [task for task in own if after.task_arn in (None, task.arn) and not after.gave_up(task.arn)]
    for address in (after.agent_address, after.early_address):
        if address is not None and address not in {_with_port(task) for task in mine}:
            yield "address", f"{address} is not of {after.task_arn} of generation {after.generation}"


def _fits(record: Record, task: TaskTruth) -> Iterator[Finding]:
    if record.agent_token is not None and task.token not in (None, record.agent_token):
        yield "token", f"the record has {record.agent_token[-4:]}, {task} has {(task.token or '')[-4:]}"
    if (*record.entrypoint, *record.cmd) != task.command or record.image != task.image:
        yield "described", f"the record says {record.image} {record.cmd}, {task} runs {task.image} {task.command}"


def _answered(record: Record, tasks: Tasks) -> Iterator[Finding]:
    there = [
        task
        for task in tasks.values()
        if task.generation == record.generation and _with_port(task) == record.agent_address
    ]
    if record.task_arn is not None:
        there = [task for task in there if task.arn == record.task_arn]
    if not any(task.listened and task.token == record.agent_token for task in there):
        yield "healthy", f"no agent of generation {record.generation} has listened at {record.agent_address}"


def _with_port(task: TaskTruth) -> str:
    return f"{task.address}:9111"
