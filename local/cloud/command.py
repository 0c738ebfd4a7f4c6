"""`python -m local up` and `down`."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from local.cloud.build import INVOKED
from local.cloud.cloud import AWS_PORT, LocalCloud
from local.cloud.environment import read_environment
from local.cloud.layout import DEFAULT_DIRECTORY, ROOT, Layout
from local.cloud.lock import AlreadyUp, locked
from local.cloud.processes import LOOPBACK, CloudError
from local.cloud.stopping import left_running, stop
from local.fargate.choice import choose
from local.fargate.runtime import RuntimeName

IMAGES_OF_EVENTS: Final = ("python:3.13-slim", "debian:bookworm-slim", "alpine")
"""What the requests in `events/` name: in Docker mode the base image, which needs no registry and has a Python."""
DEFAULTS: Final = {
    "runtime": RuntimeName.AUTO,
    "speed": "fast",
    "seed": None,
    "host": LOOPBACK,
    "port": AWS_PORT,
    "agent_flavor": "spec",
}
"""The options of `up` that were not given."""


def up(options: argparse.Namespace, layout: Layout) -> int:
    """Starts the local cloud and leaves it running. One that runs already stays as it is, and is described.

    `options` are those of `add_up`. Raises `CloudError` when it cannot be started, nothing runs then; and when one
    runs with other options than those given.
    """
    given = {name: value for name in DEFAULTS if (value := getattr(options, name)) is not None}
    with locked(layout, "up", wait_for="up"):
        if (runs := left_running(layout)) is None:
            _start({**DEFAULTS, **given}, layout)
        else:
            _compare(runs, given, layout)
    _print_endpoints(layout)
    return 0


def down(layout: Layout) -> int:
    """Stops what `up` left running."""
    stopped = stop(layout)
    print(f"Stopped: {', '.join(stopped)}." if stopped else "The local cloud was not running.")
    return 0


def choose_runtime(wanted: RuntimeName, say: Callable[[str], None]) -> RuntimeName:
    """What containers will be, and why. Raises `CloudError` when Docker is wanted and no engine answers."""
    from local.fargate.engine.connection import NoEngine  # noqa: PLC0415 - process mode needs no engine's client

    try:
        choice = asyncio.run(choose(wanted))
    except NoEngine as exc:
        raise CloudError(f"{exc} Or: --runtime process") from exc
    what = "containers of Docker" if choice.runtime is RuntimeName.DOCKER else "processes of this machine"
    say(f"Tasks run as {what}: {choice.why}")
    return choice.runtime


def _start(wanted: Mapping[str, Any], layout: Layout) -> None:
    options = {**wanted, "runtime": choose_runtime(wanted["runtime"], print)}
    print("Starting the local cloud ...", flush=True)
    LocalCloud(layout, **options, images=IMAGES_OF_EVENTS, say=lambda line: print(f"  {line}", flush=True)).start()
    layout.options.write_text(json.dumps(options))


def _compare(runs: Mapping[str, Any], given: Mapping[str, Any], layout: Layout) -> None:
    """Raises `AlreadyUp` when what runs is not what is wanted."""
    print(f"The local cloud runs already ({_words(runs)}); it is left as it is.")
    other = {name: value for name, value in given.items() if value not in (RuntimeName.AUTO, runs.get(name, value))}
    if other:
        raise AlreadyUp(
            f"It runs with {_words(runs)}, not with {_words(other)}. What to do: make down{_arguments(layout)}, then "
            f'make up ARGS="{" ".join([*_where(layout), _words(given)])}"'
        )


def _words(options: Mapping[str, object]) -> str:
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items() if value is not None)


def _print_endpoints(layout: Layout) -> None:
    values = read_environment(layout.env)
    print(f"""
  AWS endpoint   {values["AWS_ENDPOINT_URL"]}
  ECS endpoint   {values["AWS_ENDPOINT_URL_ECS"]}
  table          {values["CONTAINERS_TABLE_NAME"]}
  logs           {_shown(layout.logs)}/

Use it:   . {_shown(layout.env)} && reach ps      (docs/reach.md)
Stop it:  make down{_arguments(layout)}""")
    if LOOPBACK not in values["AWS_ENDPOINT_URL"]:  # containers of functions do not reach this machine's loopback
        print(f"""Invoke:   sam local invoke TaskStateFunction --event events/task-running.json \\
              --template {_shown(layout.sam / "build" / INVOKED)} --env-vars {_shown(layout.function_variables)}""")


def _where(layout: Layout) -> tuple[str, ...]:
    """The options that name the directory, if one need be named."""
    return () if layout.directory == DEFAULT_DIRECTORY else ("--directory", _shown(layout.directory))


def _arguments(layout: Layout) -> str:
    return f' ARGS="{" ".join(where)}"' if (where := _where(layout)) else ""


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
