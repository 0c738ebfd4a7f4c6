"""Why a task stopped. The texts of failed starts are in `stop_texts` and `aws_page_texts`; the ends are here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.diagnosis import Actor, diagnose
from core.diagnosis.order import STOPS, UNKNOWN_STOPS
from core.diagnosis.rows.access_rows import FETCHES
from core.diagnosis.rows.general_rows import FAMILIES
from core.diagnosis.rows.image_rows import IMAGES
from core.machine.runtime_complaint import complaint_in
from core.model.facts import ContainerSeen, Source, TaskObserved
from core.model.failure import Cause
from core.model.identity import Ref
from tests.unit.core.diagnosis.aws_page_texts import START_PAGE_TEXTS
from tests.unit.core.diagnosis.stop_texts import EFS_END, PULL, RESOLVE, SHIM, START_TEXTS, TIME_OUT, Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.diagnosis.row import Row

EXITED = "Essential container in task exited"
NO_MEMORY = "OutOfMemoryError: container killed due to memory usage"


def task(
    *containers: ContainerSeen, code: str | None = None, reason: str | None = None, last_status: str = "STOPPED"
) -> TaskObserved:
    return TaskObserved(
        ref=Ref("c" * 64, 1),
        at=datetime(2026, 11, 23, tzinfo=UTC),
        source=Source.EVENT,
        task_arn="arn:aws:ecs:eu-west-1:123456789012:task/shop/0123",
        version=5,
        last_status=last_status,
        desired_status="STOPPED",
        containers=containers,
        stop_code=code,
        stopped_reason=reason,
    )


def seen(name: str = "main", exit_code: int | None = None, reason: str | None = None) -> ContainerSeen:
    return ContainerSeen(name=name, last_status="STOPPED", exit_code=exit_code, reason=reason)


ALL_TEXTS = [*START_TEXTS, *START_PAGE_TEXTS]


# Of the families, the row that AWS documents a remedy for.
NAMED_BY_A_PAGE = {"The container ended before its state could be read, as it does when its memory is too small"}


@pytest.mark.parametrize("place", ["stoppedReason", "container reason"])
@pytest.mark.parametrize("case", ALL_TEXTS, ids=lambda case: case.source)
def test_a_failed_start_is_diagnosed_by_its_text_wherever_ecs_put_it(case: Case, place: str) -> None:
    """The cause, who must act and what to do follow from the text; it is kept whole and the start is blamed."""
    if place == "stoppedReason":
        stopped = task(seen(), code="TaskFailedToStart", reason=case.text)
    else:
        stopped = task(seen(reason=case.text), code="TaskFailedToStart", reason="Task failed to start")
    diagnosis = diagnose(stopped)
    assert (diagnosis.cause, diagnosis.transient, diagnosis.actor) == (case.cause, case.transient, case.actor)
    assert case.remedy in diagnosis.remedy
    assert diagnosis.start_failed
    assert case.text in diagnosis.detail


GENERAL = {row.summary for row in (*FAMILIES, *UNKNOWN_STOPS, IMAGES[-1], FETCHES[-1])} - NAMED_BY_A_PAGE


@pytest.mark.parametrize("case", START_PAGE_TEXTS, ids=lambda case: f"{case.source}: {case.text[-40:]}")
def test_a_text_on_a_page_of_aws_has_a_row_of_its_own_or_a_reason_why_it_has_none(case: Case) -> None:
    """A general row says only which family of errors it is, and that must be all there is to know."""
    summary = diagnose(task(seen(), code="TaskFailedToStart", reason=case.text)).summary
    assert (summary.rstrip(".") in GENERAL) == bool(case.general)


def wrapped(text: str) -> str:
    return text.replace(" ", "\n  ")


@pytest.mark.parametrize("spelled", [str.upper, str.lower, wrapped])
def test_case_and_line_breaks_do_not_matter(spelled: Callable[[str], str]) -> None:
    """Platform versions print the same words in other cases, and wrap them."""
    text = spelled(f"{TIME_OUT}b'mount.nfs4: Connection timed out'{EFS_END}")
    assert diagnose(task(code="taskFailedToStart", reason=text)).cause is Cause.EFS_MOUNT_FAILED


@dataclass(frozen=True, slots=True)
class End:
    """How a task ended whose start was fine."""

    source: str
    stopped: TaskObserved
    cause: Cause
    remedy: str
    transient: bool = False
    actor: Actor = Actor.OPERATOR


ENDS = [
    End(
        "AWS doc: OutOfMemoryError",
        task(seen(exit_code=137, reason=NO_MEMORY), code="EssentialContainerExited", reason=EXITED),
        Cause.OUT_OF_MEMORY,
        "memory limit",
        actor=Actor.USER,
    ),
    End(
        "capture: UserInitiated",
        task(seen(exit_code=0), code="UserInitiated", reason="Task stopped by user"),
        Cause.USER_STOPPED,
        "StopTask",
        actor=Actor.USER,
    ),
    End(
        "the reason of a StopTask call is not ECS's",
        task(seen(exit_code=137), code="UserInitiated", reason="disk check: no space left on device, i/o timeout"),
        Cause.USER_STOPPED,
        "StopTask",
        actor=Actor.USER,
    ),
    End(
        "before 2019: no stopCode",
        task(seen(exit_code=0), reason="Task stopped by user"),
        Cause.USER_STOPPED,
        "StopTask",
        actor=Actor.USER,
    ),
    End(
        "capture: scaled in",
        task(
            seen(exit_code=0),
            code="ServiceSchedulerInitiated",
            reason="Scaling activity initiated by (deployment ecs-svc/5229653580561241327)",
        ),
        Cause.USER_STOPPED,
        "service",
    ),
    End(
        "scheduler without a reason",
        task(seen(exit_code=0), code="ServiceSchedulerInitiated"),
        Cause.USER_STOPPED,
        "service",
    ),
    End(
        "capture: ELB health checks",
        task(
            seen(exit_code=143),
            code="ServiceSchedulerInitiated",
            reason="Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-1:1:tg/a/b)",
        ),
        Cause.UNKNOWN,
        "health check",
        actor=Actor.USER,
    ),
    *(
        End(
            f"AWS doc: {words}",
            task(seen(exit_code=143), code="ServiceSchedulerInitiated", reason=words),
            Cause.UNKNOWN,
            "health check",
            actor=Actor.USER,
        )
        for words in ("Task failed ELB health checks in (elb shop)", "Task failed container health checks")
    ),
    *(
        End(
            f"AWS doc: Spot with code {code}",
            task(code=code, reason="Your Spot Task was interrupted.", last_status="RUNNING"),
            Cause.SPOT_INTERRUPTION,
            "FARGATE_SPOT",
            transient=True,
            actor=Actor.AWS,
        )
        for code in ("SpotInterruption", "TerminationNotice", None)
    ),
    End(
        "Spot, by the code alone",
        task(code="SpotInterruption"),
        Cause.SPOT_INTERRUPTION,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    End(
        "grand-challenge: Spot, the older code",
        replace(task(code="TerminationNotice"), capacity_provider_name="FARGATE_SPOT"),
        Cause.SPOT_INTERRUPTION,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    *(
        End(
            f"a termination notice without a word of Spot, on {provider}",
            replace(task(seen(), code="TerminationNotice"), capacity_provider_name=provider),
            Cause.UNKNOWN,
            "neither that the task ran on Spot",
            transient=True,
            actor=Actor.AWS,
        )
        for provider in (None, "FARGATE")
    ),
    End(
        "AWS doc: maintenance",
        task(
            seen(exit_code=137),
            code="ServiceSchedulerInitiated",
            reason="Service shop: ECS is performing maintenance on the underlying infrastructure hosting the task",
        ),
        Cause.UNKNOWN,
        "does not replace",
        transient=True,
        actor=Actor.AWS,
    ),
    End(
        "API model: InfrastructureHealth",
        task(seen(exit_code=137), code="InfrastructureHealth"),
        Cause.UNKNOWN,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    End(
        "AWS doc: host terminated",
        task(reason="Host EC2 (instance i-0123) terminated."),
        Cause.UNKNOWN,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    End(
        "AWS doc: deregistration",
        task(reason="Container instance deregistration forced by user."),
        Cause.UNKNOWN,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    End(
        "AWS doc: CannotStopContainerError",
        task(seen(exit_code=137, reason="CannotStopContainerError: failed sending SIGTERM to container: gone")),
        Cause.UNKNOWN,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    End(
        "AWS doc: CannotInspectContainerError",
        task(seen(exit_code=1, reason="CannotInspectContainerError: context deadline exceeded")),
        Cause.UNKNOWN,
        "support case",
        transient=True,
        actor=Actor.AWS,
    ),
    *(
        End(
            f"exit code {exit_code}",
            task(seen(exit_code=exit_code), code="EssentialContainerExited", reason=EXITED),
            Cause.UNKNOWN,
            remedy,
            actor=Actor.USER,
        )
        for exit_code, remedy in (
            (0, "Nothing to repair"),
            (1, "log"),
            (126, "executable"),
            (127, "exists in the image"),
            (137, "`stop_timeout`"),
            (139, "log"),
            (143, "Nothing to repair"),
            (254, "log"),
            (-1, "log"),
            (3221225786, "log"),
        )
    ),
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.source)
def test_the_end_of_a_container_that_ran_does_not_blame_its_start(end: End) -> None:
    """Its exit code is its own (contract.md 2), so the record becomes `stopped` with it."""
    diagnosis = diagnose(end.stopped)
    assert (diagnosis.cause, diagnosis.transient, diagnosis.actor) == (end.cause, end.transient, end.actor)
    assert end.remedy in diagnosis.remedy
    assert not diagnosis.start_failed


def test_every_cause_of_a_stop_has_a_real_text() -> None:
    """No word of contract.md 6 is only promised."""
    covered = {case.cause for case in ALL_TEXTS} | {end.cause for end in ENDS}
    assert covered == set(Cause)


def test_an_exit_code_of_a_task_that_failed_to_start_is_not_the_containers_own() -> None:
    """ECS blames the start: a container that crashed while its task was starting did not run and end."""
    diagnosis = diagnose(task(seen(exit_code=1), code="TaskFailedToStart", reason="Task failed to start"))
    assert diagnosis.start_failed
    assert not diagnosis.transient


def test_a_failed_start_without_any_reason_may_be_tried_again() -> None:
    """About one Fargate task in a hundred never starts, and ECS says nothing."""
    diagnosis = diagnose(task(seen(), reason="Task failed to start"))
    assert (diagnosis.cause, diagnosis.start_failed, diagnosis.transient, diagnosis.actor) == (
        Cause.UNKNOWN,
        True,
        True,
        Actor.AWS,
    )


def test_a_failed_start_whose_reason_nobody_knows_is_not_tried_again() -> None:
    """It may be the same the next time, and the reason is shown."""
    diagnosis = diagnose(task(seen(), code="TaskFailedToStart", reason="TaskFailedToStart: something new"))
    assert (diagnosis.cause, diagnosis.start_failed, diagnosis.transient) == (Cause.UNKNOWN, True, False)
    assert "something new" in diagnosis.summary


@pytest.mark.parametrize(
    ("init", "cause", "actor"),
    [
        pytest.param(seen("init", 1), Cause.AGENT_BINARY_MISSING, Actor.OPERATOR, id="the copy failed"),
        pytest.param(seen("init", 137, NO_MEMORY), Cause.OUT_OF_MEMORY, Actor.OPERATOR, id="killed"),
        pytest.param(
            seen("init", None, f'{SHIM}exec: "cp": executable file not found in $PATH: unknown'),
            Cause.AGENT_BINARY_MISSING,
            Actor.OPERATOR,
            id="no copy command",
        ),
        pytest.param(
            seen("init", None, f"{PULL}pull access denied for sockerless/agent"),
            Cause.IMAGE_PULL_FAILED,
            Actor.OPERATOR,
            id="agent image",
        ),
        pytest.param(seen("init", None, "something new"), Cause.UNKNOWN, Actor.OPERATOR, id="new words"),
    ],
)
def test_when_the_init_container_failed_the_main_one_never_ran(init: ContainerSeen, cause: Cause, actor: Actor) -> None:
    """`main` depends on the success of `init`, whose image and command are the operator's to set."""
    diagnosis = diagnose(task(seen(), init, code="EssentialContainerExited", reason=EXITED))
    assert (diagnosis.cause, diagnosis.actor, diagnosis.start_failed) == (cause, actor, True)


