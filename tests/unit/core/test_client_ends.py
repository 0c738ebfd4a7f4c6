"""The backend's wait for an end: that of the start which was current when the wait began, or an error."""

from __future__ import annotations

import traceback
from dataclasses import replace

import pytest

from core.model.errors import (
    ContainerFailed,
    ContainerNotFound,
    ContainerRestarted,
    ReachError,
    UnreadableRecord,
    WaitTimeout,
)
from core.model.parts import UnexplainedEnd
from core.model.record import Record
from core.model.state import State
from tests.factories import CONTAINER_ID, START, TOKEN, at, pending
from tests.records import exited, failed, healthy, resolved, running
from tests.unit.core.test_client import Life

AGAIN = pending(generation=2, revision=9, created_at=at(50))


@pytest.mark.parametrize("code", [0, 7])
def test_the_wait_ends_with_the_exit_code(code: int) -> None:
    """Through every state to the end, which is found within a second of its write; with ECS's reason."""
    life = Life((0, pending()), (28, running()), (28.5, resolved()), (30, healthy()), (200, exited(code)))
    end = life.client.wait_until_ended(CONTAINER_ID, timeout=3600)
    assert (end.exit_code, end.reason, end.record) == (code, "Essential container in task exited", exited(code))
    assert 200 <= life.elapsed <= 201


def test_an_end_that_is_recorded_is_returned_at_once() -> None:
    """One read; an item without `stop` says that much and no more."""
    life = Life((0, exited(stop=None)))
    end = life.client.wait_until_ended(CONTAINER_ID, timeout=0)
    assert (end.exit_code, end.reason, life.reads, life.pauses) == (None, None, [True], [])


def test_a_long_wait_costs_what_the_docstring_says() -> None:
    """A read a second; once the state has lasted ten minutes, one in five seconds: 720 an hour, half an RRU each."""
    life = Life((0, healthy()), (599, healthy(revision=5)), (4200, exited(revision=6)))
    life.client.wait_until_ended(CONTAINER_ID, timeout=5000)
    assert life.pauses == [1.0] * 600 + [5.0] * 720
    assert life.reads == [True, *[False] * (600 + 720), True]


def test_a_failure_is_raised_with_its_reason() -> None:
    """A container that never ran has no exit code: the item's error says why."""
    life = Life((0, pending()), (65, failed()))
    with pytest.raises(ContainerFailed) as caught:
        life.client.wait_until_ended(CONTAINER_ID, timeout=90)
    assert caught.value.failure == failed().error


def test_an_end_that_is_not_explained_yet_is_awaited() -> None:
    """Address and token are gone, and only the output decides between `stopped` and `failed`."""
    unexplained = resolved(agent_address=None, agent_token=None, unexplained=UnexplainedEnd(at(40), "main"))
    life = Life((0, unexplained), (3, exited(1)))
    assert life.client.wait_until_ended(CONTAINER_ID, timeout=90).exit_code == 1


@pytest.mark.parametrize(
    "later",
    [AGAIN, healthy(generation=2), exited(5, generation=2), failed(generation=3), pending(created_at=at(50))],
    ids=["pending", "healthy", "exited", "failed", "deleted and started"],
)
def test_the_end_of_another_start_is_never_reported(later: Record) -> None:
    """The container was started again between two reads: how the first start ended is not in the item any more."""
    life = Life((0, healthy()), (40.5, exited(3)), (40.9, later))
    with pytest.raises(ContainerRestarted, match="before the end of generation 1 was read") as caught:
        life.client.wait_until_ended(CONTAINER_ID, timeout=90)
    assert (caught.value.container_id, caught.value.generation) == (CONTAINER_ID, 1)


def test_the_start_that_is_current_at_the_call_counts() -> None:
    """An earlier generation has ended; the wait is for the second."""
    life = Life((0, exited(3)), (1, AGAIN), (60, exited(0, generation=2, created_at=at(50))))
    assert life.client.wait_until_ended(CONTAINER_ID, timeout=0).exit_code == 3
    life.clock.sleep(1)
    assert life.client.wait_until_ended(CONTAINER_ID, timeout=90).exit_code == 0


@pytest.mark.parametrize(
    ("record", "hint"), [(pending(), "ECS has not reported"), (healthy(), "its end is not recorded")]
)
def test_a_timeout_says_where_it_hangs(record: Record, hint: str) -> None:
    """The container goes on; the last read is at the time-out."""
    life = Life((0, record))
    with pytest.raises(WaitTimeout, match=f"still {record.state} after 10.5 s. .*{hint}"):
        life.client.wait_until_ended(CONTAINER_ID, timeout=10.5)
    assert life.elapsed == pytest.approx(10.5)
    life = Life((0, record), (10.5, exited(4)))
    assert life.client.wait_until_ended(CONTAINER_ID, timeout=10.5).exit_code == 4


def test_an_item_that_is_not_there_is_not_waited_for() -> None:
    """Never recorded, or past its time to live during the wait."""
    with pytest.raises(ContainerNotFound, match=CONTAINER_ID):
        Life().client.wait_until_ended(CONTAINER_ID, timeout=60)
    gone = exited(expires_at=int(START.timestamp()) + 5)
    life = Life((0, healthy()), (6, gone))
    with pytest.raises(ContainerNotFound, match=CONTAINER_ID):
        life.client.wait_until_ended(CONTAINER_ID, timeout=60)
    assert life.elapsed == 6


@pytest.mark.parametrize("record", [pending(), healthy(), failed(), failed(error=None), AGAIN])
def test_the_token_is_in_no_error(record: Record) -> None:
    """Whatever a wait raises can be logged."""
    life = Life((0, replace(pending(), agent_token=TOKEN)), (1, replace(record, agent_token=TOKEN)))
    with pytest.raises(ReachError) as caught:
        life.client.wait_until_ended(CONTAINER_ID, timeout=2)
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert isinstance(caught.value, UnreadableRecord) is (record.state is State.FAILED and record.error is None)
