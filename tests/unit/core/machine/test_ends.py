"""What the record says of a container's end: when it was, and whether memory was the reason. With ECS's events."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from core.client import ReachClient
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.task_documents import observe_event
from core.model.facts import Fact, StopAccepted, TaskObserved
from core.model.failure import Cause, ErrorCode
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State
from core.storage.item import from_item, to_item
from tests.factories import CONTAINER_ID, POLICY, REF, TASK, at, event, passed, pending, silent
from tests.fakes import MemoryStore, SettableClock

OOM = "OutOfMemoryError: Container killed due to memory usage"
EXITED = "Essential container in task exited"
GUARD = "aws-guardduty-agent-nm40lC"


def after(*facts: Fact, record: Record | None = None) -> Record:
    """The record after these facts, from `pending` on, as it is read from the table. Stale ones change nothing."""
    record = record or pending()
    for fact in facts:
        folded = apply(record, fact, POLICY)
        record = record if isinstance(folded, Stale) else folded
    return from_item(to_item(record))


def inspected(record: Record) -> dict[str, Any]:
    """What `inspect` shows of it."""
    client = ReachClient(MemoryStore(record), SettableClock(at(60)))
    return client.inspect(CONTAINER_ID)


def shown(name: str = "task-stopped", /, **members: Any) -> TaskObserved:
    """A file of `events/` with these members of its detail changed, None for those that are absent."""
    document = copy.deepcopy(event(name))
    detail = document["detail"] | members
    document["detail"] = {key: value for key, value in detail.items() if value is not None}
    fact = observe_event(document, prefix="sockerless", at=at(6000))
    assert isinstance(fact, TaskObserved)
    return fact


def container(name: str = "main", exit_code: int | None = 0, reason: str | None = None) -> dict[str, Any]:
    """A container that has ended, without the members that do not matter here."""
    return {"name": name, "lastStatus": "STOPPED", "exitCode": exit_code, "reason": reason}


EXIT = "2026-11-23T10:10:00.000Z"
NOTICED: dict[str, Any] = {
    "version": 4,
    "lastStatus": "DEPROVISIONING",
    "stoppingAt": "2026-11-23T10:10:10Z",
    "stoppedAt": None,
}
STOPPED: dict[str, Any] = {"version": 5, "stoppingAt": "2026-11-23T10:10:10Z", "stoppedAt": "2026-11-23T10:50:00Z"}


# --- when ---------------------------------------------------------------------------------------------------------


def test_the_end_of_the_container_is_known_forty_minutes_before_that_of_the_task() -> None:
    """Fargate may show STOPPED long after the container's end: `finished_at` is right from the first event on."""
    noticed = after(shown("task-running"), shown(**NOTICED, executionStoppedAt=EXIT))
    stopped = after(shown(**STOPPED, executionStoppedAt=EXIT), record=noticed)

    assert (noticed.state, inspected(noticed)["finished_at"]) == (State.STOPPED, EXIT)
    assert inspected(stopped)["finished_at"] == EXIT
    assert inspected(stopped)["timings"]["execution_stopped"] == EXIT
    assert inspected(stopped)["timings"]["stopped"] == "2026-11-23T10:50:00.000Z"


@pytest.mark.parametrize("order", [*permutations(("running", "noticed", "stopped"))], ids="-".join)
@pytest.mark.parametrize("dated", [EXIT, None], ids=["dated", "not-dated"])
def test_the_end_does_not_depend_on_the_order_of_events(order: tuple[str, ...], dated: str | None) -> None:
    """`finished_at` is the same, whichever event came first."""
    facts = {
        "running": shown("task-running"),
        "noticed": shown(**NOTICED, executionStoppedAt=dated),
        "stopped": shown(**STOPPED, executionStoppedAt=dated),
    }
    ended = inspected(after(*(facts[name] for name in order)))

    assert ended["finished_at"] == (dated or "2026-11-23T10:10:10.000Z")


