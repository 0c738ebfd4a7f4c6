"""The jobs of ReconcileFunction: which event starts which, and what each answers."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from core.control.find_leaked_tasks import Listing
from core.control.retire_definitions import PAUSE
from core.model.errors import CallFailed, ConfigurationError, MalformedEvent
from core.model.failure import Cause, ErrorCode
from core.model.families import family_of
from core.model.parts import Probe
from core.model.state import State
from core.storage.item import to_item
from handlers import reconcile
from handlers.app import App
from handlers.reconcile import RUN_SECONDS
from tests.factories import ADDRESS, CLUSTER, CONTAINER_ID, SETTINGS, at, event, pending
from tests.fakes import FakeDefinitions, FakeEcs, MemoryStore, MemoryVault, RecordingQueue, SettableClock
from tests.records import resolved
from tests.template import load_template

NOW = at(0)


@dataclass
class Context:
    """Lambda's, as far as the handler and Powertools read it."""

    function_name: str = "reconcile"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:reconcile"
    aws_request_id: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class Clock(SettableClock):
    """Nothing is slept, and the instant stands still; `passed` are the seconds since some other one."""

    passed = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds

    def monotonic(self) -> float:
        return self.passed


class World:
    """What the handler is wired to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.definitions = FakeDefinitions()
        self.ecs = FakeEcs(SettableClock(NOW - timedelta(hours=1)))
        self.queue = RecordingQueue()
        self.clock = Clock(NOW)
        ports = {
            "settings": SETTINGS,
            "definitions": self.definitions,
            "ecs": self.ecs,
            "vault": MemoryVault(),
            "clock": self.clock,
            "queue": self.queue,
        }
        for name, port in ports.items():
            monkeypatch.setattr(App, name, port)
        monkeypatch.setattr(reconcile, "listing", Listing())
        self._patch = monkeypatch
        self.store = MemoryStore()

    @property
    def store(self) -> MemoryStore:
        return self._store

    @store.setter
    def store(self, store: MemoryStore) -> None:
        self._store = store
        self._patch.setattr(App, "store", store)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "reach")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SockerlessReach")
    return World(monkeypatch)


def handle(document: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = reconcile.handler(document, Context())  # type: ignore[arg-type]
    return answer


def test_the_schedule_of_every_minute_retires_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its event names no job."""
    monkeypatch.setattr(reconcile, "_reconcile", lambda context: {"called with": context.function_name})

    assert handle(event("reconcile")) == {"called with": "reconcile"}
    assert world.definitions.calls == []


def test_the_schedule_of_every_hour_retires(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """One answer with the counts, one metric."""
    for number in range(2):
        world.definitions.add(family_of("sockerless", CLUSTER, {"cpu": str(number)}), NOW - timedelta(days=2))

    assert handle(event("reconcile-definitions")) == {
        "families": 2,
        "needed": 0,
        "deregistered": 2,
        "deleted": 2,
        "undeleted": 0,
        "errors": {},
        "stopped": None,
    }
    assert world.clock.slept == [PAUSE, PAUSE]
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["DefinitionsRetired"] for one in printed if "DefinitionsRetired" in one] == [[2.0]]
    assert [one["JobErrors"] for one in printed if "JobErrors" in one] == [[0.0]]


@pytest.mark.parametrize(("job", "call"), [("reconcile-definitions", "definitions"), ("reconcile-leaks", "ecs")])
def test_what_a_job_could_not_do_is_counted(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, job: str, call: str
) -> None:
    """A permission that is missing raises an alarm; a log line alone would not be read."""
    denied = CallFailed("List", "AccessDeniedException", "not authorized", cause=Cause.PERMISSION)

    def refuse(*_: object, **__: object) -> None:
        raise denied

    monkeypatch.setattr(getattr(world, call), {"definitions": "families", "ecs": "running"}[call], refuse)
    assert handle(event(job))["stopped"] == "failed"
    assert metrics(capsys)["JobErrors"] == [1]


