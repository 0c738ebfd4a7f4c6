"""What each fact proves: contract.md 2, one rule a test."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.machine import messages as failures
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.machine.schedule import PROBE_GRACE
from core.model.actions import DescribeTask, Early, EraseToken, SendProbe, StopTask
from core.model.errors import IllegalTransition
from core.model.facts import (
    Fact,
    LaunchAccepted,
    LaunchRejected,
    ProbeAborted,
    Source,
    StopAccepted,
    StopRequested,
    TaskGone,
    TimePassed,
    TokenErased,
)
from core.model.failure import Cause, ErrorCode, Failure
from core.model.parts import Instant, Stop
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State, Trigger
from tests.factories import (
    ADDRESS,
    CLUSTER,
    DEFINITION,
    POLICY,
    REF,
    TASK,
    answered,
    at,
    eni,
    exited,
    main_container,
    observed,
    passed,
    pending,
    silent,
)


def fold(record: Record, *facts: Fact, policy: Policy = POLICY) -> Record:
    """The record after these facts. None of them may be stale."""
    for fact in facts:
        folded = apply(record, fact, policy)
        assert not isinstance(folded, Stale), folded.why
        record = folded
    return record


def stale(record: Record, fact: Fact, policy: Policy = POLICY) -> str:
    """Why the fact changes nothing."""
    folded = apply(record, fact, policy)
    assert isinstance(folded, Stale)
    return folded.why


def about(kind: type[Fact], seconds: float, **more: Any) -> Any:
    return kind(**{"ref": REF, "at": at(seconds), **more})


ONCE = Policy(launch_attempts=1)


RESOLVED = fold(pending(), observed(3))
HEALTHY = fold(RESOLVED, answered())


# --- the way up -------------------------------------------------------------------------------------------------


def test_running_with_an_address_passes_two_states_in_one_write() -> None:
    """One write, and the history shows every step (contract.md 2)."""
    assert RESOLVED.state is State.ENI_RESOLVED
    assert RESOLVED.revision == 2
    assert [(step.origin, step.to) for step in RESOLVED.history] == [
        (State.PENDING, State.TASK_RUNNING),
        (State.TASK_RUNNING, State.ENI_RESOLVED),
    ]
    assert RESOLVED.agent_address == ADDRESS


def test_the_health_timeout_runs_from_eni_resolved() -> None:
    """The deadline is fixed in the item, so that it survives crashes and redelivery."""
    assert RESOLVED.probe is not None
    assert RESOLVED.probe.deadline == at(3 + 60)


def test_ecs_instants_are_kept() -> None:
    """The timings are ECS's own, not the instants at which a function learnt them."""
    assert RESOLVED.timings == {
        Instant.CREATED: at(0.5),
        Instant.STARTED: at(2.5),
        Instant.RESOLVED: at(3),
    }


def test_an_answer_makes_it_healthy() -> None:
    """200 from the agent: exec and attach work."""
    assert HEALTHY.state is State.AGENT_HEALTHY
    assert HEALTHY.timings[Instant.HEALTHY] == at(5)
    assert HEALTHY.probe is not None
    assert HEALTHY.probe.attempts == 2


def test_an_early_answer_passes_all_states() -> None:
    """An agent that answers proves that its task runs, also before the event arrives."""
    record = fold(pending(task_arn=TASK, early_address=ADDRESS), answered(2))

    assert [step.trigger for step in record.history] == [
        Trigger.TASK_STARTED,
        Trigger.ADDRESS_RESOLVED,
        Trigger.AGENT_ANSWERED,
    ]
    assert record.agent_address == ADDRESS


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "ACTIVATING", "SOMETHING_NEW"])
def test_before_running_the_task_is_known_but_the_state_stays(status: str) -> None:
    """An address at PENDING says nothing about liveness; unknown statuses are tolerated."""
    record = fold(pending(), observed(2, status))

    assert (record.state, record.task_arn, record.agent_address) == (State.PENDING, TASK, None)


def test_running_without_an_address_asks_ecs_once() -> None:
    """A snapshot may lag: DescribeTasks is pending before the address counts as missing."""
    record = fold(pending(), observed(3, attachments=(), containers=(main_container(interfaces=()),)))

    assert record.state is State.TASK_RUNNING
    assert next_actions(record, POLICY) == (DescribeTask(ref=REF, cluster_arn=CLUSTER, task_arn=TASK),)


