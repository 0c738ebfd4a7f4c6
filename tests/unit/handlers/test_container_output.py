"""Which functions read the output of containers, and what they log when they cannot."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest

from core.adapters.logs import PAGES
from core.control.background_run import READ_SECONDS, RateLimitedEcs
from core.control.perform import OUTPUT_PATIENCE
from core.control.settle import settle
from core.model.errors import CallFailed, RunStopped
from core.model.state import State
from handlers import app, reconcile
from handlers.app import LOGS, App
from tests.factories import CONTAINER_ID, SETTINGS, TASK, exited
from tests.fakes import FakeEcs, MemoryOutput, MemoryStore, MemoryVault, RecordingQueue, SettableClock
from tests.records import resolved
from tests.template import load_template

REFUSED = "exec /sockerless-agent/sockerless-agent: exec format error"


class World:
    """What the functions are wired to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, log_group: str | None) -> None:
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SockerlessReach")
        self.store = MemoryStore(resolved())
        self.output = MemoryOutput({(TASK, "main"): [REFUSED]})
        self.clock = SettableClock()
        ports = {
            "settings": replace(SETTINGS, task_log_group=log_group),
            "store": self.store,
            "ecs": FakeEcs(self.clock),
            "queue": RecordingQueue(),
            "vault": MemoryVault(),
            "clock": self.clock,
        }
        for name, port in ports.items():
            monkeypatch.setattr(App, name, port)
        monkeypatch.setattr(app, "CloudWatchOutput", lambda *_: self.output)
        monkeypatch.setattr("botocore.session.Session.create_client", lambda *_, **__: None)
        # A function keeps its clients; what an earlier test has made is of other settings.
        vars(reconcile.app).pop("output", None)

    def ends(self, ports: App) -> State:
        """What becomes of a container whose agent the kernel refused."""
        return settle(ports, resolved(), exited(9, exit_code=1)).record.state


def reconciler() -> App:
    """As the handler of every minute has it."""
    return copy(reconcile.app).within(lambda: 60.0)


def test_events_are_listened_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """TaskStateFunction learns of most ends."""
    world = World(monkeypatch, "/tasks")
    assert world.ends(App("TaskStateFunction")) is State.FAILED


def test_the_reconciler_listens_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """It learns of the ends whose events were lost, as long as the service is up; ECS's rate is not touched."""
    world = World(monkeypatch, "/tasks")
    ports = reconciler()
    assert world.ends(ports) is State.FAILED
    assert isinstance(ports.ecs, RateLimitedEcs)
    assert (ports.ecs.reads.spent, len(world.output.calls)) == (0, 1)


def test_the_reconciler_waits_for_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it finds ended has ended long ago."""
    world = World(monkeypatch, "/tasks")
    world.output.streams.clear()
    assert world.ends(reconciler()) is State.STOPPED
    assert (len(world.output.calls), world.clock.slept) == (1, [])


@pytest.mark.parametrize("function", ["TaskStateFunction", "ReconcileFunction"])
def test_without_a_log_group_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """The container stopped with the exit code that ECS shows."""
    world = World(monkeypatch, None)
    assert world.ends(App(function).within(lambda: 60.0)) is State.STOPPED
    assert world.output.calls == []


@pytest.mark.parametrize("function", ["StartContainerFunction", "StopContainerFunction", "AgentHealthFunction"])
def test_who_may_not_read_does_not_try(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """The functions of the backend's calls, and the prober, have no permission to read logs: the reconciler has."""
    world = World(monkeypatch, "/tasks")
    assert world.ends(App(function)) is State.ENI_RESOLVED
    assert world.output.calls == []
    record = world.store.load(CONTAINER_ID)
    assert record is not None
    assert settle(reconciler(), record).record.state is State.FAILED


@pytest.mark.parametrize("code", ["ThrottlingException", "ReadTimeoutError"])
def test_a_run_does_not_go_on_with_a_service_that_is_down(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The run has more to do than to read: no further call is made."""
    world = World(monkeypatch, "/tasks")
    world.output.refusals = [CallFailed("GetLogEvents", code, "no", transient=True)]
    output = reconciler().output
    assert output is not None
    with pytest.raises(CallFailed, match=code):
        output.last_lines(TASK, "main", 2)
    for _ in range(2):
        with pytest.raises(RunStopped):
            output.last_lines(TASK, "main", 2)
    assert len(world.output.calls) == 1


def test_one_refusal_is_not_a_service_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot pass by itself concerns one container, for all that is known."""
    world = World(monkeypatch, "/tasks")
    world.output.refusals = [CallFailed("GetLogEvents", "AccessDeniedException", "no")]
    output = reconciler().output
    assert output is not None
    with pytest.raises(CallFailed):
        output.last_lines(TASK, "main", 2)
    assert output.last_lines(TASK, "main", 2) == (REFUSED,)


def test_a_run_that_has_to_end_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that was not made is no answer: the record is left for the next run."""
    world = World(monkeypatch, "/tasks")
    output = App("ReconcileFunction").within(lambda: READ_SECONDS - 1).output
    assert output is not None
    with pytest.raises(RunStopped, match="time"):
        output.last_lines(TASK, "main", 2)
    assert world.output.calls == []


def test_a_log_that_cannot_be_read_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, with the container, the operation and AWS's code."""
    world = World(monkeypatch, "/tasks")
    world.output.refusals = [CallFailed("GetLogEvents", "AccessDeniedException", "not authorized")]

    assert world.ends(App("TaskStateFunction")) is State.STOPPED

    [record] = [record for record in caplog.records if record.message == "output not read"]
    assert record.levelname == "WARNING"
    logged = vars(record)
    assert (logged["container_id"], logged["task_arn"]) == (CONTAINER_ID, TASK)
    assert (logged["operation"], logged["code"], logged["why"]) == (
        "GetLogEvents",
        "AccessDeniedException",
        "not authorized",
    )


def test_the_clients_give_up_before_the_function_has_to_end() -> None:
    """An endpoint that never answers would otherwise keep a container from its end: each call takes seconds at most."""
    config = vars(LOGS[1])
    attempts = config["retries"]["total_max_attempts"]
    longest = PAGES * attempts * (config["connect_timeout"] + config["read_timeout"])
    assert longest <= READ_SECONDS
    assert OUTPUT_PATIENCE + longest < load_template()["Resources"]["TaskStateFunction"]["Properties"]["Timeout"]
