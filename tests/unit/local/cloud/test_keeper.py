"""The keeper: what it starts again, when, and what it leaves alone."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local.cloud import fargate, ministack
from local.cloud.cloud import LocalCloud
from local.cloud.keeper import LONGEST_PAUSE, STEADY_SECONDS, Keeper, Pauses, restarts
from local.cloud.layout import Layout
from local.cloud.processes import CloudError, Command, Daemon, first_to_end, noted, spawn
from local.cloud.stopping import end_processes
from local.fargate.engine.marker import engine_marker

NAMES = (ministack.NAME, fargate.NAME)


def test_a_first_crash_is_mended_at_once() -> None:
    """Nobody waits for what has run for long, however often that happens."""
    pauses = Pauses()
    assert [pauses.after(STEADY_SECONDS) for _ in range(3)] == [0, 0, 0]


def test_crashes_that_follow_soon_are_mended_slower_and_slower() -> None:
    """A process that cannot live does not keep the machine busy: 1 s, doubling to 30 s."""
    pauses = Pauses()
    assert [pauses.after(1) for _ in range(8)] == [0, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_long_life_makes_good() -> None:
    """After a life that lasted, the pauses begin anew."""
    pauses = Pauses()
    for _ in range(5):
        pauses.after(1)
    assert [pauses.after(STEADY_SECONDS), pauses.after(1), pauses.after(1)] == [0, 1, 2]


class Cloud:
    """Two processes that do nothing, started as those of a cloud are."""

    def __init__(self, directory: Path) -> None:
        self.layout = Layout(directory)
        self.daemons = {name: self.spawned(name) for name in NAMES}
        self.acts: list[str] = []
        self.outages: list[Exception] = []

    def spawned(self, name: str) -> Daemon:
        arguments = [sys.executable, "-c", "import signal; signal.pause()"]
        log = self.layout.logs / f"{name}.log"
        return spawn(name, Command(arguments, dict(os.environ), self.layout.directory, log), self.layout.run)

    def start_fargate_again(self) -> None:
        self.acts.append("fargate")
        self._suffer()
        self.daemons[fargate.NAME] = self.spawned(fargate.NAME)

    def start_again(self) -> None:
        self.acts.append("everything")
        assert not any(daemon.alive() for daemon in self.daemons.values())
        self.daemons = {name: self.spawned(name) for name in NAMES}
        self._suffer()

    def _suffer(self) -> None:
        if self.outages:
            raise self.outages.pop(0)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Ended after the test, whatever became of it."""
    cloud = Cloud(tmp_path)
    yield cloud
    end_processes(cloud.layout)


@pytest.fixture
def slept() -> list[float]:
    """How long the keeper has waited each time."""
    return []


@pytest.fixture
def keeper(cloud: Cloud, slept: list[float]) -> Keeper:
    """It waits for the ends of processes, but for no time."""

    def wait(daemons: Sequence[Daemon], timeout: float | None) -> Daemon | None:
        if timeout is not None:
            slept.append(timeout)
        return first_to_end(daemons, None if timeout is None else 0)

    return Keeper(cast("LocalCloud", cloud), wait=wait, sleep=slept.append, clock=lambda: 0.0)


def kill(daemon: Daemon) -> None:
    os.kill(daemon.pid, signal.SIGKILL)
    assert first_to_end([daemon]) is daemon


def test_fargate_alone_is_started_again(cloud: Cloud, keeper: Keeper) -> None:
    """The local AWS knows nothing of it, and the count is kept."""
    aws = cloud.daemons[ministack.NAME]
    kill(cloud.daemons[fargate.NAME])
    keeper.mend()
    assert cloud.acts == ["fargate"]
    assert aws.alive()
    assert cloud.daemons[fargate.NAME].alive()
    assert restarts(cloud.layout) == {"fargate": 1}