def test_the_description_may_bring_the_address_at_the_same_version() -> None:
    """The one fact that an equal version may still settle."""
    bare: dict[str, Any] = {"attachments": (), "containers": (main_container(interfaces=()),)}
    record = fold(pending(), observed(3, **bare), observed(3, source=Source.DESCRIBED))

    assert record.agent_address == ADDRESS


def test_no_address_in_the_description_either_is_eni_not_found() -> None:
    """EniNotFound holds the whole attachments array, and the useless task is stopped."""
    bare: dict[str, Any] = {"attachments": (eni(None, "ATTACHED"),), "containers": (main_container(interfaces=()),)}
    record = fold(pending(), observed(3, **bare), observed(3, source=Source.DESCRIBED, **bare))

    assert record.error is not None
    assert record.error.code is ErrorCode.ENI_NOT_FOUND
    assert '"details":[{"name":"subnetId","value":"subnet-1"}]' in record.error.message
    assert isinstance(next_actions(record, POLICY)[0], StopTask)


# --- order ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_older_or_equal_version_changes_nothing(version: int) -> None:
    """EventBridge delivers more than once and in any order (ecs.md 1)."""
    assert "not newer than 3" in stale(RESOLVED, observed(version, "STOPPED", "STOPPED"))


@pytest.mark.parametrize("generation", [1, 3])
def test_another_generation_changes_nothing(generation: int) -> None:
    """Nothing that belongs to an older generation may change the record (contract.md 1)."""
    record = replace(RESOLVED, generation=2)

    assert f"generation {generation}" in stale(record, observed(9, generation=generation))


def test_another_task_changes_nothing_but_that_it_is_unwanted() -> None:
    """A second task of one generation is one too many: its stop is pending until it is on its way out, or gone."""
    another = TASK + "0"
    record = fold(RESOLVED, observed(9, task_arn=another))

    assert [task.task_arn for task in record.unwanted_tasks] == [another]
    assert replace(
        record, unwanted_tasks=(), revision=2, updated_at=RESOLVED.updated_at, check_at=RESOLVED.check_at
    ) == replace(RESOLVED, revision=2)
    assert stale(record, observed(10, task_arn=another)) == "it concerns another task"
    assert fold(record, observed(11, "STOPPED", "STOPPED", task_arn=another)).unwanted_tasks == ()
    assert fold(record, about(StopAccepted, 12, task_arn=another)).unwanted_tasks == ()


def test_another_task_that_ends_is_no_news() -> None:
    """There is no task to stop."""
    assert stale(RESOLVED, observed(9, "STOPPED", "STOPPED", task_arn=TASK + "0")) == "it concerns another task"


# --- the way out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [pending(), RESOLVED, HEALTHY])
def test_a_container_that_ran_and_exited_is_stopped(record: Record) -> None:
    """Also when that was before the agent answered: its exit code is known."""
    ended = fold(record, exited(4, exit_code=3))

    assert (ended.state, ended.stop) == (
        State.STOPPED,
        Stop("EssentialContainerExited", "Essential container in task exited", 3),
    )


def test_address_and_token_go_with_the_first_event_of_the_end() -> None:
    """An address of a dead task may belong to a stranger a minute later."""
    ended = fold(HEALTHY, exited(4))

    assert (ended.agent_address, ended.agent_token) == (None, None)
    assert ended.expires_at == int(at(4 + POLICY.retention).timestamp())


@pytest.mark.parametrize("record", [pending(), RESOLVED, HEALTHY])
def test_an_end_without_an_exit_code_is_failed(record: Record) -> None:
    """Without an exit code it is not known that the container's own process ran to its end."""
    how: dict[str, Any] = {"exit_code": None, "stop_code": None, "stopped_reason": "Host EC2 terminated"}
    leaving = fold(record, exited(4, **how))
    assert (leaving.state, leaving.stopping) == (record.state, True)
    ended = fold(leaving, exited(5, "STOPPED", **how))

    assert ended.state is State.FAILED
    assert ended.error is not None
    assert "Host EC2 terminated" in ended.error.message


