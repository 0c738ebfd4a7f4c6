"""Which functions listen to containers, and what they log when they cannot."""

from __future__ import annotations

import pytest

from core.adapters.logs import PAGES
from core.control.container_output import PATIENCE
from core.control.rate_limited import READ_SECONDS, PacedTasks
from core.control.settle import Settler
from core.model.errors import CallFailed
from core.model.state import State
from handlers import wiring
from tests.factories import CONTAINER_ID, SETTINGS, TASK, exited
from tests.fakes import FakeEcs, MemoryOutput, MemoryStore, MemoryVault, RecordingQueue, SettableClock
from tests.records import resolved
from tests.template import load_template

REFUSED = "exec /sockerless-agent/sockerless-agent: exec format error"


class World:
    """What the functions are wired to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, log_group: str | None) -> None:
        settings = SETTINGS.model_copy(update={"task_log_group": log_group})
        self.store = MemoryStore(resolved())
        self.output = MemoryOutput({(TASK, "main"): [REFUSED]})
        self.ecs = FakeEcs(SettableClock())
        replaced = {
            "settings": settings,
            "store": self.store,
            "output": self.output,
            "ecs": self.ecs,
            "_yielding_ecs": self.ecs,
            "queue": RecordingQueue(),
            "vault": MemoryVault(),
        }
        for name, value in replaced.items():
            monkeypatch.setattr(wiring, name, lambda *_, value=value: value)

    def paced(self) -> PacedTasks:
        return wiring.paced_tasks(lambda: 60.0)

    def ends(self, settler: Settler) -> State:
        """What becomes of a container whose agent the kernel refused."""
        record = settler.settle(exited(9, exit_code=1)).record
        assert record is not None
        return record.state


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    """Each test is wired anew, as by a cold start."""
    for made in (wiring.settler, wiring.event_settler, wiring.stopping_settler):
        made.cache_clear()


def test_events_are_listened_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """TaskStateFunction learns of most ends."""
    world = World(monkeypatch, "/tasks")
    assert world.ends(wiring.event_settler()) is State.FAILED


def test_the_reconciler_listens_within_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """It learns of the ends whose events were lost, as long as the service is up; ECS's rate is not touched."""
    world = World(monkeypatch, "/tasks")
    tasks = world.paced()
    assert world.ends(wiring.paced_settler(tasks)) is State.FAILED
    assert (tasks.reads.spent, len(world.output.calls)) == (0, 1)


def test_the_reconciler_waits_for_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it finds ended has ended long ago."""
    world = World(monkeypatch, "/tasks")
    world.output.streams.clear()
    assert world.ends(wiring.paced_settler(world.paced())) is State.STOPPED
    assert len(world.output.calls) == 1


@pytest.mark.parametrize("name", ["event_settler", "paced_settler"])
def test_without_a_log_group_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The container stopped with the exit code that ECS shows; no client is made, no budget used."""
    world = World(monkeypatch, None)
    tasks = world.paced()
    settler = wiring.event_settler() if name == "event_settler" else wiring.paced_settler(tasks)
    assert world.ends(settler) is State.STOPPED
    assert (world.output.calls, tasks.reads.spent) == ([], 0)


@pytest.mark.parametrize("name", ["settler", "stopping_settler"])
def test_who_may_not_read_does_not_try(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The functions of the backend's calls have no permission to read logs."""
    world = World(monkeypatch, "/tasks")
    assert world.ends(getattr(wiring, name)()) is State.STOPPED
    assert world.output.calls == []


def test_a_log_that_cannot_be_read_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, with the container, the operation and AWS's code."""
    world = World(monkeypatch, "/tasks")
    world.output.refusals = [CallFailed("GetLogEvents", "AccessDeniedException", "not authorized")]

    assert world.ends(wiring.event_settler()) is State.STOPPED

    [record] = [record for record in caplog.records if record.message == "output not read"]
    assert record.levelname == "WARNING"
    told = vars(record)
    assert (told["container_id"], told["task_arn"]) == (CONTAINER_ID, TASK)
    assert (told["operation"], told["code"], told["why"]) == ("GetLogEvents", "AccessDeniedException", "not authorized")


def test_the_clients_give_up_before_the_function_has_to_end() -> None:
    """An endpoint that never answers would otherwise keep a container from its end: each call takes seconds at most."""
    config = vars(wiring._BRIEF)
    attempts = config["retries"]["total_max_attempts"]
    longest = PAGES * attempts * (config["connect_timeout"] + config["read_timeout"])
    assert longest <= READ_SECONDS
    assert PATIENCE + longest < load_template()["Resources"]["TaskStateFunction"]["Properties"]["Timeout"]
