"""One command at a time works on the cloud of a directory, and `down` ends what is left there and nothing else."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.cloud.layout import ROOT, Layout
from local.cloud.lock import AlreadyUp, locked
from local.cloud.processes import CloudError, Command, Daemon, noted, spawn
from local.cloud.stopping import left_running, stop
from local.fargate.state_directory import engine_marker

LOCK = """
import signal, sys
from pathlib import Path
from local.cloud.layout import Layout
from local.cloud.lock import locked
from reach.signals import unwind_on_signals
unwind_on_signals()
with locked(Layout(Path(sys.argv[1])), sys.argv[2]):
    open(sys.argv[3], "w").close()
    signal.pause()
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "cloud")


@pytest.fixture
def other(layout: Layout, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """Another process that has the lock, as the command of this name."""
    fifo = tmp_path / "taken"
    os.mkfifo(fifo)
    arguments = [sys.executable, "-c", LOCK, str(layout.directory), request.param, str(fifo)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    daemon = spawn("other", Command(arguments, environment, ROOT, tmp_path / "log"), tmp_path)
    fifo.read_text()
    yield daemon
    daemon.stop()


def sleeping(layout: Layout, name: str) -> Daemon:
    command = Command([sys.executable, "-c", "import signal; signal.pause()"], {}, ROOT, layout.logs / name)
    return spawn(name, command, layout.run)


@pytest.mark.parametrize("other", ["a demo or a test"], indirect=True)
def test_one_at_a_time(layout: Layout, other: Daemon) -> None:
    """While one command works on a directory, another is refused with who it is; afterwards it is not."""
    said = f"Process {other.pid} (a demo or a test) uses {layout.directory}. What to do: "
    with pytest.raises(AlreadyUp, match=re.escape(said)), locked(layout, "up", wait_for="up"):
        pass
    other.stop()
    with locked(layout, "up"):
        pass


@pytest.mark.parametrize("other", ["up"], indirect=True)
def test_killed_command_has_the_lock_no_more(layout: Layout, other: Daemon) -> None:
    """However the process ended, the next one can take the directory."""
    os.kill(other.pid, 9)
    psutil.Process(other.pid).wait(10)
    with locked(layout, "up"):
        pass


@pytest.mark.parametrize("directory", ["/proc/cloud", "/dev/null/cloud", "/dev/null"])
def test_directory_that_cannot_be_is_refused(directory: str) -> None:
    """`up` fails with what to do before it starts anything, and `down` has nothing to stop."""
    with (
        pytest.raises(CloudError, match=rf"{directory} cannot be written: .*What to do: .*--directory"),
        locked(Layout(Path(directory)), "up"),
    ):
        pass
    assert stop(Layout(Path(directory))) == []


@pytest.mark.parametrize("other", ["up"], indirect=True)
def test_up_that_is_at_work_is_interrupted(layout: Layout, other: Daemon) -> None:
    """`down` ends an `up` that is just starting a cloud."""
    assert stop(layout) == ["up"]
    assert not other.alive()


@pytest.mark.parametrize("other", ["a demo or a test"], indirect=True)
def test_a_demo_or_a_test_is_not_stopped(layout: Layout, other: Daemon) -> None:
    """`down` ends what `up` started and nothing else."""
    with pytest.raises(AlreadyUp, match=f"Process {other.pid} "):
        stop(layout)
    assert other.alive()


def test_what_is_left_is_stopped(layout: Layout) -> None:
    """Processes with a pid file end, and what was published about them is gone; a second time there is nothing."""
    daemon = sleeping(layout, "ministack")
    published = (layout.env, layout.function_variables, layout.options)
    for file in published:
        file.write_text("{}")
    layout.scratch.mkdir()
    assert stop(layout) == ["ministack"]
    assert not daemon.alive()
    assert list(noted(layout.run)) == []
    assert [path for path in (*published, layout.scratch) if path.exists()] == []
    assert stop(layout) == []


def test_what_up_left_running_is_known(layout: Layout) -> None:
    """The options are known as long as all processes run; a cloud without one of them does not count."""
    daemons = [sleeping(layout, name) for name in ("fargate", "ministack")]
    assert left_running(layout) is None
    layout.options.write_text(json.dumps({"seed": 7}))
    assert left_running(layout) == {"seed": 7}
    os.kill(daemons[0].pid, 9)
    psutil.Process(daemons[0].pid).wait(10)
    assert left_running(layout) is None
    assert stop(layout) == ["ministack"]


def test_options_without_processes_are_no_cloud(layout: Layout) -> None:
    """After a reboot with a cleaned directory nothing runs, whatever the file says."""
    layout.directory.mkdir()
    layout.options.write_text("{}")
    assert left_running(layout) is None


def test_an_engine_that_is_gone_is_reported(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what may be left in the engine, what to do, and what to remove when it is gone for good."""
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