def test_ecs_blaming_the_start_is_failed_whatever_the_exit_code() -> None:
    """A missing agent binary: the code that the runtime invents is not the container's."""
    reason = 'CannotStartContainerError: exec: "/sockerless-agent/sockerless-agent": stat: no such file or directory'
    task = exited(
        4,
        "STOPPED",
        stop_code="TaskFailedToStart",
        stopped_reason="Task failed to start",
        started_at=None,
        containers=(main_container(last_status="STOPPED", exit_code=127, reason=reason),),
    )
    record = fold(pending(), task)

    assert record.error is not None
    assert (record.state, record.error.code) == (State.FAILED, ErrorCode.TASK_FAILED_TO_START)
    assert record.error.cause is Cause.AGENT_BINARY_MISSING
    for text in ("TaskFailedToStart", "Task failed to start", reason):
        assert text in record.error.message


def test_a_task_on_its_way_out_never_moves_forward() -> None:
    """A Spot notice arrives as RUNNING with desiredStatus STOPPED: known, but nothing is probed any more."""
    record = fold(pending(), observed(4, "RUNNING", "STOPPED", stopping_at=at(3)))

    assert record.state is State.PENDING
    assert record.timings[Instant.STOPPING] == at(3)
    assert next_actions(record, POLICY) == ()


def test_a_stopping_task_keeps_its_healthy_state_until_it_ends() -> None:
    """A Spot task may run on for two minutes: the backend can still use it."""
    record = fold(HEALTHY, observed(4, "RUNNING", "STOPPED"))

    assert (record.state, record.agent_address) == (State.AGENT_HEALTHY, ADDRESS)
    assert stale(replace(record, state=State.ENI_RESOLVED), answered(6)) == "the task is on its way out"


def test_an_exit_is_known_while_the_task_still_runs() -> None:
    """A container's status is ahead of the task's (ecs.md 3)."""
    main = main_container(last_status="STOPPED", exit_code=2)

    assert fold(HEALTHY, observed(4, containers=(main,))).state is State.STOPPED


def test_an_ended_record_still_learns_but_never_moves() -> None:
    """Later facts add the exit code, the reason and the instants, never a state."""
    ended = fold(RESOLVED, exited(4, exit_code=None, started_at=None), exited(5, "STOPPED", exit_code=7))

    assert ended.state is State.FAILED
    assert ended.stop is not None
    assert ended.stop.exit_code == 7
    assert ended.timings[Instant.STOPPED] == at(60)
    assert len(ended.history) == 3


def test_foreign_containers_do_not_count() -> None:
    """GuardDuty's sidecar may have any name, any index and any end."""
    guard = main_container(name="aws-guardduty-agent-nm40lC", last_status="STOPPED", exit_code=1)

    assert fold(pending(), observed(3, containers=(guard, main_container()))).state is State.ENI_RESOLVED


def test_a_container_without_containers_fails() -> None:
    """`containers: []` occurs in failed starts."""
    record = fold(
        pending(), exited(4, "STOPPED", containers=(), started_at=None, stop_code="TaskFailedToStart"), policy=ONCE
    )

    assert record.state is State.FAILED


# --- the agent --------------------------------------------------------------------------------------------------


def test_unreachable_holds_address_timeout_last_error_and_remedy() -> None:
    """The error has address, time-out, last error and remedy (specification.md 17)."""
    record = fold(RESOLVED, silent(), passed(70))

    assert record.error is not None
    assert record.error.code is ErrorCode.AGENT_UNREACHABLE
    for text in (ADDRESS, "60 s", "connect timed out"):
        assert text in record.error.message
    assert "TCP 9111" in record.error.remedy
    assert record.agent_address is None


def test_the_task_of_an_unreachable_agent_is_stopped_with_the_reason() -> None:
    """Nothing will ever use it; `keep` leaves it for debugging."""
    record = fold(RESOLVED, silent(), passed(70))
    (stop,) = next_actions(record, POLICY)

    assert isinstance(stop, StopTask)
    assert stop.reason.startswith("AgentUnreachable: The agent at 10.0.1.47:9111")
    assert len(stop.reason) <= 255
    assert next_actions(record, Policy(keep_unreachable=True)) == ()


def test_silence_is_pronounced_only_after_ecs_was_asked() -> None:
    """The job had ended and both of its events were lost: the truth is its exit code, not its silence."""
    waiting = fold(RESOLVED, silent())
    assert (waiting.state, waiting.check_at) == (State.ENI_RESOLVED, at(70))
    assert next_actions(waiting, POLICY) == ()
    assert stale(waiting, silent(71)) == "the silence is known already"

    ended = fold(waiting, exited(5, "STOPPED", exit_code=7, source=Source.DESCRIBED))
    assert (ended.state, ended.stop and ended.stop.exit_code, ended.error) == (State.STOPPED, 7, None)