DEPENDENCY = (
    "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [init] "
    "(STOPPED->RUNNING) - Exit: 1 for target [main] (NONE->RUNNING) as dependency did not exit successfully."
)


@pytest.mark.parametrize("words", [DEPENDENCY, "something new"])
def test_the_exit_code_of_the_init_container_says_more_than_what_ecs_says_of_the_main_one(words: str) -> None:
    """A general error name about `main` would make it an unknown cause, and the user's to repair."""
    diagnosis = diagnose(
        task(seen(reason=words), seen("init", 1), code="TaskFailedToStart", reason="Task failed to start")
    )
    assert (diagnosis.cause, diagnosis.actor, diagnosis.start_failed) == (
        Cause.AGENT_BINARY_MISSING,
        Actor.OPERATOR,
        True,
    )
    assert "AgentImage" in diagnosis.remedy
    assert "AgentCopyCommand" in diagnosis.remedy
    assert words in diagnosis.detail


@pytest.mark.parametrize(
    ("main", "others", "reason"),
    [
        pytest.param("", (), "InternalError: something went wrong", id="Fargate failed"),
        pytest.param(
            "",
            (seen("aws-guardduty-agent-x", None, "CannotPullContainerError: dial tcp: i/o timeout"),),
            "Task failed to start",
            id="GuardDuty's image",
        ),
        pytest.param(
            "ContainerRuntimeTimeoutError: Could not transition to started; timed out after waiting 3m0s",
            (),
            "Task failed to start",
            id="the host is slow",
        ),
        pytest.param("ContainerRuntimeError: rpc error", (), "Task failed to start", id="the host failed"),
    ],
)
def test_an_init_container_that_was_ended_with_its_task_is_not_blamed(
    main: str, others: tuple[ContainerSeen, ...], reason: str
) -> None:
    """It has an exit code then as well; what ended the task passes, and the launch is worth another try."""
    containers = (seen(reason=main or None), seen("init", 137), *others)
    diagnosis = diagnose(task(*containers, code="TaskFailedToStart", reason=reason))
    assert diagnosis.transient
    assert diagnosis.cause is not Cause.AGENT_BINARY_MISSING