def test_an_end_that_ecs_does_not_date_never_jumps_to_the_tasks() -> None:
    """Without `executionStoppedAt` an ended container finished when its task began to stop, and that stays so."""
    noticed = after(shown(**NOTICED, executionStoppedAt=None))
    stopped = after(shown(**STOPPED, executionStoppedAt=None), record=noticed)

    assert inspected(noticed)["finished_at"] == inspected(stopped)["finished_at"] == "2026-11-23T10:10:10.000Z"


def test_a_killed_container_whose_end_is_not_dated() -> None:
    """STOPPED is the only event, without a stop code and without `executionStoppedAt`."""
    ended = after(
        shown(
            stopCode=None,
            stoppedReason=None,
            executionStoppedAt=None,
            stoppingAt="2026-11-23T10:01:00Z",
            stoppedAt="2026-11-23T10:01:20Z",
            containers=[container(exit_code=137)],
        )
    )

    assert (ended.state, inspected(ended)["exit_code"]) == (State.STOPPED, 137)
    assert inspected(ended)["finished_at"] == "2026-11-23T10:01:00.000Z"
    assert (inspected(ended)["oom_killed"], inspected(ended)["stop_cause"]) == (False, None)


def test_a_container_that_runs_has_not_finished() -> None:
    """A stopping task may run for two minutes; the container of an unreachable agent runs on."""
    leaving = after(shown("task-running"), shown("task-spot-interruption"))
    accepted = StopAccepted(ref=REF, at=at(99), task_arn=TASK)
    unreached = after(shown("task-running"), silent(6090), passed(6090), accepted)

    assert Instant.STOPPING in leaving.timings
    assert Instant.STOPPING in unreached.timings
    assert unreached.error is not None
    assert unreached.error.code is ErrorCode.AGENT_UNREACHABLE
    assert inspected(leaving)["finished_at"] is inspected(unreached)["finished_at"] is None


def test_a_container_that_never_ran_finished_with_its_task() -> None:
    """The container has no end of its own, so it has the task's."""
    failed = shown(
        "task-failed-image-pull",
        executionStoppedAt=None,
        lastStatus="STOPPED",
        stoppedAt="2026-11-23T10:01:20Z",
    )

    assert inspected(after(failed))["finished_at"] == "2026-11-23T10:01:20.000Z"


def test_an_exit_is_dated_while_the_task_still_runs() -> None:
    """ECS dates the end of the containers before it ends the task."""
    ended = after(shown("task-container-exited-while-running"))

    assert ended.timings[Instant.EXECUTION_STOPPED] == datetime(2026, 11, 23, 10, 5, 10, 402000, tzinfo=UTC)
    assert inspected(ended)["finished_at"] == "2026-11-23T10:05:10.402Z"


# --- why ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exit_code", [137, 1])
@pytest.mark.parametrize("reason", [OOM, "OutOfMemoryError: container killed due to memory usage", OOM.upper()])
def test_a_kill_for_memory_is_told(reason: str, exit_code: int) -> None:
    """Docker's OOMKilled, and the cause, of a container that ran and ended; its reason stands beside the task's.

    Another exit code is possible: the kernel kills a child, and the main process ends for it.
    """
    ended = after(shown("task-running"), shown(containers=[container(exit_code=exit_code, reason=reason)]))
    item = to_item(ended)["stop"]

    assert (ended.state, ended.error) == (State.STOPPED, None)
    assert (item["oom_killed"], item["cause"], item["exit_code"]) == (True, "out-of-memory", exit_code)
    assert item["reason"] == f"{EXITED}; {reason}"
    assert (inspected(ended)["oom_killed"], inspected(ended)["stop_cause"]) == (True, "out-of-memory")


