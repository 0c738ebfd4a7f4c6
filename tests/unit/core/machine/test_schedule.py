"""When a record is checked again: a live one always is, so the index that holds the checks is the list of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.schedule import schedule, shards
from core.model.errors import IllegalTransition
from core.model.facts import (
    Fact,
    FailedTaskMissing,
    LaunchAccepted,
    LaunchClaimed,
    LaunchRejected,
    OutputRead,
    ProbeAborted,
    ProcessExited,
    StopAccepted,
    StopRequested,
    TaskGone,
    TaskListed,
    TokenErased,
)
from core.model.failure import Cause, ErrorCode, Failure
from core.model.parts import Stop
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from tests.factories import (
    ADDRESS,
    CLUSTER,
    CONTAINER_ID,
    DEFINITION,
    POLICY,
    REF,
    TASK,
    answered,
    at,
    exited,
    observed,
    passed,
    silent,
)
from tests.records import resolved
from tests.unit.core.storage.test_item import INSTANTS, RECORDS

LIVE = tuple(state for state in State if not state.ended)
REFUSED = Failure(ErrorCode.LAUNCH_FAILED, "No.", "Wait.", Cause.CAPACITY, transient=True)


def about(kind: type[Any], **more: Any) -> Any:
    return kind(ref=REF, at=at(100), **more)


FACTS: dict[str, Fact] = {
    **{f"observed {status}": observed(10**9 + 1, status) for status in ("PENDING", "RUNNING", "STOPPING")},
    "exited": exited(10**9 + 1),
    "LaunchAccepted": about(LaunchAccepted, task_arn=TASK, task_definition_arn=DEFINITION, cluster_arn=CLUSTER),
    "TaskListed": about(TaskListed, task_arn=TASK),
    "LaunchRejected": about(LaunchRejected, failure=REFUSED, attempt=1, by="one"),
    "LaunchClaimed": about(LaunchClaimed, by="one", attempt=1),
    "FailedTaskMissing": about(FailedTaskMissing, task_arn=TASK, attempt=1),
    "AgentAnswered": answered(),
    "ProcessExited": about(ProcessExited, address=ADDRESS, exit_code=7),
    "AgentSilent": silent(),
    "ProbeAborted": about(ProbeAborted, address=ADDRESS, last_error="no table", remedy="add a route"),
    "TaskGone": about(TaskGone, task_arn=TASK),
    "TimePassed": passed(),
    "StopRequested": about(StopRequested, reason="enough"),
    "TokenErased": about(TokenErased, name="/sockerless/token"),
    "StopAccepted": about(StopAccepted, task_arn=TASK),
    "OutputRead": about(OutputRead, complaint=None),
}


@given(RECORDS, st.sampled_from(LIVE), INSTANTS, st.integers(1, 64))
def test_every_live_record_is_in_the_index(record: Record, state: State, now: datetime, number: int) -> None:
    """Whatever else it holds, it has a shard of the stack's and an instant that has not passed."""
    policy = Policy(watch_shards=number)
    scheduled = schedule(replace(record, container_id=CONTAINER_ID, state=state), policy, now)
    assert scheduled.watch in shards(policy)
    assert scheduled.check_at is not None
    assert scheduled.check_at >= now - timedelta(milliseconds=1)


@pytest.mark.parametrize(("known", "expected"), [(45, 45), (75, 75), (44, 60), (76, 60), (10, 60), (None, 60)])
def test_a_check_that_comes_at_about_the_right_time_stays(known: float | None, expected: float) -> None:
    """An address is looked for again after 30 s: another instant in the index costs two writes."""
    record = resolved(check_at=None if known is None else at(known))
    assert schedule(record, POLICY, at(30)).check_at == at(expected)


def test_a_check_that_is_due_at_once_waits_for_nothing() -> None:
    """However near the known one is."""
    silence = apply(resolved(check_at=at(90.1)), silent(90), POLICY)
    assert isinstance(silence, Record)
    assert silence.check_at == at(90)


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
@given(record=RECORDS, state=st.sampled_from(LIVE), stop=st.sampled_from([None, Stop(requested=True)]))
def test_no_fact_takes_a_live_record_out_of_the_index(fact: Fact, record: Record, state: State, stop: Stop) -> None:
    """Every fact, on every live record that is in the index: what stays live stays in it."""
    listed = replace(
        record,
        container_id=REF.container_id,
        generation=REF.generation,
        state=state,
        stop=stop,
        task_arn=record.task_arn and TASK,
        agent_address=record.agent_address and ADDRESS,
        watch="shard-0",
        check_at=at(60),
    )
    try:
        applied = apply(listed, fact, POLICY)
    except IllegalTransition:
        return  # a record that no life has
    if not isinstance(applied, Stale) and not applied.state.ended:
        assert applied.watch is not None
        assert applied.check_at is not None


def test_every_fact_is_tried() -> None:
    """A new kind of fact is tried, too."""
    assert {type(fact) for fact in FACTS.values()} == {*Fact.__args__}
