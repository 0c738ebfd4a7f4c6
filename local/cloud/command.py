"""`python -m local up` and `down`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from local.cloud.environment import read_environment
from local.cloud.hold import Holder, already_up, holder
from local.cloud.keeper import restarts
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError, Command, first_to_end, launch, tail
from local.cloud.report import follow
from local.cloud.stopping import KEEPER_SECONDS, clean, stop
from local.fargate.choice import choose, lacking
from local.fargate.runtime import RuntimeName

IMAGES_OF_EVENTS: Final = ("python:3.13-slim", "debian:bookworm-slim")
"""What the requests in `events/` name."""
_USABLE_SECONDS: Final = 300
_LOOK_SECONDS: Final = 0.1


def up(options: argparse.Namespace, layout: Layout) -> int:
    """Starts the local cloud and leaves it running. One that runs already is named, not touched.

    `options` are those of `add_up`. Raises `CloudError` when it cannot be started; nothing runs then.
    """
    found = holder(layout)
    if found is None:
        runtime = settle(options.runtime, print)
        print("Starting the local cloud ...", flush=True)
        _start_keeper(options, layout, runtime)
    elif found.keeper:
        print(f"The local cloud runs already (keeper: process {found.process.pid}); it is left as it is.")
        _wait_until_usable(layout, found)
        _tell_restarts(layout)
    else:
        raise already_up(layout)
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


def _start_keeper(options: argparse.Namespace, layout: Layout, runtime: RuntimeName) -> None:
    reading, writing = os.pipe()
    arguments = [
        *(sys.executable, "-m", "local.cloud.keeper"),
        *("--directory", str(layout.directory)),
        *("--port", str(options.port)),
        *("--speed", options.speed),
        *("--runtime", runtime),
        *("--report", str(writing)),
        *(() if options.seed is None else ("--seed", str(options.seed))),
        *_images(runtime),
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


def _images(runtime: RuntimeName) -> Sequence[str]:
    """The base image stands for those that the engine does not have: no registry is asked."""
    if runtime is not RuntimeName.DOCKER:
        return ()
    images = asyncio.run(lacking(IMAGES_OF_EVENTS))
    return [argument for image in images for argument in ("--image", image)]


def _wait_until_usable(layout: Layout, keeper: Holder) -> None:
    """It may just be starting, for the first time or after the local AWS crashed."""
    deadline = time.monotonic() + _USABLE_SECONDS
    log = keeper.process.log
    if not layout.env.exists():
        print(f"It is just being started; see {log}.", flush=True)
    while not layout.env.exists():
        if not keeper.process.alive():
            raise CloudError(f"It ended without having become usable.\n{tail(log)}")
        if time.monotonic() > deadline:
            raise CloudError(f"It did not become usable within {_USABLE_SECONDS} s.\n{tail(log)}")
        time.sleep(_LOOK_SECONDS)


def _tell_restarts(layout: Layout) -> None:
    for name, times in sorted(restarts(layout).items()):
        print(f"{name} ended {times} time{'s' * (times > 1)} and was started again; see {_shown(layout.logs)}/.")


def _tell_endpoints(layout: Layout) -> None:
    values = read_environment(layout.env)
    where = "" if layout == Layout() else f" --directory {_shown(layout.directory)}"
    print(f"""
  AWS endpoint   {values["AWS_ENDPOINT_URL"]}
  ECS endpoint   {values["AWS_ENDPOINT_URL_ECS"]}
  table          {values["CONTAINERS_TABLE_NAME"]}
  logs           {_shown(layout.logs)}/

Use it:   . {_shown(layout.env)} && aws dynamodb scan --table-name "$CONTAINERS_TABLE_NAME"
Stop it:  make down{f' ARGS="{where.strip()}"' if where else ""}""")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
