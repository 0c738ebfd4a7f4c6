"""Containers whose end only their output explains: when it is read, what is believed, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.control.perform import OUTPUT_LINES, OUTPUT_PATIENCE, OUTPUT_PAUSE
from core.control.settle import settle
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.machine.runtime_complaint import LONGEST, complaint_in
from core.machine.schedule import OUTPUT_CHECK, OUTPUT_DEADLINE
from core.model.actions import EraseToken, ReadOutput
from core.model.errors import CallFailed, ReachError, RunStopped
from core.model.facts import ContainerSeen, Fact, OutputRead, StopRequested, TaskGone, TaskObserved
from core.model.failure import Cause, ErrorCode
from core.model.parts import Instant, Stop
from core.model.record import Record
from core.model.state import State
from core.ports import RevisionConflict
from core.probe.view import Target, probe_view
from core.storage.item import to_item
from tests.factories import (
    ADDRESS,
    CONTAINER_ID,
    POLICY,
    REF,
    TASK,
    answered,
    at,
    exited,
    main_container,
    observed,
    passed,
    pending,
    silent,
)
from tests.fakes import MemoryOutput, MemoryStore, SettableClock
from tests.records import exited as exited_record
from tests.records import failed, healthy, resolved, running
from tests.world import World

AGENT = "/sockerless-agent/sockerless-agent"
REFUSED = f"exec {AGENT}: exec format error"
SECRET = "password=hunter2"
EXITED = "Essential container in task exited"
NEVER_STARTED = (
    "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [init] "
    "(STOPPED->RUNNING) - Exit: 1 for target [main] (NONE->RUNNING) as dependency did not exit successfully."
)


def init_failed(exit_code: int = 1, version: int = 3) -> TaskObserved:
    """A snapshot of a task whose init container failed, so that `main` was never started."""
    main = main_container(last_status="STOPPED", reason=NEVER_STARTED)
    return exited(
        version,
        containers=(ContainerSeen("init", "STOPPED", exit_code), main),
        stop_code="TaskFailedToStart",
        stopped_reason="Task failed to start",
        started_at=None,
    )


# ---------------------------------------------------------------------------- what is believed

RUNC_SAYS = [
    # runc 1.1 and later
    REFUSED,
    "exec /sockerless-agent: exec format error",
    f"exec {AGENT}: no such file or directory",
    f"exec {AGENT}: permission denied",
    f"exec {AGENT}: input/output error",
    # before: aws-otel-collector 784, photoview 88
    "standard_init_linux.go:228: exec user process caused: exec format error",
    'standard_init_linux.go:211: exec user process caused "exec format error"',
]


@pytest.mark.parametrize("line", RUNC_SAYS)
@pytest.mark.parametrize("around", ["{}", "  {}\r", "{}\n"])
def test_the_runtimes_complaint_is_recognised(line: str, around: str) -> None:
    """Word for word, whatever white space the log driver left about it."""
    assert complaint_in([around.format(line)], "main") == line


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["", "  "],
        ["Traceback (most recent call last):"],
        # A program's own trouble with another program, which it may report in the same words.
        ["exec /usr/local/bin/tool: exec format error"],
        [f"sh: 1: {REFUSED}"],
        [f"{REFUSED}!"],
        [f"{REFUSED}: trying another one"],
        ["fork/exec /app: exec format error"],
        [f"exec {AGENT}: "],
        [f"exec {AGENT}: 5"],
        ["standard_init_linux.go:228: exec user process caused: exec format error, says the manual"],
        # Something was printed before or after: then something ran.
        ["starting", REFUSED],
        ["\r", REFUSED],
        [REFUSED, REFUSED],
        [f"starting\n{REFUSED}"],
    ],
)
def test_what_a_program_printed_is_not_a_complaint(lines: list[str]) -> None:
    """A line that is not runc's, not about the agent, or not alone is the user's business."""
    assert complaint_in(lines, "main") is None


def test_in_the_init_container_any_program_may_be_refused() -> None:
    """The agent image and what runs in it are the operator's, whatever the copy command is called."""
    line = "exec /usr/bin/cp: exec format error"
    assert complaint_in([line], "init") == line
    assert complaint_in([line], "main") is None
    assert complaint_in(["cp: cannot stat '/sockerless-agent': No such file or directory"], "init") is None