def test_the_words_of_an_interrupted_start_come_before_its_init_container() -> None:
    """Spot and StopTask end init containers too."""
    diagnosis = diagnose(
        task(seen(), seen("init", 143), code="SpotInterruption", reason="Your Spot Task was interrupted.")
    )
    assert diagnosis.cause is Cause.SPOT_INTERRUPTION


@pytest.mark.parametrize("code", [None, "EssentialContainerExited"])
def test_the_runtimes_complaint_makes_an_exit_a_failed_start(code: str | None) -> None:
    """The exit code is runc's then, not the container's own."""
    complaint = "exec /sockerless-agent/sockerless-agent: exec format error"
    main = ContainerSeen("main", "STOPPED", 1, complaint=complaint)
    diagnosis = diagnose(task(main, code=code, reason=EXITED))
    assert (diagnosis.cause, diagnosis.start_failed) == (Cause.AGENT_WRONG_ARCHITECTURE, True)
    assert f"exit code 1, output: {complaint}" in diagnosis.detail
    without = diagnose(task(ContainerSeen("main", "STOPPED", 1, complaint=""), code=code, reason=EXITED))
    assert (without.cause, without.start_failed) == (Cause.UNKNOWN, False)
    assert "output" not in without.detail


@pytest.mark.parametrize(
    ("said", "summary"),
    [
        ("no such file or directory", "dynamic loader"),
        ("permission denied", "may not be executed"),
        ("input/output error", "did not execute"),
    ],
)
def test_a_copy_command_that_the_kernel_refuses_leaves_no_agent(said: str, summary: str) -> None:
    """The words are about the operator's image, not about the agent."""
    init = ContainerSeen("init", "STOPPED", 1, complaint=f"exec /usr/bin/cp: {said}")
    diagnosis = diagnose(task(seen(), init, code="TaskFailedToStart", reason="Task failed to start"))
    assert (diagnosis.cause, diagnosis.actor) == (Cause.AGENT_BINARY_MISSING, Actor.OPERATOR)
    assert "init container's copy command" in diagnosis.summary
    assert summary in diagnosis.summary


