"""`python -m local up` and `down`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from local.cloud.cloud import AWS_PORT
from local.cloud.environment import read_environment
from local.cloud.hold import Holder, already_up, holder, make_directory
from local.cloud.keeper import restarts
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError, Command, first_to_end, launch
from local.cloud.report import follow
from local.cloud.stopping import KEEPER_SECONDS, clean, stop
from local.fargate.choice import choose
from local.fargate.runtime import RuntimeName

IMAGES_OF_EVENTS: Final = ("python:3.13-slim", "debian:bookworm-slim")
"""What the requests in `events/` name: in Docker mode the base image, which needs no registry and has a Python."""
_USUAL: Final = {"runtime": RuntimeName.AUTO, "speed": "fast", "seed": None, "port": AWS_PORT}
"""The options of `up` that were not given."""
_USABLE_SECONDS: Final = 300
_LOOK_SECONDS: Final = 0.1


def up(options: argparse.Namespace, layout: Layout) -> int:
    """Starts the local cloud and leaves it running. One that runs already is named, not touched.

    `options` are those of `add_up`. Raises `CloudError` when it cannot be started, nothing runs then; and when one
    runs in another manner than the one that was asked for.
    """
    make_directory(layout)
    given = {name: value for name in _USUAL if (value := getattr(options, name)) is not None}
    found = holder(layout) or _started({**_USUAL, **given}, layout)
    if found is not None:
        _join(found, given, layout)
    _tell_endpoints(layout)
    return 0


def down(layout: Layout) -> int:
    """Stops what `up` left running, and no others."""
    stopped = stop(layout)
    print(f"Stopped: {', '.join(stopped)}." if stopped else "The local cloud was not running.")
    return 0


def settle(asked: RuntimeName, say: Callable[[str], None]) -> RuntimeName:
    """What containers will be, decided before anything starts and said. Raises `CloudError` without an engine."""
    from local.fargate.engine.connection import NoEngine  # noqa: PLC0415 - process mode needs no engine's client

    try:
        choice = asyncio.run(choose(asked))
    except NoEngine as exc:
        raise CloudError(f"{exc} Or: --runtime process") from exc
    what = "containers of Docker" if choice.runtime is RuntimeName.DOCKER else "processes of this machine"
    say(f"Tasks run as {what}: {choice.why}")
    return choice.runtime


def _started(wanted: Mapping[str, Any], layout: Layout) -> Holder | None:
    """None once it is usable; who runs it when somebody else was a moment earlier."""
    runtime = settle(wanted["runtime"], print)
    print("Starting the local cloud ...", flush=True)
    try:
        _start_keeper({**wanted, "runtime": runtime}, layout)
    except CloudError:
        found = holder(layout)
        if found is None:
            raise
        return found
    return None


def _join(found: Holder, given: Mapping[str, Any], layout: Layout) -> None:
    """Returns when the cloud that runs already is usable. Raises `CloudError` when it is not the one that is wanted."""
    if not found.keeper:
        raise already_up(layout)
    runs = _words(found.manner)
    print(f"The local cloud runs already (keeper: process {found.process.pid}; {runs}); it is left as it is.")
    other = {
        name: value for name, value in given.items() if value not in (RuntimeName.AUTO, found.manner.get(name, value))
    }
    if other:
        raise CloudError(
            f"It runs with {runs}, not with {_words(other)}. What to do: make down{_arguments(layout)}, then "
            f'make up ARGS="{" ".join([*_where(layout), _words(given)])}"'
        )
    _wait_until_usable(layout, found)
    _tell_restarts(layout)


def _words(manner: Mapping[str, object]) -> str:
    return " ".join(f"--{name} {value}" for name, value in manner.items() if value is not None)


def _start_keeper(manner: Mapping[str, Any], layout: Layout) -> None:
    reading, writing = os.pipe()
    arguments = [
        *(sys.executable, "-m", "local.cloud.keeper"),
        *("--directory", str(layout.directory)),
        *("--report", str(writing)),
        *_words(manner).split(),
        *(argument for image in IMAGES_OF_EVENTS for argument in ("--image", image)),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    log = layout.logs / "keeper.log"
    # In the caller's directory: AGENT_BINARY may be a relative path.
    keeper = launch("keeper", Command(arguments, environment, Path.cwd(), log, append=True, inherited=(writing,)))
    try:
        os.close(writing)
        with os.fdopen(reading) as lines:
            follow(lines, lambda line: print(f"  {line}", flush=True), log)
    except BaseException as error:
        if isinstance(error, CloudError):
            first_to_end([keeper], KEEPER_SECONDS)  # it ends by itself
        keeper.stop(KEEPER_SECONDS)
        clean(layout)
        raise


def _wait_until_usable(layout: Layout, keeper: Holder) -> None:
    """It may just be starting, for the first time or after the local AWS crashed."""
    deadline = time.monotonic() + _USABLE_SECONDS
    log = keeper.process.log
    if not layout.env.exists():
        print(f"It is just being started; see {log}.", flush=True)
    while not layout.env.exists():
        if not keeper.process.alive():
            raise CloudError(f"It ended without having become usable. What to do: see {log}, then make up")
        if time.monotonic() > deadline:
            raise CloudError(f"It did not become usable within {_USABLE_SECONDS} s. What to do: see {log}")
        time.sleep(_LOOK_SECONDS)


def _tell_restarts(layout: Layout) -> None:
    for name, times in sorted(restarts(layout).items()):
        print(f"{name} ended {times} time{'s' * (times > 1)} and was started again; see {_shown(layout.logs)}/.")


def _tell_endpoints(layout: Layout) -> None:
    values = read_environment(layout.env)
    print(f"""
  AWS endpoint   {values["AWS_ENDPOINT_URL"]}
  ECS endpoint   {values["AWS_ENDPOINT_URL_ECS"]}
  table          {values["CONTAINERS_TABLE_NAME"]}
  logs           {_shown(layout.logs)}/

Use it:   . {_shown(layout.env)} && aws dynamodb scan --table-name "$CONTAINERS_TABLE_NAME"
Stop it:  make down{_arguments(layout)}""")


def _where(layout: Layout) -> Sequence[str]:
    """The options that name the directory, if one need be named."""
    return () if layout == Layout() else ("--directory", _shown(layout.directory))


def _arguments(layout: Layout) -> str:
    return f' ARGS="{" ".join(where)}"' if (where := _where(layout)) else ""


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
