"""The backend's side: a wait ends with the agent or with the reason, and costs few reads."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest

from core.client import Loaded, ReachClient
from core.model.capacity import Capacity
from core.model.errors import (
    ContainerExited,
    ContainerFailed,
    ContainerNotFound,
    ReachError,
    UnreadableRecord,
    WaitTimeout,
)
from core.model.failure import Cause
from core.model.parts import Instant, Logs, Probe, Stop
from core.model.record import Record
from core.model.state import State
from core.storage.item import to_item
from tests.factories import ADDRESS, CONTAINER_ID, START, TASK, TOKEN, at, pending
from tests.fakes import MemoryStore, SettableClock
from tests.records import complete, exited, failed, healthy, resolved, running


class Clock(SettableClock):
    """Sleeping takes no time: the life goes on as if it had."""

    def __init__(self, life: Life) -> None:
        super().__init__(START)
        self.life = life

    def monotonic(self) -> float:
        return self.life.elapsed

    def sleep(self, seconds: float) -> None:
        self.life.pauses.append(seconds)
        self.life.elapsed += seconds
        self.advance(seconds)
        self.life.write_what_is_due()


class Life:
    """A table whose container lives on while the client sleeps. Each entry: the second, and what is written then.

    `lag`: whether an eventually consistent read shows the item as it was before, by the second.
    """

    lag: Callable[[float], bool] = staticmethod(lambda _second: False)

    def __init__(self, *entries: tuple[float, Record]) -> None:
        self.store = MemoryStore()
        self.clock = Clock(self)
        self.pauses: list[float] = []
        self.reads: list[bool] = []
        self.elapsed = 0.0
        self.before: Record | None = None
        self._entries = list(entries)
        self.client = ReachClient(self, self.clock)
        self.write_what_is_due()

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """Notes whether the read is strongly consistent; the others show the item as it was before the last write."""
        self.reads.append(consistent)
        if not consistent and self.lag(self.elapsed):
            return self.before
        return self.store.load(container_id)

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        return self.store.load_many(container_ids)

    def load_some(self, container_ids: Iterable[str], *, consistent: bool) -> Loaded:
        raise NotImplementedError

    def scheduled(self) -> Iterable[str]:
        return self.store.scheduled()

    def load_all(self) -> Loaded:
        return self.store.load_all()

    def lives(self, *entries: tuple[float, Record]) -> None:
        """More of it."""
        self._entries += entries
        self.write_what_is_due()

    def starts(self, generation: int, seconds: float, **more: Any) -> int:
        """Another start, which takes so long, and the wait for it: how many reads there were."""
        begun, before = self.elapsed, len(self.reads)
        known, answered = (at(begun + after) for after in (seconds - 0.1, seconds))
        more |= {"generation": generation, "created_at": at(begun)}
        revision = 10 * generation
        self.lives(
            (begun, pending(revision=revision, **more)),
            (begun + seconds - 0.1, resolved(revision=revision + 1, timings={Instant.RESOLVED: known}, **more)),
            (
                begun + seconds,
                healthy(revision=revision + 2, timings={Instant.RESOLVED: known, Instant.HEALTHY: answered}, **more),
            ),
        )
        self.client.wait_until_healthy(CONTAINER_ID, timeout=seconds + 10)
        assert 0 <= self.elapsed - begun - seconds <= 0.25
        return len(self.reads) - before

    def write_what_is_due(self) -> None:
        while self._entries and self._entries[0][0] <= self.elapsed:
            self.before = self.store.load(CONTAINER_ID)
            self.store.put_item(to_item(self._entries.pop(0)[1]))


def test_a_healthy_container_is_returned_at_once() -> None:
    """One read, no pause: address, token and the record they came from."""
    life = Life((0, healthy()))
    agent = life.client.wait_until_healthy(CONTAINER_ID, timeout=60)
    assert (agent.address, agent.token, agent.record) == (ADDRESS, TOKEN, healthy())
    assert (life.reads, life.pauses) == ([True], [])


def test_the_wait_follows_the_life() -> None:
    """Through every state to the agent, which is found soon after its answer.

    The first read is strongly consistent, those that are near the answer, and the last one.
    """
    life = Life(
        (0, pending()), (28, running()), (28.5, resolved(timings={Instant.RESOLVED: at(28.5)})), (30, healthy())
    )
    agent = life.client.wait_until_healthy(CONTAINER_ID, timeout=60)
    assert agent.record.state is State.AGENT_HEALTHY
    assert 30 <= life.elapsed <= 30.11
    kinds = [kind for kind, _ in groupby(life.reads)]
    assert kinds == [True, False, True, False, True]
    assert [len(list(reads)) for _, reads in groupby(life.reads)][2] < 20, "an agent that is late is in no hurry"


def test_a_wait_learns_from_the_ones_before_it() -> None:
    """The starts of an image cost less when this client has waited for some, and those of another image do not."""
    life = Life()
    reads = [life.starts(generation=number, seconds=40) for number in range(1, 7)]
    assert reads[0] > 100
    assert reads[5] < 70
    assert life.starts(generation=7, seconds=40, image="another") == reads[0]


def test_who_takes_long_is_asked_less() -> None:
    """Up to once a second."""
    life = Life((0, pending()))
    with pytest.raises(WaitTimeout):
        life.client.wait_until_healthy(CONTAINER_ID, timeout=300)
    assert life.pauses[-2] == 1.0
    assert max(life.pauses) <= 2.0


def test_an_old_item_is_no_answer() -> None:
    """An eventually consistent read may show an earlier start, healthy or ended: the known generation tells it."""
    for old in (healthy(revision=6), exited(revision=7)):
        life = Life((0, old), (0, pending(generation=2, revision=8)), (9, healthy(generation=2, revision=9)))
        life.lag = lambda second: second < 1
        agent = life.client.wait_until_healthy(CONTAINER_ID, timeout=60, generation=2)
        assert (agent.record.generation, life.reads[:3]) == (2, [False, True, False])


def test_an_item_that_does_not_show_yet_is_read_again() -> None:
    """Strongly consistent: it was written before the start's answer."""
    life = Life((0, pending()), (9, healthy()))
    life.lag = lambda second: second < 1
    assert life.client.wait_until_healthy(CONTAINER_ID, timeout=60, generation=1).address == ADDRESS
    assert life.reads[:2] == [False, True]


