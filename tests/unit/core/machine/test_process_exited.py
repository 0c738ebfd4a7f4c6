"""The end of a process whose agent stays: what the agent reports counts, not what ECS says of the agent later."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.machine.schedule import schedule
from core.model.actions import SendProbe, StopTask
from core.model.agent import AgentFlavor
from core.model.facts import Fact, ProcessExited, StopAccepted, TaskGone
from core.model.failure import Cause
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State
from tests.factories import ADDRESS, POLICY, REF, TASK, answered, at, exited, main_container, observed, passed, pending
from tests.unit.core.machine.test_apply import HEALTHY, RESOLVED, about, fold, stale

OUTLIVING = replace(HEALTHY, agent_flavor=AgentFlavor.SOCKERLESS)


def reported(exit_code: int | None = 7, *, seconds: float = 20, address: str | None = ADDRESS) -> ProcessExited:
    return ProcessExited(ref=REF, at=at(seconds), address=address, exit_code=exit_code)


def killed(version: int, last_status: str = "STOPPED") -> Fact:
    """The agent after our StopTask: SIGTERM ends it at once with 143."""
    return exited(version, last_status, 143, stop_code="UserInitiated", stopped_reason="exited with 7")


@pytest.mark.parametrize("record", [RESOLVED, HEALTHY, OUTLIVING], ids=["eni-resolved", "spec", "sockerless"])
@pytest.mark.parametrize("address", [ADDRESS, None], ids=["prober", "backend"])
def test_the_container_is_stopped_with_the_agents_code(record: Record, address: str | None) -> None:
    """Address and token are withdrawn in the same write, and the instant of the report is the end."""
    ended = fold(record, reported(address=address))
    assert ended.stop is not None
    assert (ended.state, ended.stop.exit_code, ended.stop.reported) == (State.STOPPED, 7, True)
    assert (ended.agent_address, ended.agent_token, ended.error) == (None, None, None)
    assert ended.finished_at == at(20)


def test_the_task_of_an_agent_that_stays_is_stopped_at_once() -> None:
    """StopTask is pending until ECS has accepted it, or knows no such task; the record is due now."""
    ended = fold(OUTLIVING, reported())
    [stop] = next_actions(ended, POLICY)
    assert isinstance(stop, StopTask)
    assert (stop.task_arn, "exited with 7" in stop.reason) == (TASK, True)
    assert ended.check_at == at(20)
    for settled in (about(StopAccepted, 21, task_arn=TASK), about(TaskGone, 3000, task_arn=TASK)):
        assert next_actions(fold(ended, settled), POLICY) == ()


@pytest.mark.parametrize("exit_code", [7, None])
def test_the_reported_code_wins_over_that_of_the_stop(exit_code: int | None) -> None:
    """143 is that of the agent that StopTask ended; it says nothing about the container, nor does `user-stopped`."""
    ended = fold(OUTLIVING, reported(exit_code), killed(5, "DEPROVISIONING"), killed(6))
    assert ended.stop is not None
    assert (ended.stop.exit_code, ended.stop.cause, ended.stop.code) == (exit_code, None, "UserInitiated")
    assert (ended.state, ended.finished_at) == (State.STOPPED, at(20))


def test_a_process_that_was_killed_for_its_memory_keeps_that_cause() -> None:
    """The agent reports the exit; that the memory was the reason only ECS knows."""
    container = main_container(last_status="STOPPED", exit_code=137, reason="OutOfMemoryError: container killed")
    ended = fold(OUTLIVING, reported(137), exited(6, "STOPPED", containers=(container,)))
    assert ended.stop is not None
    assert (ended.stop.oom_killed, ended.stop.cause) == (True, Cause.OUT_OF_MEMORY)


def test_the_same_facts_end_in_the_same_state_and_code() -> None:
    """Whatever of snapshot and report arrives first: the first end stays, and a report after it adds nothing."""
    known: tuple[Fact, ...] = (observed(4), reported(), reported(seconds=21, address=None))
    for facts in permutations(known):
        record = OUTLIVING
        for fact in facts:
            after = apply(record, fact, POLICY)
            record = record if isinstance(after, Stale) else after
        assert record.stop is not None
        assert (record.state, record.stop.exit_code) == (State.STOPPED, 7)


def test_an_early_probe_may_find_a_process_that_has_exited() -> None:
    """A short job: its agent answered before ECS reported RUNNING."""
    record = replace(pending(), task_arn=TASK, early_address=ADDRESS)
    assert fold(record, reported()).state is State.STOPPED


@pytest.mark.parametrize(
    ("record", "fact", "why"),
    [
        (fold(HEALTHY, exited(5)), reported(), "the end is known already"),
        (pending(), reported(address=None), "no task of the container is known"),
        (HEALTHY, reported(address="10.0.9.9:9111"), "the record has another address"),
    ],
)
def test_a_report_that_cannot_be_about_the_container(record: Record, fact: Fact, why: str) -> None:
    """An end that is known, a container without a task, and the agent of another address change nothing."""
    assert stale(record, fact) == why


@pytest.mark.parametrize("seconds", [60.0, 600.0])
def test_only_an_agent_that_outlives_its_process_is_probed_when_healthy(seconds: float) -> None:
    """At the pace of the policy. An agent of the flavor spec exits with its process, which ECS reports."""
    policy = replace(POLICY, exit_check=seconds)
    [probe] = next_actions(OUTLIVING, policy)
    assert isinstance(probe, SendProbe)
    assert probe.address == ADDRESS
    assert next_actions(HEALTHY, policy) == ()
    now = at(100)
    due = schedule(OUTLIVING, policy, now).check_at
    assert due is not None
    assert seconds / 2 <= (due - now).total_seconds() <= 1.5 * seconds
    later = schedule(HEALTHY, policy, now).check_at
    assert later is not None
    assert later > due


def test_an_agent_that_outlives_its_process_is_not_probed_on_its_way_out() -> None:
    """A stop that is pending, and a task that stops, need no probe."""
    leaving = fold(OUTLIVING, observed(5, "RUNNING", "STOPPED", stop_code="SpotInterruption"))
    assert next_actions(leaving, POLICY) == ()


# --- the child that is not there ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flavor", "keep_alive", "has_child", "warned"),
    [
        (AgentFlavor.SPEC, False, True, False),
        (AgentFlavor.SPEC, False, False, True),
        (AgentFlavor.SPEC, True, False, False),
        (AgentFlavor.SOCKERLESS, False, False, True),
        (AgentFlavor.SOCKERLESS, True, False, True),
        (AgentFlavor.SOCKERLESS, True, True, False),
    ],
)
def test_an_expected_child_that_is_not_shown_is_a_warning(
    flavor: AgentFlavor, keep_alive: bool, has_child: bool, warned: bool
) -> None:
    """The container is healthy, because exec works, and its item says that the command does not run, and the remedy."""
    record = replace(RESOLVED, agent_flavor=flavor, keep_alive=keep_alive)
    healthy = fold(record, replace(answered(), has_child=has_child))
    assert healthy.state is State.AGENT_HEALTHY
    assert (healthy.warning is not None) is warned
    if healthy.warning is not None:
        assert "pid" in healthy.warning.message
        assert "AgentFlavor" in healthy.warning.remedy


def test_a_check_of_a_healthy_agent_writes_nothing_but_the_next_check() -> None:
    """What the prober answers is stale; what the reconciler writes is `check_at`."""
    assert "agent-healthy already" in stale(OUTLIVING, answered(90))
    due = schedule(OUTLIVING, POLICY, at(20))
    assert due.check_at is not None
    checked = fold(due, passed(200))
    assert replace(checked, revision=due.revision, updated_at=due.updated_at, check_at=due.check_at) == due
    assert Instant.EXITED not in checked.timings