def test_an_answer_after_all_is_an_answer() -> None:
    """The answer is late, but the record has not failed yet."""
    assert fold(RESOLVED, silent(), answered(71)).state is State.AGENT_HEALTHY


def test_silence_before_the_deadline_is_no_verdict() -> None:
    """A prober with a fast clock ends nothing early."""
    assert stale(RESOLVED, silent(62)) == "the deadline has not passed"


@pytest.mark.parametrize("fact", [answered(address="10.0.9.9:9111"), silent(address="10.0.9.9:9111")])
def test_a_verdict_on_another_address_changes_nothing(fact: Fact) -> None:
    """The verdict on another address is not about this container."""
    assert stale(RESOLVED, fact) == "the record has another address"


@pytest.mark.parametrize("fact", [answered(80), silent(80)])
@pytest.mark.parametrize("record", [HEALTHY, fold(HEALTHY, exited(4))])
def test_a_late_verdict_changes_nothing(record: Record, fact: Fact) -> None:
    """Two workers may probe the same agent; the second verdict changes nothing."""
    assert str(record.state) in stale(record, fact)


def test_silence_is_nothing_to_an_agent_whose_task_stops() -> None:
    """The end of the task is the better reason."""
    assert stale(fold(RESOLVED, observed(4, "RUNNING", "STOPPED")), silent()) == "the task is on its way out"


# --- launch and stop --------------------------------------------------------------------------------------------


def accepted(task: str = TASK) -> LaunchAccepted:
    return about(LaunchAccepted, 1, task_arn=task, task_definition_arn=DEFINITION, cluster_arn=CLUSTER)  # type: ignore[no-any-return]


def test_the_launch_saves_the_task() -> None:
    """The ARN is known, the state is not affected."""
    record = fold(pending(), accepted())

    assert (record.task_arn, record.task_definition_arn, record.state) == (TASK, DEFINITION, State.PENDING)


def test_events_may_overtake_the_launch() -> None:
    """After the task's event, the answer of RunTask holds nothing new, or a task too many."""
    assert stale(RESOLVED, accepted()) == "it holds nothing new"
    assert [task.task_arn for task in fold(RESOLVED, accepted(TASK + "0")).unwanted_tasks] == [TASK + "0"]


def test_a_rejected_launch_fails_the_record() -> None:
    """No task exists, so no action is pending and no check is due."""
    failure = Failure(ErrorCode.LAUNCH_FAILED, "RunTask failed", "Try again.", Cause.CAPACITY, transient=True)
    rejected = about(LaunchRejected, 1, by="one", failure=failure, attempt=1)
    record = fold(pending(), rejected, policy=ONCE)

    assert (record.state, record.error, record.watch, record.check_at) == (State.FAILED, failure, None, None)
    assert stale(record, rejected) == "the record is failed already"
    assert stale(fold(pending(), accepted()), rejected) == "a task was started after all"


def test_a_stop_is_owed_until_ecs_has_taken_it() -> None:
    """Recorded first, so that it survives a failed call and a task that is not known yet."""
    requested = about(StopRequested, 2, reason="enough")
    record = fold(pending(), requested)
    assert next_actions(record, POLICY) == ()

    record = fold(record, accepted())
    assert next_actions(record, POLICY) == (StopTask(ref=REF, cluster_arn=CLUSTER, task_arn=TASK, reason="enough"),)

    record = fold(record, about(StopAccepted, 3, task_arn=TASK))
    assert next_actions(record, POLICY) == ()
    assert stale(record, requested) == "a stop was asked for already"
    assert stale(record, about(StopAccepted, 4, task_arn=TASK)) == "it holds nothing new"
    assert stale(record, about(StopAccepted, 4, task_arn=TASK + "0")) == "it concerns another task"


def test_stopping_an_ended_container_changes_nothing() -> None:
    """stop_container is idempotent."""
    assert stale(fold(HEALTHY, exited(4)), about(StopRequested, 9, reason="enough")) == "the record is stopped already"


# --- time and absence -------------------------------------------------------------------------------------------


def test_a_start_that_takes_too_long_times_out() -> None:
    """300 s from pending to RUNNING, and the task is stopped."""
    record = fold(pending(task_arn=TASK, check_at=at(300)), about(TimePassed, 300))

    assert record.error is not None
    assert record.error.code is ErrorCode.START_TIMEOUT
    assert isinstance(next_actions(record, POLICY)[0], StopTask)