def test_a_read_that_goes_back_in_time_changes_nothing() -> None:
    """What was seen is not forgotten: the wait goes on where it was."""
    life = Life((0, pending()), (5, resolved()), (9, healthy()))
    life.lag = lambda second: 6 < second < 8
    life.client.wait_until_healthy(CONTAINER_ID, timeout=60)
    assert life.elapsed < 9.3


def test_an_answer_that_is_over_when_it_is_confirmed_is_none() -> None:
    """The strongly consistent read decides."""
    life = Life((0, pending()), (5, healthy()), (5.0001, exited(3)))
    life.lag = lambda second: second > 5
    with pytest.raises(ContainerExited, match="code 3"):
        life.client.wait_until_healthy(CONTAINER_ID, timeout=60)
    assert life.reads[-2:] == [False, True]


def test_an_item_that_was_made_anew_is_not_an_old_one() -> None:
    """It was deleted and started again: its revisions begin with 1, and its start is later."""
    anew = healthy(revision=3, created_at=at(8), agent_token="b" * 64)
    life = Life((0, pending(revision=50)), (9, anew))
    assert life.client.wait_until_healthy(CONTAINER_ID, timeout=60).token == "b" * 64


def test_a_failure_is_raised_with_its_reason() -> None:
    """`ContainerFailed` carries the item's error whole, and its text says what happened and what to do."""
    life = Life((0, pending()), (5, resolved()), (65, failed()))
    with pytest.raises(ContainerFailed, match=r"did not answer within 60 s.*Check that the security group") as caught:
        life.client.wait_until_healthy(CONTAINER_ID, timeout=90)
    assert caught.value.failure == failed().error
    assert caught.value.container_id == CONTAINER_ID


@pytest.mark.parametrize("code", [0, 3])
def test_an_exit_is_raised_with_its_code(code: int) -> None:
    """A command that ended before its agent answered: the backend learns the code, also when it is 0."""
    life = Life((0, pending()), (5, exited(code)))
    with pytest.raises(ContainerExited, match=f"exited with code {code}: Essential container in task") as caught:
        life.client.wait_until_healthy(CONTAINER_ID, timeout=90)
    assert (caught.value.exit_code, caught.value.reason) == (code, "Essential container in task exited")


def test_an_exit_without_details_is_still_an_exit() -> None:
    """`stopped` ends the wait even where the item holds no `stop`."""
    life = Life((0, replace(exited(), stop=None)))
    with pytest.raises(ContainerExited, match="an unknown code: ECS gave no reason") as caught:
        life.client.wait_until_healthy(CONTAINER_ID, timeout=90)
    assert (caught.value.exit_code, caught.value.reason) == (None, None)


