"""Who runs the cloud of a directory: one process at a time, and everybody can see who."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.hold import AlreadyUp, Hold, holder
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import Command, Daemon, first_to_end, launch
from local.cloud.stopping import clean, stop

HOLD = """
import os, signal, sys
from pathlib import Path
from local.cloud.hold import Hold
from local.cloud.layout import Layout
hold = Hold.take(Layout(Path(sys.argv[1])), keeper=sys.argv[2] == "keeper")
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
def test_keeper_is_stopped(layout: Layout, other: Daemon) -> None:
    """`down` ends the keeper."""
    assert stop(layout) == ["keeper"]
    assert not other.alive()


@pytest.mark.parametrize("other", ["test"], indirect=True)
def test_a_demo_or_a_test_is_not_stopped(layout: Layout, other: Daemon) -> None:
    """`down` ends what `up` started and nothing else, and says who is in the way."""
    with pytest.raises(AlreadyUp, match=f"Process {other.pid}, a demo or a test, uses"):
        stop(layout)
    assert other.alive()


@pytest.mark.parametrize("other", ["keeper"], indirect=True)
def test_cleaning_up_after_oneself_ends_nobody_else(layout: Layout, other: Daemon) -> None:
    """Of two that start at the same moment, the one that fails leaves the other alone."""
    clean(layout)
    assert other.alive()
    assert holder(layout) is not None