def test_a_check_in_time_only_sets_the_next_one() -> None:
    """A check at which nothing is late changes nothing but the time of the next one."""
    checked = fold(pending(task_arn=TASK), about(TimePassed, 61))

    assert (checked.state, checked.check_at) == (State.PENDING, at(121))
    assert stale(checked, about(TimePassed, 62)) == "it is not due yet"


def test_a_deadline_without_a_verdict_is_renewed() -> None:
    """The prober is lost, and the agent may be well: it is probed again until a new deadline, and the item says why."""
    late = POLICY.health_timeout + PROBE_GRACE
    assert RESOLVED.probe is not None
    in_time = fold(replace(RESOLVED, check_at=at(late)), about(TimePassed, 3 + late - 0.1))
    assert in_time.probe == RESOLVED.probe

    record = fold(replace(RESOLVED, check_at=at(late)), about(TimePassed, 3 + late))

    assert (record.state, record.error) == (State.ENI_RESOLVED, None)
    assert record.probe is not None
    assert record.probe.deadline == at(3 + late + POLICY.health_timeout)
    assert record.probe.last_error == "No result of the prober arrived."
    assert (record.probe.remedy or "").startswith("First the prober's route to DynamoDB.")
    assert "dead-letter" in (record.probe.remedy or "")
    assert next_actions(record, POLICY) == (SendProbe(ref=REF, address=ADDRESS),)


def aborted(address: str = ADDRESS, last_error: str = "no table.") -> ProbeAborted:
    return about(ProbeAborted, 14, address=address, last_error=last_error, remedy="Make the endpoint.")  # type: ignore[no-any-return]


def test_what_keeps_the_prober_from_probing_is_in_the_item_and_changes_nothing_else() -> None:
    """State, deadline and next check stay; a repeat is stale; a renewed deadline keeps the error."""
    record = fold(RESOLVED, aborted())

    assert record.probe is not None
    assert (record.probe.last_error, record.probe.remedy) == ("no table.", "Make the endpoint.")
    assert record.probe.silent_at is None
    kept = ("probe", "revision", "updated_at")
    assert replace(record, **{name: getattr(RESOLVED, name) for name in kept}) == RESOLVED
    assert stale(record, aborted()) == "it holds nothing new"
    renewed = fold(record, about(TimePassed, 200))
    assert renewed.probe is not None
    assert renewed.probe.last_error == "no table."


def test_an_answer_clears_what_kept_the_prober_from_asking() -> None:
    """A healthy agent has no error."""
    record = fold(RESOLVED, aborted(), answered())

    assert record.probe is not None
    assert (record.state, record.probe.last_error, record.probe.remedy) == (State.AGENT_HEALTHY, None, None)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (pending(early_address=ADDRESS), "nothing is asked of the agent in pending"),
        (HEALTHY, "nothing is asked of the agent in agent-healthy"),
        (replace(RESOLVED, agent_address="10.0.9.9:9111"), "the record has another address"),
        (fold(RESOLVED, observed(4, "RUNNING", "STOPPED")), "the task is on its way out"),
        (fold(RESOLVED, silent()), "the silence is known already"),
    ],
)
def test_an_aborted_probe_is_nothing_to_a_record_that_waits_for_none(record: Record, why: str) -> None:
    """The prober's line of the log may arrive after the probe has ended."""
    assert stale(record, aborted()) == why


@given(when=st.lists(st.floats(4, 10_000), min_size=1, max_size=20), own=st.integers(1, 240))
def test_no_verdict_without_a_try(when: list[float], own: int) -> None:
    """However often the reconciler checks: without a prober's verdict no record fails and no task is stopped."""
    record = fold(pending(health_timeout=own), observed(3))
    for second in sorted(when):
        seen = apply(record, about(TimePassed, second), POLICY)
        record = record if isinstance(seen, Stale) else seen
        assert record.state is State.ENI_RESOLVED
        assert [type(action) for action in next_actions(record, POLICY)] == [SendProbe]


def test_a_verdict_that_no_prober_gave_is_a_bug() -> None:
    """The failure names the number of tries, so there is none without a verdict."""
    with pytest.raises(IllegalTransition, match="no verdict of a prober"):
        failures.agent_unreachable(RESOLVED, POLICY)


