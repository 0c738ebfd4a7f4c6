"""The rules of a call, beside those of `tests.exploration.writes` at each write.

- `unasked`: RunTask is called for a launch that the saved record names as asked for: save first, act second.
- `unsaved`: a probe is sent to an address that the item has.
- `doubled`: a launch starts no task while another one of its generation, that was not given up, is to run.
- `alive`: no record says that its task was lost or never started while that task is to run.
- `no-try`: no agent is called unreachable that no prober has tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.model.failure import ErrorCode
from core.model.identity import client_token, parse_started_by
from core.model.record import Record
from core.model.state import State as RecordState
from tests.exploration.writes import Finding, findings
from tests.interleavings.state import Call, State, document_of, record_of
from tests.interleavings.task import Task

_NO_TASK = frozenset({ErrorCode.TASK_LOST, ErrorCode.LAUNCH_FAILED})


def at_call(before: State, after: State, call: Call) -> Iterator[Finding]:
    """The rules that this call breaks, by what it did."""
    about: Any = call.about
    if call.operation == "PutItem" and after.item(about[0]) != before.item(about[0]):
        yield from _written(before.record(about[0]), record_of(about[1]), after)
    elif call.operation == "RunTask" and len(after.tasks) > len(before.tasks):
        yield from _asked(before, document_of(about[0]))
        yield from _doubled(before, after.tasks[-1])
    elif call.operation == "SendMessage":
        record = before.record(about[0])
        if record is None or record.generation < about[1]:
            yield "unsaved", f"a probe of generation {about[1]}, and the item has {record and record.generation}"
        elif record.generation == about[1] and not record.history and record.early_address is None:
            yield "unsaved", f"a probe of {about[2]}, and the item is {record.state} without an address"


def _written(before: Record | None, after: Record, state: State) -> Iterator[Finding]:
    own = {task.arn: task for task in state.tasks if task.container_id == after.container_id}
    yield from findings(before, after, own)
    if after.state is not RecordState.FAILED or (before is not None and before.state is RecordState.FAILED):
        return
    assert after.error is not None
    code, attempts = after.error.code, after.probe.attempts if after.probe else 0
    if code is ErrorCode.AGENT_UNREACHABLE and not attempts:
        yield "no-try", after.error.message
    alive = [task for task in own.values() if task.generation == after.generation and task.wanted]
    alive = [task for task in alive if not after.gave_up(task.arn)]
    if code in _NO_TASK and alive:
        yield "alive", f"{alive[0]} is to run: {after.error.message}"


def _asked(before: State, request: dict[str, Any]) -> Iterator[Finding]:
    ref = parse_started_by("sockerless", request["startedBy"])
    assert ref is not None
    record = before.record(ref.container_id)
    if record is None or record.generation < ref.generation:
        yield "unasked", f"RunTask for generation {ref.generation}, and the item has {record and record.generation}"
    elif record.ref == ref and not record.state.ended and record.task_arn is None:
        token = client_token("sockerless", ref, record.attempt)
        if request["clientToken"] == token and not record.asked:
            yield "unasked", "RunTask for a launch that the item does not name"


def _doubled(before: State, born: Task) -> Iterator[Finding]:
    record = before.record(born.container_id)
    others = [task for task in before.tasks if task.wanted and task.container_id == born.container_id]
    for task in others:
        if task.generation == born.generation and not (record is not None and record.gave_up(task.arn)):
            yield "doubled", f"{born} is started while {task} of the same generation is to run"
