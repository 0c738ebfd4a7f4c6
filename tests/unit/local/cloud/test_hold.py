"""Who runs the cloud of a directory: one process at a time, and everybody can see who."""

import fcntl
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.hold import AlreadyUp, Hold, holder
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError, Command, Daemon, first_to_end, launch, spawn
from local.cloud.stopping import clean, stop
from local.fargate.engine.marker import engine_marker

HOLD = """
import os, signal, sys
from pathlib import Path
from local.cloud.hold import Hold
from local.cloud.layout import Layout
hold = Hold.take(Layout(Path(sys.argv[1])), keeper=sys.argv[2] == "keeper", manner={"seed": 7})
open(sys.argv[3], "w").close()
signal.pause()
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "cloud")


@pytest.fixture
def other(layout: Layout, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """Another process that holds the directory, as a keeper or not."""
    fifo = tmp_path / "taken"
    os.mkfifo(fifo)
    arguments = [sys.executable, "-c", HOLD, str(layout.directory), request.param, str(fifo)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    daemon = launch("other", Command(arguments, environment, ROOT, tmp_path / "log"))
    fifo.read_text()
    yield daemon
    daemon.stop()


def test_one_at_a_time(layout: Layout) -> None:
    """Held, it cannot be taken; released, it can."""
    hold = Hold.take(layout)
    with pytest.raises(AlreadyUp):
        Hold.take(layout)
    hold.release()
    hold.release()
    Hold.take(layout).release()


def test_a_lock_that_nobody_has_noted_is_waited_for(layout: Layout) -> None:
    """Whoever was just being started by a process that has ended holds it until it executes its program."""
    layout.directory.mkdir(parents=True)
    inherited = layout.hold.open("a+")
    fcntl.flock(inherited, fcntl.LOCK_EX)
    executing = threading.Timer(0.1, inherited.close)
    executing.start()
    Hold.take(layout).release()
    executing.join()


def test_holder_is_known(layout: Layout) -> None:
    """Nobody before, this process meanwhile, nobody afterwards."""
    assert holder(layout) is None
    hold = Hold.take(layout, keeper=True)
    found = holder(layout)
    hold.release()
    assert found is not None
    assert (found.process.pid, found.keeper) == (os.getpid(), True)
    assert holder(layout) is None


@pytest.mark.parametrize("other", ["keeper"], indirect=True)
def test_killed_holder_holds_no_more(layout: Layout, other: Daemon) -> None:
    """However the process ended, the next one can take the directory; its note misleads nobody."""
    os.kill(other.pid, 9)
    first_to_end([other])
    assert holder(layout) is None
    Hold.take(layout).release()


def test_process_id_that_is_used_again_is_not_the_holder(layout: Layout) -> None:
    """After a reboot the note may name a stranger."""
    hold = Hold.take(layout)
    hold.release()
    note = {"keeper": True, "pid": os.getpid(), "started": 1, "log": "log"}
    layout.hold.write_text(json.dumps(note))
    assert holder(layout) is None


@pytest.mark.parametrize("other", ["keeper"], indirect=True)
def test_manner_is_known(layout: Layout, other: Daemon) -> None:
    """The options that a cloud runs with can be read by others."""
    found = holder(layout)
    assert found is not None
    assert (found.process.pid, found.manner) == (other.pid, {"seed": 7})


@pytest.mark.parametrize("directory", ["/proc/cloud", "/dev/null/cloud", "/dev/null"])
def test_directory_that_cannot_be_is_told(directory: str) -> None:
    """With what to do, before anything is started in it; and nothing can run there, so nothing need be stopped."""
    with pytest.raises(CloudError, match=rf"{directory} cannot be written: .*What to do: .*--directory"):
        Hold.take(Layout(Path(directory)))
    assert stop(Layout(Path(directory))) == []


@pytest.mark.parametrize("other", ["keeper"], indirect=True)
def test_keeper_is_stopped(layout: Layout, other: Daemon) -> None:
    """`down` ends the keeper."""
    assert stop(layout) == ["keeper"]
    assert not other.alive()


@pytest.mark.parametrize("other", ["test"], indirect=True)
def test_a_demo_or_a_test_is_not_stopped(layout: Layout, other: Daemon) -> None:
    """`down` ends what `up` started and nothing else, and says who is in the way."""
    with pytest.raises(AlreadyUp, match=f"Process {other.pid}, a demo, a test or sam-local, uses"):
        stop(layout)
    assert other.alive()


def test_what_a_killed_sam_local_left_is_stopped(layout: Layout) -> None:
    """`down` ends it with the cloud beside which it was started; and what its functions were unpacked to is gone."""
    left = layout.of_sam_local
    left.scratch.mkdir(parents=True)
    sleeping = Command([sys.executable, "-c", "import signal; signal.pause()"], {}, ROOT, left.logs / "sam local.log")
    daemon = spawn("sam local", sleeping, left.run)
    try:
        assert stop(layout) == ["sam local"]
        assert not daemon.alive()
    finally:
        daemon.stop()
    assert not left.scratch.exists()
    assert stop(layout) == []


def test_a_sam_local_that_runs_is_not_stopped(layout: Layout) -> None:
    """It is not left over."""
    hold = Hold.take(layout.of_sam_local)
    assert stop(layout) == []
    assert holder(layout.of_sam_local) is not None
    hold.release()


def test_an_engine_that_is_gone_is_told(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be left in it is said, what to do, and a way out when it will not be back."""
    layout.fargate.mkdir(parents=True)
    marker = engine_marker(layout.fargate)
    marker.touch()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{layout.directory}/no-engine")
    with pytest.raises(
        CloudError,
        match=rf"no-engine does not answer \(No such file or directory\)\. What to do: start it.* rm {marker}$",
    ):
        stop(layout)
    marker.unlink()
    assert stop(layout) == []


@pytest.mark.parametrize("other", ["keeper"], indirect=True)
def test_cleaning_up_after_oneself_ends_nobody_else(layout: Layout, other: Daemon) -> None:
    """Of two that start at the same moment, the one that fails leaves the other alone."""
    clean(layout)
    assert other.alive()
    assert holder(layout) is not None