def test_a_silence_is_pronounced_whatever_the_clock_says() -> None:
    """The prober's clock is ahead of the reconciler's, but ECS was read since the verdict."""
    waiting = fold(RESOLVED, silent(63.3))
    assert waiting.check_at == at(63.3)

    assert fold(waiting, about(TimePassed, 63.2)).state is State.FAILED
    leaving = fold(waiting, observed(4, "RUNNING", "STOPPED"))
    assert stale(leaving, about(TimePassed, 63.2)) == "it is not due yet"


def test_the_longer_no_prober_has_a_result_the_rarer_the_next_probe() -> None:
    """A failed message is delivered again for half an hour, so checks go from half a minute apart to 5 minutes."""
    record = RESOLVED
    pauses: list[float] = []
    while len(pauses) < 20:
        assert record.check_at is not None
        pauses.append((record.check_at - record.updated_at).total_seconds())
        record = fold(record, about(TimePassed, (record.check_at - at(0)).total_seconds()))

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (POLICY.probe_check, POLICY.probe_check_most)
    stop = fold(record, about(StopRequested, (record.updated_at - at(0)).total_seconds(), reason="enough"))
    assert stop.check_at == stop.updated_at + timedelta(seconds=POLICY.probe_check)


def test_a_lost_probe_is_sent_again_by_the_reconciler() -> None:
    """Within the deadline the probe is still pending."""
    record = fold(RESOLVED, about(TimePassed, 40))

    assert next_actions(record, POLICY) == (SendProbe(ref=REF, address=ADDRESS),)


@pytest.mark.parametrize("record", [RESOLVED, HEALTHY, pending(task_arn=TASK)])
def test_a_task_that_ecs_forgot_is_lost(record: Record) -> None:
    """TaskLost; nothing is left to stop."""
    lost = fold(record, about(TaskGone, 7200, task_arn=TASK))

    assert lost.error is not None
    assert lost.error.code is ErrorCode.TASK_LOST
    assert next_actions(lost, POLICY) == ()
    assert lost.watch is None


def test_a_young_task_may_not_show_yet() -> None:
    """ECS's API is eventually consistent."""
    assert "so young" in stale(pending(task_arn=TASK), about(TaskGone, 30, task_arn=TASK))
    assert stale(HEALTHY, about(TaskGone, 7200, task_arn=TASK + "0")) == "it concerns another task"


@pytest.mark.parametrize(
    ("stop", "cause"), [(None, Cause.UNKNOWN), (Stop(reason="enough", requested=True), Cause.USER_STOPPED)]
)
def test_a_record_without_any_task_fails_after_a_while(stop: Stop | None, cause: Cause) -> None:
    """The start died before RunTask: nothing runs, and the backend may start again."""
    record = fold(pending(stop=stop), about(TaskGone, 60, task_arn=None))

    assert record.error is not None
    assert (record.error.code, record.error.cause) == (ErrorCode.LAUNCH_FAILED, cause)


def test_an_ended_record_owes_no_stop_to_a_task_that_is_gone() -> None:
    """The unreachable task ended by itself and ECS forgot it: no stop is pending any more."""
    record = fold(fold(RESOLVED, silent(), passed(70)), about(TaskGone, 7200, task_arn=TASK))

    assert (next_actions(record, POLICY), record.watch) == ((), None)


# --- the next check ---------------------------------------------------------------------------------------------


def test_every_live_record_is_looked_at_again() -> None:
    """Every live record is checked at some time, without any event."""
    stopping = fold(HEALTHY, observed(4, "RUNNING", "STOPPED"))
    checks = {record.state: record.check_at for record in (pending(), RESOLVED, HEALTHY)}

    assert checks[State.PENDING] == at(60)
    assert checks[State.ENI_RESOLVED] == at(33)
    assert HEALTHY.check_at is not None
    assert at(5 + 450) < HEALTHY.check_at <= at(5 + 1350)
    assert stopping.check_at == at(4 + 150)


def test_a_failure_whose_task_runs_on_is_due_at_once() -> None:
    """The prober cannot stop it; the reconciler finds it (contract.md 8)."""
    record = fold(RESOLVED, silent(), passed(70))

    assert record.check_at == record.updated_at


def test_an_unknown_fact_is_a_bug() -> None:
    """Only a bug raises."""
    with pytest.raises(AssertionError, match="unreachable, but got: EraseToken"):
        apply(pending(), EraseToken(ref=REF, name="/a"), POLICY)  # type: ignore[arg-type]


