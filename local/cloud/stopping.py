"""Stops everything that runs for one directory, using its pid files; and what runs there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

from local.cloud.layout import Layout
from local.cloud.lock import interrupt, locked
from local.cloud.processes import CloudError, forget, noted
from local.fargate.state_directory import engine_marker


def left_running(layout: Layout) -> Mapping[str, Any] | None:
    """The options of the cloud that `up` left running, by name; None unless every process of it runs."""
    if not layout.options.exists():
        return None
    options: dict[str, Any] = json.loads(layout.options.read_text())
    daemons = list(noted(layout.run))
    return options if daemons and all(daemon.alive() for daemon in daemons) else None


def end_processes(layout: Layout) -> list[str]:
    """Ends the processes with a pid file in this directory, the tasks before the AWS that gets their events.

    Also what outlives them: files, and containers of a local Fargate that was killed. The caller has the lock.
    Returns the names of those that ran. Idempotent.
    """
    for file in (layout.env, layout.function_variables, layout.options):
        file.unlink(missing_ok=True)
    ran = []
    for daemon in noted(layout.run):  # by name: fargate, ministack, and sam, if it was at work
        if daemon.alive():
            ran.append(daemon.name)
        daemon.stop()
        forget(layout.run, daemon)
    shutil.rmtree(layout.scratch, ignore_errors=True)
    _remove_containers(layout)
    return ran


def stop(layout: Layout) -> list[str]:
    """Stops the cloud that `up` left running or is starting, and what a command that was killed has left.

    Returns the names of the processes that ran. Raises `AlreadyUp` when a demo or a test uses the directory,
    `CloudError` when there may be containers in an engine that does not answer.
    """
    if not layout.directory.is_dir():
        return []
    interrupted = ["up"] if layout.lock.exists() and interrupt(layout, "up") else []
    with locked(layout, "down"):
        return interrupted + end_processes(layout)


def _remove_containers(layout: Layout) -> None:
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
