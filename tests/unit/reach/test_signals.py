"""Signals that end a command, and moments in which they have to wait."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from local.cloud.processes import Command, noted, spawn
from reach.signals import deferred, unwinding


@pytest.fixture
def _unwinding() -> Iterator[None]:
    """SIGTERM raises, as in a command."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_unwinding")
def test_a_signal_waits_for_the_end_and_is_not_lost() -> None:
    """Inside `deferred` a signal waits; then the command unwinds."""
    done = []

    def halfway() -> None:
        with deferred():
            signal.raise_signal(signal.SIGTERM)
            done.append("the rest")

    with pytest.raises(KeyboardInterrupt):
        halfway()
    assert done == ["the rest"]


@pytest.mark.usefixtures("_unwinding")
def test_without_a_signal_everything_is_as_before() -> None:
    """After `deferred` the handlers are those from before it."""
    handler = signal.getsignal(signal.SIGTERM)
    with deferred():
        assert signal.getsignal(signal.SIGTERM) is not handler
    assert signal.getsignal(signal.SIGTERM) is handler


class Interrupted(Command):
    """A command that is being started when the signal comes."""

    def start(self) -> subprocess.Popen[bytes]:
        signal.raise_signal(signal.SIGTERM)
        return super().start()


@pytest.mark.usefixtures("_unwinding")
def test_what_was_started_when_the_signal_came_is_noted(tmp_path: Path) -> None:
    """A process that was starting when the signal came has a pid file."""
    command = Interrupted([sys.executable, "-c", "import signal; signal.pause()"], {}, tmp_path, tmp_path / "log")
    with pytest.raises(KeyboardInterrupt):
        spawn("interrupted", command, tmp_path / "run")
    [daemon] = noted(tmp_path / "run")
    assert daemon.alive()
    daemon.stop()


def test_only_the_first_signal_unwinds() -> None:
    """A second one would end the clean-up that the first one began. Afterwards the handlers are those from before."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    done = []

    def interrupted() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            done.append("cleaned up")

    with unwinding(), pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["cleaned up"]
    assert {number: signal.getsignal(number) for number in handlers} == handlers