@pytest.mark.parametrize(
    "errno", ["argument list too long", "input/output error", "stale file handle", "out of memory"]
)
@pytest.mark.parametrize(
    "form",
    [
        "exec /sockerless-agent/sockerless-agent: {}",
        "standard_init_linux.go:228: exec user process caused: {}",
        'standard_init_linux.go:211: exec user process caused "{}"',
    ],
)
def test_whatever_the_kernel_says_of_the_agent_is_a_failed_start(form: str, errno: str) -> None:
    """There are more reasons than are known here; in each the container's own process never ran."""
    complaint = complaint_in([form.format(errno)], "main")
    diagnosis = diagnose(task(ContainerSeen("main", "STOPPED", 1, complaint=complaint), reason=EXITED))
    assert (diagnosis.cause, diagnosis.start_failed) == (Cause.AGENT_NOT_EXECUTABLE, True)


def test_a_missing_copy_command_and_a_missing_agent_have_different_remedies() -> None:
    """The same words of runc mean another remedy in the init container."""
    words = f'{SHIM}exec: "cp": executable file not found in $PATH: unknown'
    of_init, of_main = diagnose(task(seen("init", None, words))), diagnose(task(seen("main", None, words)))
    assert "AgentCopyCommand" in of_init.remedy
    assert "(container init)" in of_init.summary
    assert "access point" in of_main.remedy


