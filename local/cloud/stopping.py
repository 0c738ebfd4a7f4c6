"""How what runs for the cloud of a directory is ended, whoever started it: by its notes."""

from __future__ import annotations

import shutil
from typing import Final

from local.cloud.hold import AlreadyUp, Hold, holder
from local.cloud.layout import Layout
from local.cloud.processes import CloudError, forget, noted
from local.fargate.engine.marker import engine_marker

KEEPER_SECONDS: Final = 60
"""For a keeper to end, with all that it keeps: more than its processes get, one after the other."""


def end_processes(layout: Layout) -> list[str]:
    """Stops exactly the processes noted in this directory, the tasks before the AWS that hears of their end.

    For who holds the directory. Returns the names of those that ran. Idempotent.
    """
    for file in (layout.env, layout.restarts):
        file.unlink(missing_ok=True)
    ran = []
    for daemon in noted(layout.run):  # in the order of their names: fargate, ministack, and sam, if it was at work
        if daemon.alive():
            ran.append(daemon.name)
        daemon.stop()
        forget(layout.run, daemon)
    shutil.rmtree(layout.scratch, ignore_errors=True)
    _remove_leftovers(layout)
    return ran


def stop(layout: Layout) -> list[str]:
    """Stops the cloud that `make up` left running, its keeper first, and what is left of one whose keeper was killed.

    Also what a `make sam-local` has left that was killed. Returns the names of the processes that ran. Raises
    `AlreadyUp` when a demo or a test uses the directory, `CloudError` when there may be more in an engine that is gone.
    """
    if not layout.directory.is_dir():
        return []
    found = holder(layout)
    ran = [daemon.name for daemon in noted(layout.run) if daemon.alive()]
    if found is not None and found.keeper:
        ran.append(found.process.name)
        found.process.stop(KEEPER_SECONDS)
    _end_left_over(layout)
    if layout.of_sam_local.directory.is_dir():
        ran += clean(layout.of_sam_local)
    return ran


def clean(layout: Layout) -> list[str]:
    """Ends what somebody who was killed has left, unless somebody else has taken the directory in the meantime."""
    try:
        return _end_left_over(layout)
    except AlreadyUp:
        return []


def _end_left_over(layout: Layout) -> list[str]:
    hold = Hold.take(layout)
    try:
        return end_processes(layout)
    finally:
        hold.release()


def _remove_leftovers(layout: Layout) -> None:
    """Containers outlive a local Fargate that was killed, as processes do not."""
    marker = engine_marker(layout.fargate)
    if not marker.exists():
        return
    from local.fargate.engine.connection import NoEngine  # noqa: PLC0415 - process mode needs no engine's client
    from local.fargate.engine.ownership import remove_leftovers  # noqa: PLC0415 - as above

    try:
        remove_leftovers(layout.fargate)
    except NoEngine as exc:
        raise CloudError(
            f"{exc} Containers of {layout.directory} may be left in it; when it is gone for good: rm {marker}"
        ) from exc