def test_a_complaint_is_as_short_as_ecss_own_reasons() -> None:
    """It goes into the item."""
    assert complaint_in([f"exec /{'x' * LONGEST}: exec format error"], "init") is None


# ---------------------------------------------------------------------------- when it is read

READING = replace(POLICY, reads_output=True)


def asked_of(record: Record, task: TaskObserved) -> str | None:
    """The container whose output is pending to be read after this snapshot."""
    applied = apply(record, task, READING)
    if isinstance(applied, Stale):
        return None
    return next((one.container for one in next_actions(applied, READING) if isinstance(one, ReadOutput)), None)


@pytest.mark.parametrize("record", [pending(), running(), resolved()], ids=lambda record: record.state)
@pytest.mark.parametrize("exit_code", [1, 255])
@pytest.mark.parametrize("stop_code", [None, "EssentialContainerExited", "TaskFailedToStart"])
def test_an_exit_before_the_agent_answered_is_worth_reading_for(
    record: Record, exit_code: int, stop_code: str | None
) -> None:
    """With the codes that runc exits with: 1, and 255 from runc 1.2 on."""
    assert asked_of(record, exited(9, exit_code=exit_code, stop_code=stop_code)) == "main"


def test_an_exit_is_worth_reading_for_before_its_task_ends() -> None:
    """Containers run ahead of the task, which is still shown RUNNING."""
    main = main_container(last_status="STOPPED", exit_code=1)
    assert asked_of(resolved(), observed(9, containers=(main,))) == "main"


@pytest.mark.parametrize("exit_code", [1, 255])
def test_a_failed_init_container_is_worth_reading_for(exit_code: int) -> None:
    """`main` has no exit code then; the output that may explain it is the init container's."""
    assert asked_of(pending(), init_failed(exit_code)) == "init"


COSTS_NOTHING: dict[str, tuple[Record, TaskObserved]] = {
    "it runs": (resolved(), observed(9)),
    "success": (resolved(), exited(9, exit_code=0)),
    "killed": (resolved(), exited(9, exit_code=137)),
    "another code": (resolved(), exited(9, exit_code=2)),
    "the agent had answered": (healthy(), exited(9, exit_code=1)),
    "the backend requested the stop": (resolved(stop=Stop(requested=True)), exited(9, exit_code=1)),
    "a user called StopTask": (resolved(), exited(9, exit_code=1, stop_code="UserInitiated")),
    "Spot took it": (resolved(), exited(9, exit_code=1, stop_code="SpotInterruption")),
    "no exit code": (resolved(), exited(9, exit_code=None)),
    "no containers": (resolved(), exited(9, containers=())),
    "the init container succeeded": (
        pending(),
        exited(9, exit_code=None, containers=(ContainerSeen("init", "STOPPED", 0), main_container())),
    ),
    "it failed already": (failed(), exited(9, exit_code=1)),
    "it stopped already": (exited_record(1), exited(9, exit_code=1)),
    "an older version": (resolved(task_version=10), exited(9, exit_code=1)),
    "another task": (resolved(), exited(9, exit_code=1, task_arn=TASK + "0")),
    "another generation": (resolved(), exited(9, exit_code=1, generation=2)),
    "the init container ended, the task goes on": (
        pending(),
        observed(9, "PENDING", containers=(ContainerSeen("init", "STOPPED", 1),)),
    ),
    "a sidecar of ECS's own": (
        resolved(),
        exited(9, containers=(ContainerSeen("aws-guardduty-agent", "STOPPED", 1), main_container())),
    ),
}


@pytest.mark.parametrize("case", COSTS_NOTHING.values(), ids=COSTS_NOTHING.keys())
def test_every_other_fact_costs_nothing(case: tuple[Record, TaskObserved]) -> None:
    """A plain life, an end that is explained, and a fact that ends nothing: no log is read."""
    record, task = case
    assert asked_of(record, task) is None


# ---------------------------------------------------------------------------- what becomes of them


class Printed(World):
    """A container with what it printed."""

    output: MemoryOutput

    def __init__(self, record: Record, *lines: str, container: str = "main", store: MemoryStore | None = None) -> None:
        super().__init__(
            policy=READING,
            store=store or MemoryStore(record),
            output=MemoryOutput({(TASK, container): list(lines)}),
            clock=Late(self),
        )
        self.late: list[str] = []
        """What is printed after the first read, one line for each pause."""


