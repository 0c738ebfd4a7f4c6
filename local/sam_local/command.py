"""`python -m local sam-local`: all functions on a cloud of its own, or one on the cloud that is up."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from local import event_files
from local.cloud.cloud import LocalCloud
from local.cloud.environment import published_environment, read_environment
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.fargate.engine.connection import NoEngine
from local.fargate.runtime import RuntimeName
from local.sam_local.invoke import FUNCTIONS, sam_local
from local.sam_local.script import Script


def run(options: argparse.Namespace, layout: Layout) -> int:
    """The exit code; `options` are those of `add_sam_local`. Raises `CloudError`."""
    try:
        if options.function is None:
            return _all(Layout(layout.directory / "sam-local-cloud"))
        return _one(options, layout)
    except NoEngine as error:
        raise CloudError(f"{error}\nOn Debian and Ubuntu: sudo local/docker/engine.sh start") from error


def _all(layout: Layout) -> int:
    print("The local cloud, its tasks in Docker")
    image = event_files.read("start-container")["image"]
    with LocalCloud(layout, runtime=RuntimeName.DOCKER, images=(image,), say=_indented) as cloud:
        environ = published_environment(cloud.endpoint, cloud.ecs_endpoint, cloud.outputs)
        with sam_local(layout, environ, _indented) as sam:
            Script(cloud, sam, _said).play()
    print("\nEvery function answered and changed what it must. Everything is stopped.")
    return 0


def _one(options: argparse.Namespace, layout: Layout) -> int:
    function = options.function.removesuffix("Function")
    if function not in FUNCTIONS:
        raise CloudError(f"There is no function {options.function}. What to do: choose one of {', '.join(FUNCTIONS)}.")
    if options.event is None:
        raise CloudError(f"{options.function} needs an event. What to do: --event FILE, for instance one of events/.")
    event = _event(options)
    try:
        environ = read_environment(layout.env)
    except FileNotFoundError as error:
        raise CloudError('No local cloud is up. What to do: make up ARGS="--runtime docker"') from error
    with sam_local(layout, environ, _logged) as sam:
        answer = sam.invoke(function, event)
    print(sam.log(function).read_text(), file=sys.stderr)
    print(json.dumps(answer, indent=2))
    return 0


def _event(options: argparse.Namespace) -> Any:
    try:
        return json.loads(sys.stdin.read() if str(options.event) == "-" else options.event.read_text())
    except (OSError, ValueError) as error:
        raise CloudError(f"{options.event} is no event: {error}") from error


def _said(line: str) -> None:
    print(line, flush=True)


def _logged(line: str) -> None:
    """Standard output is for the answer."""
    print(line, file=sys.stderr)


def _indented(line: str) -> None:
    _said(f"  {line}")