def test_a_successful_init_container_blames_nothing() -> None:
    """Exit code 0 of `init` is how every start goes."""
    diagnosis = diagnose(task(seen("init", 0), seen("main", 0), code="EssentialContainerExited", reason=EXITED))
    assert not diagnosis.start_failed


def test_containers_are_found_by_name() -> None:
    """ECS adds containers, in any place (ecs.md 3)."""
    guard = seen("aws-guardduty-agent-nm40lC", 1, NO_MEMORY)
    diagnosis = diagnose(task(guard, seen("main", 0), code="EssentialContainerExited", reason=EXITED))
    assert (diagnosis.cause, diagnosis.summary) == (
        Cause.UNKNOWN,
        "The container's process ended by itself, with exit code 0.",
    )
    assert NO_MEMORY in diagnosis.detail


def test_a_foreign_container_counts_when_nothing_else_explains_a_failed_start() -> None:
    """The reason stands in one container only, the others have none (ecs.md 4)."""
    guard = seen("aws-guardduty-agent-nm40lC", None, f"{RESOLVE}x: dial tcp 203.0.113.10:443: i/o timeout")
    diagnosis = diagnose(task(guard, seen(), code="TaskFailedToStart", reason="Task failed to start"))
    assert diagnosis.cause is Cause.IMAGE_PULL_FAILED
    assert "aws-guardduty-agent-nm40lC" in diagnosis.summary


def test_the_main_container_is_believed_before_a_foreign_one() -> None:
    """A sidecar that ECS added may fail for another reason."""
    guard = seen("aws-guardduty-agent-nm40lC", None, f"{SHIM}exec /guard: exec format error")
    diagnosis = diagnose(task(guard, seen(reason=f"{PULL}manifest unknown"), code="TaskFailedToStart"))
    assert diagnosis.cause is Cause.IMAGE_PULL_FAILED


def test_other_names_can_be_given() -> None:
    """The names are arguments, so that captures of any task can be diagnosed."""
    diagnosis = diagnose(task(seen("worker", 137, NO_MEMORY), seen("copy", 0)), main="worker", init="copy")
    assert diagnosis.cause is Cause.OUT_OF_MEMORY


@pytest.mark.parametrize("code", [None, "EssentialContainerExited", "SomethingNew"])
def test_a_task_without_containers_or_reasons_is_unknown(code: str | None) -> None:
    """`containers: []` and missing codes are ordinary documents."""
    diagnosis = diagnose(task(code=code, last_status="DEPROVISIONING"))
    assert diagnosis.cause is Cause.UNKNOWN
    assert not diagnosis.start_failed
    assert "no containers" in diagnosis.detail


def test_an_unknown_text_is_unknown_and_quoted() -> None:
    """A text that no row knows is quoted, and not taken for one that passes."""
    diagnosis = diagnose(task(seen(reason="A new\nreason"), code="SomethingNew", reason=EXITED))
    assert (diagnosis.cause, diagnosis.transient) == (Cause.UNKNOWN, False)
    assert diagnosis.summary.endswith(": A new reason.")
    assert "A new\nreason" in diagnosis.detail


def test_an_endless_text_is_kept_whole_and_quoted_in_part() -> None:
    """A summary is for reading; the detail loses nothing."""
    endless = "pull " * 4000
    diagnosis = diagnose(task(seen(reason=endless), code="TaskFailedToStart"))
    assert endless in diagnosis.detail
    assert len(diagnosis.summary) < len(endless)


