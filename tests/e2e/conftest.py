"""One local cloud with the stack deployed to it, for all tests of this directory; each has containers of its own."""

from __future__ import annotations

import hashlib
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from local.cloud.cloud import LocalCloud
from local.cloud.layout import ROOT, Layout
from tests.e2e.stack import HEALTH_TIMEOUT, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed stack. Everything that runs for it is ended by process id, whatever happens."""
    layout = Layout(tmp_path_factory.mktemp("cloud"))
    # What sam built is kept from run to run: what did not change is not built, or downloaded, again.
    kept = ROOT / ".local" / "e2e"
    kept.mkdir(parents=True, exist_ok=True)
    layout.sam.symlink_to(kept)
    cloud = LocalCloud(layout, parameters={"HealthTimeoutSeconds": str(HEALTH_TIMEOUT)})
    with _ended_in_order(), cloud:
        yield Stack(cloud)


@pytest.fixture
def container_id(request: pytest.FixtureRequest) -> str:
    """A container of this test's own, the same in every run."""
    return hashlib.sha256(request.node.nodeid.encode()).hexdigest()


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """A signal that ends pytest ends it like Ctrl-C, with all fixtures: the cloud's processes would outlive it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