@pytest.mark.parametrize(
    ("record", "hint"),
    [
        (pending(), "ECS has not reported its task as running"),
        (running(), "no address is recorded: look at the log of TaskStateFunction"),
        (resolved(), r"not answered at 10\.0\.1\.47:9111 \(2 tries, last error: connection refused\)"),
        (resolved(probe=None), "no try recorded"),
        (
            resolved(probe=Probe(at(90), last_error="No result of the prober arrived.", remedy="First the route.")),
            r"no answer\. No result of the prober arrived\. First the route\.",
        ),
    ],
    ids=["pending", "task-running", "eni-resolved", "not-probed", "prober-hindered"],
)
def test_a_timeout_says_where_it_hangs(record: Record, hint: str) -> None:
    """The wait ends at its timeout, with the state, the seconds and what to check; nothing is written."""
    life = Life((0, record))
    with pytest.raises(WaitTimeout, match=f"still {record.state} after 10.0 s.*{hint}") as caught:
        life.client.wait_until_healthy(CONTAINER_ID, timeout=10)
    assert caught.value.state is record.state
    assert caught.value.waited == pytest.approx(10)
    assert life.store.load(CONTAINER_ID) == record


def test_the_last_look_is_at_the_timeout() -> None:
    """An agent that answers in the last pause is found, not missed."""
    life = Life((0, pending()), (9.99, healthy()))
    assert life.client.wait_until_healthy(CONTAINER_ID, timeout=10).address == ADDRESS


def test_a_timeout_of_zero_looks_once() -> None:
    """No pause: the caller polls by itself."""
    life = Life((0, pending()))
    with pytest.raises(WaitTimeout):
        life.client.wait_until_healthy(CONTAINER_ID, timeout=0)
    assert (life.reads, life.pauses) == ([True], [])
    with pytest.raises(WaitTimeout):
        life.client.wait_until_healthy(CONTAINER_ID, timeout=0, generation=1)
    assert life.reads == [True, True]


def test_an_unknown_container_is_not_waited_for() -> None:
    """The start is recorded before the backend gets its answer, so there is nothing to wait for."""
    life = Life()
    with pytest.raises(ContainerNotFound, match=CONTAINER_ID):
        life.client.wait_until_healthy(CONTAINER_ID, timeout=60)
    assert life.pauses == []


def test_a_new_generation_is_followed() -> None:
    """Started again during the wait: the answer is the newest start's."""
    second = healthy(generation=2, revision=9, agent_address="10.0.1.99:9111", agent_token="b" * 64)
    life = Life((0, pending()), (4, pending(generation=2, revision=6)), (8, second))
    agent = life.client.wait_until_healthy(CONTAINER_ID, timeout=60)
    assert (agent.address, agent.token, agent.record.generation) == ("10.0.1.99:9111", "b" * 64, 2)


def test_an_expired_item_is_gone() -> None:
    """DynamoDB removes items late; at the very second of `expires_at` the client stops seeing them."""
    life = Life((0, failed()))
    expires_at = failed().expires_at
    assert expires_at is not None
    life.clock.advance(expires_at - START.timestamp() - 1)
    assert life.client.get(CONTAINER_ID) == failed()
    life.clock.advance(1)
    for read in (life.client.get, life.client.inspect):
        with pytest.raises(ContainerNotFound):
            read(CONTAINER_ID)


@pytest.mark.parametrize(
    "record",
    [healthy(agent_address=None), healthy(agent_token=None), failed(error=None)],
    ids=["no-address", "no-token", "no-error"],
)
def test_an_item_that_contradicts_itself_is_refused(record: Record) -> None:
    """Better an error than an empty address, an empty token or a failure without a reason."""
    life = Life((0, record))
    with pytest.raises(UnreadableRecord):
        life.client.wait_until_healthy(CONTAINER_ID, timeout=60)


@pytest.mark.parametrize("record", [pending(), resolved(), failed(), exited(), healthy(agent_address=None)])
def test_the_token_is_in_no_error(record: Record) -> None:
    """Whatever a wait raises can be logged."""
    life = Life((0, replace(record, agent_token=TOKEN)))
    with pytest.raises(ReachError) as caught:
        life.client.wait_until_healthy(CONTAINER_ID, timeout=1)
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_the_token_is_in_no_repr() -> None:
    """A `Reachable` that is logged by accident keeps its secret."""
    life = Life((0, healthy()))
    agent = life.client.wait_until_healthy(CONTAINER_ID, timeout=1)
    assert ADDRESS in repr(agent)
    assert TOKEN not in repr(agent)


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (pending(), "created"),
        (running(), "created"),
        (resolved(), "created"),
        (healthy(), "running"),
        (exited(), "exited"),
        (failed(), "dead"),
    ],
    ids=lambda value: value.state if isinstance(value, Record) else value,
)
def test_inspect_speaks_docker(record: Record, status: str) -> None:
    """`status` is Docker's word, `state` is ours."""
    shown = Life((0, record)).client.inspect(CONTAINER_ID)
    assert (shown["status"], shown["state"]) == (status, record.state.value)