def test_the_detail_holds_the_facts_of_every_container() -> None:
    """Stop code, reason and each container's name, exit code and reason, as ECS gave them (contract.md 6)."""
    diagnosis = diagnose(
        task(seen("main", 1), seen("side", None, "odd"), code="EssentialContainerExited", reason=EXITED)
    )
    assert diagnosis.detail == (
        "stopCode: EssentialContainerExited; stoppedReason: Essential container in task exited; "
        "container main (STOPPED): exit code 1; container side (STOPPED): exit code none, reason: odd"
    )


KNOWN_WORDS = st.sampled_from([case.text for case in ALL_TEXTS])
TEXTS = st.one_of(st.none(), st.text(max_size=200), KNOWN_WORDS)
CODES = st.one_of(
    st.none(), st.text(max_size=30), st.sampled_from(["TaskFailedToStart", "UserInitiated", "EssentialContainerExited"])
)
CONTAINERS = st.lists(
    st.builds(
        ContainerSeen,
        name=st.one_of(st.sampled_from(["main", "init"]), st.text(max_size=40)),
        last_status=st.sampled_from(["", "PENDING", "RUNNING", "STOPPED"]),
        exit_code=st.one_of(st.none(), st.integers(-(2**31), 2**32)),
        reason=TEXTS,
    ),
    max_size=5,
)


@given(code=CODES, reason=TEXTS, containers=CONTAINERS)
def test_any_document_has_a_diagnosis(code: str | None, reason: str | None, containers: list[ContainerSeen]) -> None:
    """Never raises; one line of summary, a remedy, and every word of ECS's in the detail."""
    diagnosis = diagnose(task(*containers, code=code, reason=reason))
    assert len(diagnosis.summary.splitlines()) == 1
    assert diagnosis.remedy.strip()
    assert all(words in diagnosis.detail for words in said(code, reason, containers))


@given(reason=TEXTS, containers=CONTAINERS)
def test_a_failed_start_is_blamed_whatever_else_is_said(reason: str | None, containers: list[ContainerSeen]) -> None:
    """No text can make the exit code of a task that failed to start the container's own."""
    assert diagnose(task(*containers, code="TaskFailedToStart", reason=reason)).start_failed


@given(reason=TEXTS, exit_code=st.integers(0, 255))
def test_no_reason_of_a_stop_call_turns_it_into_a_fault(reason: str | None, exit_code: int) -> None:
    """The reason of a StopTask call is free text; what ran until then ran."""
    diagnosis = diagnose(task(seen(exit_code=exit_code), code="UserInitiated", reason=reason))
    assert (diagnosis.cause, diagnosis.start_failed) == (Cause.USER_STOPPED, False)


def said(code: str | None, reason: str | None, containers: list[ContainerSeen]) -> Iterator[str]:
    yield from (words for words in (code, reason) if words)
    for one in containers:
        yield one.name
        yield one.reason or ""


FAILED_STARTS = [task(seen(), code="TaskFailedToStart", reason=case.text) for case in ALL_TEXTS]
OTHERS = [
    task(seen(), seen("init", 1)),
    task(seen(), ContainerSeen("init", "STOPPED", 1, complaint="exec /usr/bin/cp: exec format error")),
    task(seen(), seen("init", None, f'{SHIM}exec: "cp": executable file not found in $PATH')),
    task(seen(reason="new")),
    task(seen(), code="TaskFailedToStart"),
    task(seen(exit_code=0), code="TaskFailedToStart"),
    task(code="EssentialContainerExited", reason=EXITED),
    task(),
    *(
        task(
            seen(), ContainerSeen("init", "STOPPED", 1, complaint=f"exec /usr/bin/cp: {said}"), code="TaskFailedToStart"
        )
        for said in ("no such file or directory", "permission denied", "input/output error")
    ),
]
SUMMARIES = {diagnose(stopped).summary for stopped in [*FAILED_STARTS, *(end.stopped for end in ENDS), *OTHERS]}


@pytest.mark.parametrize("row", [*STOPS, *UNKNOWN_STOPS], ids=lambda row: row.summary)
def test_every_row_of_the_table_decides_some_case(row: Row) -> None:
    """No row is hidden behind a more general one above it, and none was invented without a text."""
    start = row.summary.partition("{")[0]
    assert any(summary.startswith(start) for summary in SUMMARIES)