class Late(SettableClock):
    """While it sleeps, a line is printed."""

    def __init__(self, world: Printed) -> None:
        super().__init__(at(0))
        self.world = world

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.world.late:
            self.world.output.streams[TASK, "main"].append(self.world.late.pop(0))


@pytest.mark.parametrize("record", [pending(), running(), resolved()], ids=lambda record: record.state)
@pytest.mark.parametrize("line", ["exec {}: exec format error", RUNC_SAYS[-2]])
def test_an_agent_of_another_architecture_failed_to_start(record: Record, line: str) -> None:
    """Its container has an exit code, but the container's own process never ran: `failed`, with cause and remedy."""
    said = line.format(AGENT)
    world = Printed(record, said)

    world.settle(exited(9, exit_code=1))

    ended = world.record()
    assert ended.state is State.FAILED
    assert ended.error is not None
    assert (ended.error.code, ended.error.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.AGENT_WRONG_ARCHITECTURE)
    assert ended.error.message.startswith("The agent binary is for another CPU architecture than the task.")
    assert f"exit code 1, output: {said}" in ended.error.message
    assert EXITED in ended.error.message
    assert "runtimePlatform" in ended.error.remedy
    assert not ended.error.transient
    assert (ended.agent_address, ended.agent_token) == (None, None)
    assert world.output.calls == [(TASK, "main")]


def test_an_agent_without_its_loader_failed_to_start() -> None:
    """The kernel says that a file is missing, of a program that is there."""
    world = Printed(resolved(), f"exec {AGENT}: no such file or directory")

    error = world.settle(exited(9, exit_code=1)).record

    assert error.error is not None
    assert error.error.cause is Cause.AGENT_NOT_EXECUTABLE
    assert "loader" in error.error.message
    assert "CGO_ENABLED=0" in error.error.remedy


def test_an_agent_image_of_another_architecture_failed_to_start() -> None:
    """The copy command could not be executed: the whole image is for another architecture."""
    world = Printed(pending(), "exec /usr/bin/cp: exec format error", container="init")

    world.settle(init_failed())

    error = world.record().error
    assert error is not None
    assert (error.code, error.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.AGENT_WRONG_ARCHITECTURE)
    assert error.message.startswith("The agent image is for another CPU architecture than the task (container init).")
    assert "AgentImage" in error.remedy
    assert world.output.calls == [(TASK, "init")]


@pytest.mark.parametrize("lines", [(), ("cp: cannot stat '/sockerless-agent'",)], ids=["silent", "cp complains"])
def test_a_copy_that_fails_leaves_no_agent(lines: tuple[str, ...]) -> None:
    """Any other failure of the init container: the agent is missing, whatever words ECS has for `main`."""
    world = Printed(pending(), *lines, container="init")

    world.settle(init_failed())

    record = world.record()
    assert record.error is not None
    assert (record.state, record.error.cause) == (State.FAILED, Cause.AGENT_BINARY_MISSING)
    assert "AgentImage" in record.error.remedy
    assert "AgentCopyCommand" in record.error.remedy
    assert "cannot stat" not in str(to_item(record))


@pytest.mark.parametrize(
    "lines",
    [(), ("exec /opt/tool: exec format error",), (SECRET,), (SECRET, REFUSED), (SECRET, "one", REFUSED)],
    ids=["nothing", "about another program", "something", "not alone", "more than is read"],
)
def test_a_job_that_failed_is_the_users_business(lines: tuple[str, ...]) -> None:
    """`stopped` with its exit code, and nothing of its log in the item."""
    world = Printed(resolved(), *lines)

    world.settle(exited(9, exit_code=1))

    record = world.record()
    assert (record.state, record.error) == (State.STOPPED, None)
    assert record.stop is not None
    assert record.stop.exit_code == 1
    item = str(to_item(record))
    assert not any(line in item for line in lines)


def test_a_line_that_is_late_is_waited_for() -> None:
    """CloudWatch Logs may show it some seconds after the event."""
    world = Printed(resolved())
    world.late = [REFUSED]

    world.settle(exited(9, exit_code=1))

    assert (world.record().state, world.clock.slept, world.observer.unread) == (State.FAILED, [OUTPUT_PAUSE], [])


