"""`python -m local sam-local`: all functions on a cloud of its own, or one on the cloud that is up."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from local import event_files
from local.cloud.cloud import LocalCloud
from local.cloud.environment import published_environment, read_environment
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.fargate.client import LocalFargate
from local.fargate.engine.connection import NoEngine, require
from local.fargate.runtime import RuntimeName
from local.sam_local.invoke import FUNCTIONS, sam_local
from local.sam_local.script import Script

_REPORT: Final = "\nREPORT RequestId: "
"""What begins the last line of an invocation. After it the runtime complains that SAM ends it, as of an error."""


def run(options: argparse.Namespace, layout: Layout) -> int:
    """The exit code; `options` are those of `add_sam_local`. Raises `CloudError`."""
    if options.function is None and (options.event or options.as_is):
        options.refuse("an event is for one FUNCTION, which is missing")
    try:
        return _all(layout.of_sam_local) if options.function is None else _one(options, layout)
    except NoEngine as error:
        raise CloudError(str(error)) from error


def _all(layout: Layout) -> int:
    asyncio.run(require())
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
        answer = sam.invoke(function, event if options.as_is else _retold(options, event, environ))
    _logged(_of_the_invocation(sam.log(function).read_text()))
    print(json.dumps(answer, indent=2))
    return 0


def _event(options: argparse.Namespace) -> Any:
    from_stdin = str(options.event) == "-"
    try:
        return json.loads(sys.stdin.read() if from_stdin else options.event.read_text())
    except (OSError, ValueError) as error:
        what = "Standard input" if from_stdin else options.event
        raise CloudError(f"{what} cannot be read as JSON: {error}. What to do: give an event in JSON.") from error


def _retold(options: argparse.Namespace, event: Any, environ: Mapping[str, str]) -> Any:
    """The event; of `events/` about a task: about the one that runs for the container of these files, if one does."""
    file = options.event.resolve()
    if file not in event_files.EVENTS.iterdir() or not event_files.is_about_the_task(event):
        return event
    container = event_files.container_id()
    tasks = LocalFargate(environ["AWS_ENDPOINT_URL_ECS"]).tasks()
    running = [task for task in tasks if task["last_status"] == "RUNNING" and container in (task["started_by"] or "")]
    if not running:
        return event
    arn, address = running[-1]["arn"], running[-1]["address"]
    _logged(f"{file.name} is told of the task that runs, {arn} at {address}; --as-is leaves it alone.")
    return event_files.retold(file.stem, container=container, task_arn=arn, address=address)


def _of_the_invocation(log: str) -> str:
    before, report, after = log.partition(_REPORT)
    return before + report + after.partition("\n")[0]


def _said(line: str) -> None:
    print(line, flush=True)


def _logged(line: str) -> None:
    """Standard output is for the answer."""
    print(line, file=sys.stderr)


def _indented(line: str) -> None:
    _said(f"  {line}")