# --- the early probe --------------------------------------------------------------------------------------------

EARLY = Policy(early_probe=True)


def test_the_address_of_a_pending_task_is_probed_but_not_published() -> None:
    """An address that is known at PENDING is probed, but `agent_address` stays absent."""
    record = fold(pending(), observed(2, "PENDING"), policy=EARLY)

    assert (record.state, record.agent_address, record.early_address) == (State.PENDING, None, ADDRESS)
    early = Early("sockerless-2f9c1d7e", at(0.5))
    assert next_actions(record, EARLY) == (SendProbe(ref=REF, address=ADDRESS, early=early),)


def test_the_early_probe_can_be_off() -> None:
    """Without early probes a PENDING event shows no address to probe."""
    record = fold(pending(), observed(2, "PENDING"))

    assert (record.early_address, next_actions(record, POLICY)) == (None, ())


def test_an_early_address_goes_with_the_task() -> None:
    """RUNNING makes it the agent's address, any end removes it, another launch has another one."""
    record = fold(pending(), observed(2, "PENDING"), policy=EARLY)

    assert fold(record, observed(3)).early_address is None
    assert fold(record, exited(3)).early_address is None
    again = fold(record, exited(3, "STOPPED", exit_code=None, started_at=None, stop_code="TaskFailedToStart"))
    assert (again.attempt, again.early_address) == (2, None)
    assert stale(again, answered()) == "the record has another address"


def test_an_early_answer_of_an_address_that_nobody_shows_is_stale() -> None:
    """A probe of an earlier launch proves nothing about this one."""
    assert stale(pending(task_arn=TASK), answered()) == "the record has another address"


def test_a_newer_version_of_the_same_is_only_remembered() -> None:
    """`task_version` orders what is still to come."""
    record = fold(HEALTHY, observed(7))

    assert (record.state, record.task_version, len(record.history)) == (State.AGENT_HEALTHY, 7, len(HEALTHY.history))


def test_the_erasing_of_another_token_changes_nothing() -> None:
    """A restart has a parameter of its own."""
    erased = about(TokenErased, 9, name="/sockerless/old/token")

    assert stale(pending(token_parameter="/sockerless/new/token"), erased) == "the record names another parameter"


@pytest.mark.parametrize("record", [pending(), HEALTHY])
def test_a_container_that_is_over_moves_nothing_forward(record: Record) -> None:
    """Main STOPPED without an exit code in a RUNNING task: the next event says how it ended."""
    main = main_container(last_status="STOPPED", exit_code=None, reason="something")

    assert fold(record, observed(4, containers=(main,))).state is record.state


def test_an_ended_record_without_a_task_learns_nothing_from_there_being_none() -> None:
    """A task that shows up late is still to be stopped."""
    failed = fold(pending(token_parameter="/p/c/1/token"), about(TaskGone, 60, task_arn=None))

    assert stale(failed, about(TaskGone, 120, task_arn=None)) == "it holds nothing new"


def test_a_start_that_was_stopped_says_so() -> None:
    """Not that it was interrupted, and not to start it again."""
    record = fold(pending(), about(StopRequested, 1, reason="enough"), about(TaskGone, 60, task_arn=None))

    assert record.error is not None
    assert "stopped before any task of it ran. reason: enough" in record.error.message


def test_a_launch_that_was_never_made_names_the_failure_before_it() -> None:
    """The failure of the launch before it keeps its cause."""
    capacity = Failure(ErrorCode.LAUNCH_FAILED, "no capacity", "Wait.", Cause.CAPACITY, transient=True)
    refused = about(LaunchRejected, 1, by="one", failure=capacity, attempt=1)
    record = fold(pending(), refused, about(TaskGone, 70, task_arn=None))

    assert record.error is not None
    assert "no capacity" in record.error.message
    assert record.error.cause is Cause.CAPACITY


def test_a_request_may_name_its_own_time_outs() -> None:
    """They are in the item: the deadline, the message and the next check follow them."""
    record = fold(pending(health_timeout=10, start_timeout=90), observed(3))
    assert record.probe is not None
    assert record.probe.deadline == at(13)

    failed = fold(record, silent(13), passed(13))
    assert failed.error is not None
    assert "within 10 s" in failed.error.message
    late = fold(pending(task_arn=TASK, start_timeout=90, check_at=at(90)), passed(90))
    assert late.error is not None
    assert late.error.code is ErrorCode.START_TIMEOUT
