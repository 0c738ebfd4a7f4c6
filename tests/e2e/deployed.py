"""A local cloud with the stack deployed to it, for as long as a package of tests runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from local.cloud.cloud import LocalCloud
from local.cloud.layout import ROOT, Layout
from local.fargate.runtime import RuntimeName
from local.fargate.view import image_directory
from tests.e2e.stack import IMAGE, Stack

IMAGES: Final = (IMAGE, "debian:bookworm-slim")
"""What the requests of the tests and of `events/` name: in Docker mode the base image, so that no registry is asked."""


@contextmanager
def deployed(
    directory: Path, name: str, *, runtime: RuntimeName = RuntimeName.PROCESS, **parameters: object
) -> Iterator[Stack]:
    """The stack with these parameters, in a directory of its own; `name` is under which what sam built is kept.

    Everything that runs for it is ended by process id, whatever happens.
    """
    layout = Layout(directory)
    # From run to run: what did not change is not built, or downloaded, again.
    kept = ROOT / ".local" / name
    kept.mkdir(parents=True, exist_ok=True)
    layout.sam.symlink_to(kept)
    values = {name: str(value) for name, value in parameters.items()}
    cloud = LocalCloud(layout, parameters=values, runtime=runtime)
    with _ended_in_order(), cloud:
        for image in IMAGES:
            image_directory(layout.fargate, image).mkdir(parents=True)
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