def test_without_the_local_aws_everything_is_started_again(cloud: Cloud, keeper: Keeper) -> None:
    """No task is left without an item; until the stack is there again no env file says otherwise."""
    cloud.layout.env.write_text("export A=b\n")
    kill(cloud.daemons[ministack.NAME])
    keeper.mend()
    assert cloud.acts == ["everything"]
    assert not cloud.layout.env.exists()
    assert restarts(cloud.layout) == {"ministack": 1}


def test_local_aws_goes_first(cloud: Cloud, keeper: Keeper) -> None:
    """When both have ended, the local Fargate is not started for nothing."""
    for daemon in cloud.daemons.values():
        kill(daemon)
    keeper.mend()
    assert cloud.acts == ["everything"]


def test_pause_ends_when_the_local_aws_does(cloud: Cloud, slept: list[float]) -> None:
    """While the local Fargate's pause lasts, the local AWS is watched too; then both are started, once."""
    aws, ecs = (cloud.daemons[name] for name in NAMES)

    def wait(daemons: Sequence[Daemon], timeout: float | None) -> Daemon | None:
        kill(aws if ecs not in daemons else ecs)
        return first_to_end(daemons, timeout)

    keeper = Keeper(cast("LocalCloud", cloud), wait=wait, sleep=slept.append, clock=lambda: 0.0)
    keeper.mend()
    assert cloud.acts == []
    assert not aws.alive()
    keeper = Keeper(cast("LocalCloud", cloud), sleep=slept.append)
    keeper.mend()
    assert cloud.acts == ["everything"]


def test_failed_restart_is_tried_again(cloud: Cloud, keeper: Keeper, slept: list[float]) -> None:
    """What cannot be started or deployed is stopped and tried again, with growing pauses; counted once."""
    cloud.outages = [
        CloudError("sam deploy ended with 1"),
        OSError(28, "No space left on device"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"),
        ClientError({"Error": {"Code": "InternalFailure", "Message": "later"}}, "CreateLogGroup"),
    ]
    kill(cloud.daemons[ministack.NAME])
    keeper.mend()
    assert cloud.acts == ["everything"] * 5
    assert slept == [0, 1, 2, 4, 8]
    assert restarts(cloud.layout) == {"ministack": 1}
    assert {daemon.name for daemon in noted(cloud.layout.run)} == set(NAMES)


def test_engine_that_is_gone_is_waited_for(cloud: Cloud, slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in an engine is removed before anything is started again, however long it does not answer."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{cloud.layout.directory}/no-engine")
    cloud.layout.fargate.mkdir()
    marker = engine_marker(cloud.layout.fargate)
    marker.touch()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            marker.unlink()  # as if the engine were back, and empty

    kill(cloud.daemons[ministack.NAME])
    Keeper(cast("LocalCloud", cloud), sleep=sleep, clock=lambda: 0.0).mend()
    assert slept == [0, 1, 2, 4]
    assert cloud.acts == ["everything"]


def test_local_fargate_that_cannot_be_started_is_tried_again(cloud: Cloud, keeper: Keeper, slept: list[float]) -> None:
    """The keeper lives on, and waits longer each time."""
    cloud.outages = [BlockingIOError(11, "Resource temporarily unavailable")] * 2
    kill(cloud.daemons[fargate.NAME])
    for _ in range(3):
        keeper.mend()
    assert slept == [0, 1, 2]
    assert restarts(cloud.layout) == {"fargate": 1}
    assert cloud.daemons[fargate.NAME].alive()


def test_pauses_of_the_local_fargate_grow(cloud: Cloud, keeper: Keeper, slept: list[float]) -> None:
    """Crashing again and again, it is started again and again, later each time."""
    for _ in range(3):
        kill(cloud.daemons[fargate.NAME])
        keeper.mend()
    assert slept == [0, 1, 2]
    assert restarts(cloud.layout) == {"fargate": 3}


def test_how_it_ended_is_told(cloud: Cloud, keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    """The keeper's log names the signal."""
    kill(cloud.daemons[fargate.NAME])
    keeper.mend()
    assert "fargate" in caplog.text
    assert "was killed by SIGKILL" in caplog.text