@pytest.mark.parametrize("job", ["reconcile", "reconcile-leaks"])
def test_a_look_ends_long_before_the_function(world: World, monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    """The function may run for as long as the retirer needs; runs of every minute would pile up in that time."""
    given: list[Callable[[], float]] = []

    def within(app: App, time_left: Callable[[], float]) -> App:
        given.append(time_left)
        return real(app, time_left)

    real = App.within
    monkeypatch.setattr(App, "within", within)
    handle(event(job))
    world.clock.passed = 100.0
    assert [time_left() for time_left in given] == [RUN_SECONDS - 100]


def test_the_retirer_has_all_the_time_of_its_function(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A definition that is registered for each start is retired as slowly as all others."""
    world.definitions.add(family_of("sockerless", CLUSTER, {"cpu": "1"}), NOW - timedelta(days=2))
    monkeypatch.setattr(world.clock, "monotonic", iter(range(0, 10_000, 300)).__next__)
    assert handle(event("reconcile-definitions"))["deregistered"] == 1


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, list[float]]:
    """What was printed for CloudWatch, by metric."""
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    measured = [one for one in documents if "_aws" in one]
    assert {(one["service"], one["_aws"]["CloudWatchMetrics"][0]["Namespace"]) for one in measured} == {
        ("reach", "SockerlessReach")
    }
    names = [(one, metric["Name"]) for one in measured for metric in one["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return {name: one[name] for one, name in names}


def test_the_schedule_of_every_quarter_finds_leaks(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """One answer with the counts, one metric, and a line for each task."""
    world.ecs.definitions["a:1"] = "any"
    arn = world.ecs.run(
        {
            "clientToken": "1",
            "cluster": CLUSTER,
            "taskDefinition": "a:1",
            "startedBy": f"sockerless/{CONTAINER_ID}/1",
            "overrides": {"containerOverrides": []},
        }
    ).task_arn
    assert handle(event("reconcile-leaks")) == {
        "listed": 1,
        "ours": 1,
        "leaked": 1,
        "parameters": 0,
        "errors": {},
        "stopped": None,
    }
    assert [stopped for stopped, _ in world.ecs.stopped] == [arn]
    assert metrics(capsys) == {"LeakedTasks": [1.0], "JobErrors": [0.0]}
    [line] = [vars(one) for one in caplog.records if one.getMessage() == "task leaked"]
    assert (line["task_arn"], line["container_id"], line["generation"]) == (arn, CONTAINER_ID, 1)
    assert line["why"] == "no such container is recorded"


def test_a_run_of_the_reconciler_is_measured(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What it healed, what went wrong, and for how long the oldest record had been due; zeros too."""
    broken = pending(container_id="d" * 64, check_at=at(-70))
    world.store.put_item({**to_item(broken), "state": "levitating"})
    world.store.put_item(to_item(pending(created_at=at(-61), check_at=at(-1))))

    assert handle(event("reconcile")) == {
        "due": 1,
        "healed": 1,
        "oldest_due_seconds": 1.0,
        "errors": {"UnreadableRecord": 1},
        "stopped": None,
    }
    measured = metrics(capsys)
    assert [measured[name] for name in ("HealedByReconcile", "ReconcileErrors", "OldestDueSeconds")] == [[1], [1], [1]]

    world.store = MemoryStore()
    handle(event("reconcile"))
    assert metrics(capsys) == {"HealedByReconcile": [0], "ReconcileErrors": [0], "OldestDueSeconds": [0]}


def test_an_unknown_job_is_refused(world: World) -> None:
    """Doing the minute's work instead would hide the mistake."""
    with pytest.raises(MalformedEvent, match="no job 'dance'"):
        handle({"job": "dance"})


def test_without_a_cluster_nothing_is_retired(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose definitions they are is not known then."""
    monkeypatch.setattr(App, "settings", replace(SETTINGS, cluster_arn=None))

    with pytest.raises(ConfigurationError, match="CLUSTER_ARN"):
        handle(event("reconcile-definitions"))


def test_a_silent_agent_is_checked_at_once(world: World) -> None:
    """The table's stream names it: ECS shows its task before the verdict counts, and no other container is checked."""
    task = f"{CLUSTER.replace(':cluster/', ':task/')}/1"
    probe = Probe(deadline=NOW, attempts=24, last_error="no reply", silent_at=NOW, remedy="Open the port.")
    silent = {"state": State.ENI_RESOLVED, "task_arn": task, "agent_address": ADDRESS, "probe": probe, "check_at": NOW}
    world.store.put_item(to_item(pending(**silent)))
    world.store.put_item(to_item(pending(container_id="b" * 64, **silent)))
    world.ecs.tasks[task] = {
        "taskArn": task,
        "startedBy": f"sockerless/{CONTAINER_ID}/1",
        "version": 1,
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
    }

    assert handle(event("reconcile-silence"))["healed"] == 1

    judged, other = world.store.load(CONTAINER_ID), world.store.load("b" * 64)
    assert judged is not None
    assert other is not None
    assert judged.error is not None
    assert (judged.error.code, judged.error.remedy) == (ErrorCode.AGENT_UNREACHABLE, "Open the port.")
    assert other.state is State.ENI_RESOLVED
    assert [arn for arn, _ in world.ecs.stopped] == [task]


def test_the_filters_of_the_stream_let_only_verdicts_through() -> None:
    """An item that is healthy, failed, still being probed, or that needs nothing more starts no run."""
    source = load_template()["Resources"]["ReconcileFunction"]["Properties"]["Events"]["Verdicts"]["Properties"]
    patterns = [json.loads(one["Pattern"])["dynamodb"]["NewImage"] for one in source["FilterCriteria"]["Filters"]]
    pattern, exited = patterns

    assert pattern == {
        "state": {"S": [State.ENI_RESOLVED]},
        "probe": {"M": {"silent_at": {"S": [{"exists": True}]}}},
    }
    assert exited == {
        "state": {"S": [State.STOPPED]},
        "stop": {"M": {"reported": {"BOOL": [True]}}},
        "watch": {"S": [{"exists": True}]},
    }
    image = event("reconcile-silence")["Records"][0]["dynamodb"]["NewImage"]
    assert image["state"]["S"] in pattern["state"]["S"]
    assert "silent_at" in image["probe"]["M"]


def delivered(*messages: str) -> dict[str, Any]:
    """What a subscription of CloudWatch Logs brings."""
    document = {"messageType": "DATA_MESSAGE", "logEvents": [{"message": one} for one in messages]}
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()}}


def test_what_a_prober_could_only_log_is_in_the_item(world: World) -> None:
    """The item names the table's route, for the backend to read. Nothing is sent or stopped for it. Twice is once."""
    world.store.put_item(to_item(resolved()))

    assert handle(event("reconcile-probe-aborted")) == {"noted": 1, "errors": 0}

    record = world.store.load(CONTAINER_ID)
    assert record is not None
    assert record.probe is not None
    assert (record.state, record.probe.deadline) == (State.ENI_RESOLVED, at(90))
    assert "BatchGetItem failed with ConnectTimeoutError" in (record.probe.last_error or "")
    assert "ProberRouteTableIds" in (record.probe.remedy or "")
    assert (world.ecs.calls, world.queue.sent) == ([], []), "the next probe would fail too, and be reported again"
    assert handle(event("reconcile-probe-aborted")) == {"noted": 0, "errors": 0}


def test_lines_that_only_hold_the_words_are_passed_over(world: World) -> None:
    """The filter matches a phrase: a trace, a control message of CloudWatch's or a list may hold it."""
    world.store.put_item(to_item(resolved()))
    other = json.dumps({"message": "probe has no verdict", "exception": "probe aborted"})

    assert handle(delivered("probe aborted", '["probe aborted"]', other)) == {"noted": 0, "errors": 0}


def test_a_broken_line_keeps_no_other_from_being_written(world: World) -> None:
    """A report that lacks something, or nests without end, is passed over; the others of its delivery count."""
    world.store.put_item(to_item(resolved()))
    data = json.loads(gzip.decompress(base64.b64decode(event("reconcile-probe-aborted")["awslogs"]["data"])))
    line = data["logEvents"][0]["message"]
    lacking = json.dumps({**json.loads(line), "remedy": None})

    assert handle(delivered(lacking, "[" * 10_000, line)) == {"noted": 1, "errors": 0}


@pytest.mark.parametrize(
    "delivery",
    [
        {"awslogs": {}},
        {"awslogs": {"data": "not gzipped"}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"{}")[:-4]).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b'{"events": []}')).decode()}},
        {"Records": [{"dynamodb": {"NewImage": {}}}]},
        {"Records": None},
    ],
)
def test_what_no_stream_and_no_log_delivers_is_refused(world: World, delivery: dict[str, Any]) -> None:
    """It is kept in the dead-letter queue with a reason, like any document that is not what its envelope claims."""
    with pytest.raises(MalformedEvent):
        handle(delivery)
    assert world.ecs.calls == []


def test_an_item_that_cannot_be_read_keeps_no_other_from_being_written(world: World) -> None:
    """Each line is a container's own; the log names the one that failed."""
    world.store.put_item(to_item(resolved()))
    world.store.put_item({**to_item(resolved(container_id="b" * 64)), "state": "levitating"})
    data = json.loads(gzip.decompress(base64.b64decode(event("reconcile-probe-aborted")["awslogs"]["data"])))
    line = data["logEvents"][0]["message"]

    assert handle(delivered(line.replace(CONTAINER_ID, "b" * 64), line)) == {"noted": 1, "errors": 1}