def test_a_kill_for_memory_is_learnt_after_the_end_and_never_forgotten() -> None:
    """The reason may come with a later event than the exit, and be missing again from the next."""
    killed = {"containers": [container(exit_code=137)]}
    first = after(shown(**NOTICED, **killed))
    explained = after(shown(**STOPPED, containers=[container(exit_code=137, reason=OOM)]), record=first)
    later = after(shown(**{**STOPPED, "version": 6}, **killed), record=explained)

    assert [inspected(record)["oom_killed"] for record in (first, explained, later)] == [False, True, True]
    assert to_item(later)["stop"]["cause"] == "out-of-memory"


@pytest.mark.parametrize(
    ("says", "members"),
    [
        ("another container", {"containers": [container(exit_code=143), container(GUARD, 137, OOM)]}),
        (
            "another container, and the task with it",
            {"stoppedReason": OOM, "containers": [container(exit_code=137), container(GUARD, 137, OOM)]},
        ),
        ("the task, main exited by itself", {"stoppedReason": OOM, "containers": [container(exit_code=0)]}),
        (
            "the caller of StopTask",
            {"stopCode": "UserInitiated", "stoppedReason": OOM, "containers": [container(exit_code=137)]},
        ),
        (
            "the name of an image",
            {"containers": [container(exit_code=137, reason="Error: registry/outofmemoryerror:1 was stopped")]},
        ),
        ("no reason", {"containers": [container(exit_code=137)]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_kill_for_memory(says: str, members: dict[str, Any]) -> None:
    """137 alone is any SIGKILL; another container's kill is not main's; names and callers' texts may hold any word."""
    ended = after(shown(**members))

    assert ended.state is State.STOPPED
    assert inspected(ended)["oom_killed"] is False
    assert "oom_killed" not in to_item(ended)["stop"]


def test_the_tasks_own_reason_is_about_main() -> None:
    """Where no container has a reason, and a kill ended main."""
    ended = after(shown(stoppedReason=OOM, containers=[container(GUARD, 0), container(exit_code=137)]))

    assert inspected(ended)["oom_killed"] is True


def test_a_task_without_main_was_not_killed_for_its_memory() -> None:
    """A document without containers: the start failed, and its error has the cause that is known."""
    failed = after(shown(stoppedReason=OOM, containers=[]))

    assert failed.state is State.FAILED
    assert inspected(failed)["oom_killed"] is False


def test_a_container_that_failed_for_its_memory_has_the_cause_in_its_error() -> None:
    """Killed without an exit code: `failed`, and the error has the cause; `stop` has only Docker's OOMKilled."""
    failed = after(shown(containers=[container(exit_code=None, reason=OOM)]))

    assert failed.error is not None
    assert (failed.state, failed.error.cause) == (State.FAILED, Cause.OUT_OF_MEMORY)
    assert inspected(failed)["oom_killed"] is True
    assert "cause" not in to_item(failed)["stop"]


@pytest.mark.parametrize(
    ("members", "cause"),
    [
        ({"stopCode": "UserInitiated", "stoppedReason": "enough"}, Cause.USER_STOPPED),
        ({"stopCode": "SpotInterruption", "stoppedReason": "Your Spot Task was interrupted."}, Cause.SPOT_INTERRUPTION),
        ({}, None),
    ],
)
def test_the_cause_of_an_end_is_in_the_item(members: dict[str, Any], cause: Cause | None) -> None:
    """The cause is in `stop`; an exit that needs no explanation has none."""
    ended = after(shown(**members))

    assert (ended.state, ended.error) == (State.STOPPED, None)
    assert ended.stop is not None
    assert ended.stop.cause is cause


def test_a_sidecar_that_could_not_be_pulled_is_not_the_containers_fault() -> None:
    """Main ran and ended with 0: that is the end, whatever became of a container that ECS added."""
    ended = after(shown(containers=[container(), container(GUARD, None, "CannotPullContainerError")]))

    assert (ended.state, ended.error, inspected(ended)["exit_code"]) == (State.STOPPED, None, 0)
    assert to_item(ended)["stop"] == {"code": "EssentialContainerExited", "reason": EXITED, "exit_code": 0}
