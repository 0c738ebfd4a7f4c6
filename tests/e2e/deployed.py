"""A local cloud with the stack deployed to it, for as long as a package of tests runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from local.cloud.cloud import LocalCloud
from local.cloud.command import IMAGES_OF_EVENTS
from local.cloud.layout import Layout
from local.cloud.processes import LOOPBACK
from local.fargate.runtime import RuntimeName
from tests.e2e.stack import IMAGE, Stack

IMAGES: Final = tuple({IMAGE, *IMAGES_OF_EVENTS})
"""What the requests of the tests and of `events/` name: in Docker mode the base image, so that no registry is asked."""


@contextmanager
def deployed(
    directory: Path, *, runtime: RuntimeName = RuntimeName.PROCESS, host: str = LOOPBACK, **parameters: object
) -> Iterator[Stack]:
    """The stack with these parameters, in a directory of its own, its AWS and its Fargate on `host`.

    Everything that runs for it is ended by process id, whatever happens.
    """
    layout = Layout(directory)
    values = {name: str(value) for name, value in parameters.items()}
    cloud = LocalCloud(layout, parameters=values, host=host, runtime=runtime, images=IMAGES)
    with _ended_in_order(), cloud:
        yield Stack(cloud)


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