def test_nobody_waits_for_long() -> None:
    """A job may fail without a word; its end is recorded after seconds, and the missing output is reported."""
    world = Printed(resolved())

    world.settle(exited(9, exit_code=1))

    assert world.record().state is State.STOPPED
    assert sum(world.clock.slept) == OUTPUT_PATIENCE
    assert world.observer.unread == [(CONTAINER_ID, None)]


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidParameterException", "ThrottlingException"])
def test_a_log_that_cannot_be_read_keeps_nobody_from_the_end(code: str) -> None:
    """The end is recorded at once, by ECS's words; the trouble is reported once, with AWS's code."""
    world = Printed(resolved(), REFUSED)
    world.output.refusals = [CallFailed("GetLogEvents", code, "no")]

    world.settle(exited(9, exit_code=1))
    world.settle(exited(9, exit_code=1))
    world.settle(exited(10, "STOPPED", exit_code=1))

    record = world.record()
    assert record.state is State.STOPPED
    assert world.observer.unread == [(CONTAINER_ID, code)]
    assert len(world.output.calls) == 1


def test_a_spent_budget_leaves_the_end_to_the_next_run() -> None:
    """No call was made, so nothing is concluded: whether the container ran stays open, and the read pending."""
    world = Printed(resolved(), REFUSED)
    spent: list[ReachError] = [RunStopped("limit")]
    world.output.refusals = spent

    with pytest.raises(RunStopped):
        world.settle(exited(9, exit_code=1))
    assert (world.record().state, world.observer.unread) == (State.ENI_RESOLVED, [])
    assert world.record().check_at == at(9 + OUTPUT_CHECK)

    world.clock.advance(9 + OUTPUT_CHECK)
    assert world.settle(passed(9 + OUTPUT_CHECK)).record == world.record()
    assert world.record().state is State.FAILED


def test_a_life_without_such_an_end_reads_nothing() -> None:
    """However it ends."""
    world = Printed(pending(), REFUSED)

    for fact in (observed(3), answered(), passed(), exited(9, exit_code=1), exited(10, "STOPPED", exit_code=1)):
        world.settle(fact)

    assert (world.record().state, world.output.calls) == (State.STOPPED, [])


def test_a_redelivered_event_reads_nothing_again() -> None:
    """The record has ended; a later event leaves the cause."""
    world = Printed(resolved(), REFUSED)
    world.settle(exited(9, exit_code=1))
    error = world.record().error

    world.settle(exited(9, exit_code=1))
    world.settle(exited(10, "STOPPED", exit_code=1))

    assert world.record().error == error
    assert len(world.output.calls) == 1


class Contended(MemoryStore):
    """Another writer gets in before each of the first saves."""

    def __init__(self, record: Record, writers: int) -> None:
        super().__init__(record)
        self.writers = writers

    def save(self, record: Record) -> None:
        if self.writers:
            self.writers -= 1
            current = self.load(record.container_id)
            assert current is not None
            changed = replace(current, revision=current.revision + 1)
            self.put_item(to_item(changed))
            raise RevisionConflict(record.container_id, changed)
        super().save(record)


def test_what_was_read_once_is_known_in_every_attempt() -> None:
    """Writers that meet fold again; the log says the same."""
    world = Printed(resolved(), REFUSED, store=Contended(resolved(), 3))

    settled = world.settle(exited(9, exit_code=1))

    assert (settled.conflicts, world.record().state) == (3, State.FAILED)
    assert len(world.output.calls) == 1


def test_no_more_is_read_than_shows_whether_a_line_is_alone() -> None:
    """Logs are users' own: two lines are enough."""
    assert OUTPUT_LINES == 2


# ---------------------------------------------------------------------------- until it is read


@pytest.mark.parametrize("record", [pending(), running(), resolved()], ids=lambda record: record.state)
def test_until_its_output_is_read_the_state_is_open_and_nothing_reaches_for_the_container(record: Record) -> None:
    """An ended record never changes its state: so it is not `stopped` first and then `failed`."""
    world = Printed(record, REFUSED)

    world.write(exited(9, exit_code=1))

    held = world.record()
    assert (held.state, held.stopping, held.error) == (record.state, True, None)
    assert (held.agent_address, held.early_address, held.agent_token) == (None, None, None)
    assert held.stop is not None
    assert (held.stop.exit_code, held.expires_at) == (1, None)
    assert probe_view(held, Target(REF, ADDRESS)).over is not None
    assert [type(action) for action in next_actions(held, READING)] == [ReadOutput]
    assert world.output.calls == []

    world.settle(exited(9, exit_code=1))
    assert (world.record().state, world.record().expires_at is None) == (State.FAILED, False)