def test_inspect_shows_the_running_container() -> None:
    """The frontend finds all that it connects with, and the original command."""
    shown = Life((0, healthy())).client.inspect(CONTAINER_ID)
    expected: dict[str, Any] = {
        "id": CONTAINER_ID,
        "agent_address": ADDRESS,
        "agent_token": TOKEN,
        "entrypoint": None,
        "cmd": ["python", "-m", "http.server"],
        "exit_code": None,
        "error": None,
        "started_at": "2026-11-23T10:00:29.400Z",
        "finished_at": None,
        "image": "python:3.13-slim",
        "injection": "efs",
        "labels": {},
        "logs": None,
        "generation": 1,
        "stop_reason": None,
    }
    assert {key: shown[key] for key in expected} == expected
    assert shown["timings"]["healthy"] == "2026-11-23T10:00:32.000Z"
    assert shown["timings"]["stopped"] is None


def test_inspect_shows_labels_and_logs() -> None:
    """The labels as requested, and where the output is: the stream is None until the task is known."""
    logs = Logs("/tasks", "web")
    for record, stream in ((pending(logs=logs), None), (healthy(logs=logs.of_task(TASK)), f"web/main/{TASK[-32:]}")):
        shown = Life((0, replace(record, labels={"debug": ""}))).client.inspect(CONTAINER_ID)
        assert (shown["labels"], shown["logs"]) == ({"debug": ""}, {"group": "/tasks", "stream": stream})


def test_inspect_shows_the_end() -> None:
    """Exit code, instant and reason of a container that ended; its address and token are gone."""
    shown = Life((0, exited(137))).client.inspect(CONTAINER_ID)
    assert (shown["exit_code"], shown["finished_at"]) == (137, "2026-11-23T10:00:39.000Z")
    assert (shown["oom_killed"], shown["stop_cause"]) == (False, None)
    assert shown["stop_code"] == "EssentialContainerExited"
    assert shown["stop_reason"] == "Essential container in task exited"
    assert (shown["agent_address"], shown["agent_token"]) == (None, None)


def test_inspect_shows_dockers_oom_killed() -> None:
    """True of a container that was killed for its memory, false of every other: Docker's word is never absent."""
    stop = Stop(exit_code=137, oom_killed=True, cause=Cause.OUT_OF_MEMORY)
    shown = Life((0, exited(stop=stop))).client.inspect(CONTAINER_ID)
    assert (shown["oom_killed"], shown["stop_cause"]) == (True, "out-of-memory")
    for record in (pending(), healthy(), failed()):
        assert Life((0, record)).client.inspect(CONTAINER_ID)["oom_killed"] is False


def test_inspect_shows_the_error() -> None:
    """The five members of the item's error; a cause that is not known is None."""
    shown = Life((0, failed())).client.inspect(CONTAINER_ID)
    assert shown["error"] == {
        "code": "AgentUnreachable",
        "cause": None,
        "message": "The agent at 10.0.1.47:9111 did not answer within 60 s. Last error: timed out.",
        "remedy": "Check that the security group lets TCP 9111 in.",
        "transient": False,
    }


def test_inspect_shows_the_capacity() -> None:
    """What was asked for, and what ECS gave."""
    record = healthy(capacity=Capacity.SPOT_FIRST, capacity_provider="FARGATE", max_lifetime=600)
    shown = Life((0, record)).client.inspect(CONTAINER_ID)
    assert (shown["capacity"], shown["capacity_provider"], shown["max_lifetime"]) == ("spot-first", "FARGATE", 600)
    assert Life((0, healthy())).client.inspect(CONTAINER_ID)["capacity"] == "on-demand"


def test_an_agent_on_its_way_out_says_so() -> None:
    """Spot's notice: its address is good for two minutes at most, and whoever waits now learns it with the address."""
    leaving = healthy(timings={**healthy().timings, Instant.STOPPING: at(40)})
    assert Life((0, leaving)).client.wait_until_healthy(CONTAINER_ID, 1).stopping
    assert not Life((0, healthy())).client.wait_until_healthy(CONTAINER_ID, 1).stopping


def test_inspect_always_has_the_same_keys() -> None:
    """What is not known is None, so that no caller has to test for a key; all of it is JSON."""
    least = pending(image=None, injection=None, entrypoint=(), cmd=(), agent_token=None)
    shown = Life((0, least)).client.inspect(CONTAINER_ID)
    assert shown.keys() == Life((0, complete())).client.inspect(CONTAINER_ID).keys()
    assert shown["timings"].keys() == {str(name) for name in Instant}
    assert shown["entrypoint"] is None
    assert json.loads(json.dumps(shown)) == shown


def test_inspect_of_an_unknown_container() -> None:
    """It is an error of the caller's, with the id."""
    with pytest.raises(ContainerNotFound, match=CONTAINER_ID):
        Life().client.inspect(CONTAINER_ID)