def test_a_container_that_exits_before_its_task_ends_is_on_its_way_out() -> None:
    """Also where ECS still shows the task as RUNNING and wanted."""
    world = Printed(resolved())
    main = main_container(last_status="STOPPED", exit_code=1)

    world.write(observed(9, containers=(main,)))

    assert world.record().timings[Instant.STOPPING] == at(9)


def test_its_secret_is_deleted_at_once() -> None:
    """The token is of no use any more, whatever the output says."""
    world = Printed(resolved(token_parameter="/sockerless/a/1/token"))

    world.write(exited(9, exit_code=1))

    actions = {type(action) for action in next_actions(world.record(), READING)}
    assert actions == {EraseToken, ReadOutput}


LATER: dict[str, Fact] = {
    "the agent answered": answered(10),
    "the agent was silent": silent(99),
    "the task is forgotten": TaskGone(ref=REF, at=at(999), task_arn=TASK),
    "the same end again": exited(9, exit_code=1),
}


@pytest.mark.parametrize("fact", LATER.values(), ids=LATER.keys())
def test_no_other_fact_decides_it(fact: Fact) -> None:
    """The end is known, and what is not known is in the output."""
    held = apply(resolved(), exited(9, exit_code=1), READING)
    assert isinstance(held, Record)
    assert isinstance(apply(held, fact, READING), Stale)


@pytest.mark.parametrize("facts", [[StopRequested(ref=REF, at=at(10), reason="enough")], [exited(10, "STOPPED", 1)]])
def test_it_learns_meanwhile(facts: list[Fact]) -> None:
    """What comes in between is kept; the output decides all the same."""
    world = Printed(resolved(), REFUSED)
    world.write(exited(9, exit_code=1), *facts)
    assert world.record().state is State.ENI_RESOLVED

    world.settle(passed(9 + OUTPUT_CHECK))

    record = world.record()
    assert (record.state, record.error and record.error.cause) == (State.FAILED, Cause.AGENT_WRONG_ARCHITECTURE)
    assert (record.stop_requested, Instant.STOPPED in record.timings) == (
        isinstance(facts[0], StopRequested),
        isinstance(facts[0], TaskObserved),
    )


@pytest.mark.parametrize(("record", "end"), [(resolved(), State.STOPPED), (pending(), State.FAILED)])
def test_an_output_that_no_function_reads_is_not_waited_for_for_ever(record: Record, end: State) -> None:
    """After some minutes the end is what ECS's words say: of a container that exited, and of an init that failed."""
    world = Printed(record, REFUSED)
    world.write(exited(9, exit_code=1) if end is State.STOPPED else init_failed(version=9))
    seconds = 9.0
    while not world.record().state.ended:
        assert seconds <= 9 + OUTPUT_DEADLINE + OUTPUT_CHECK
        assert world.record().check_at == at(seconds + OUTPUT_CHECK)
        seconds += OUTPUT_CHECK
        world.write(passed(seconds))

    assert (world.record().state, seconds) == (end, 9 + OUTPUT_DEADLINE)
    assert (world.record().watch, world.record().unexplained) == (None, None)


def test_an_output_that_is_read_twice_changes_nothing() -> None:
    """Two functions may read at once: the second one finds the end explained."""
    read = OutputRead(ref=REF, at=at(20), complaint=None)
    assert apply(resolved(), read, READING) == Stale("no end is to be explained")


def test_no_launch_follows_an_end_without_its_token() -> None:
    """The token was withdrawn with the first snapshot, so another task would have none."""
    world = Printed(pending(), "exec /usr/bin/cp: input/output error", container="init")
    world.settle(init_failed())
    assert (world.record().state, world.record().launches) == (State.FAILED, ())


def test_a_log_group_that_is_gone_meanwhile_says_nothing() -> None:
    """The stack was updated without it: the end is what ECS's words say."""
    world = Printed(resolved(), REFUSED)
    world.write(exited(9, exit_code=1))
    settle(world.having(output=None), world.record(), passed(9 + OUTPUT_CHECK))
    assert world.record().state is State.STOPPED
