"""The local Fargate as a child process, on one address only, and what an operator would stage for its tasks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.cloud.agent_binary import place_agent
from local.cloud.environment import engine_environment, isolated_environment
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import Command, Daemon, spawn
from local.fargate.runtime import RuntimeName
from local.fargate.state_directory import efs_directory, image_directory

NAME: Final = "fargate"
READY_PATH: Final = "/_local/health"
READY_SECONDS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """How tasks run: `speed` as `--speed` takes it, `seed` of the durations, `runtime` what containers are."""

    speed: str = "fast"
    seed: int | None = None
    runtime: RuntimeName = RuntimeName.PROCESS


def start_fargate(layout: Layout, host: str, port: int, aws_endpoint: str, options: TaskOptions) -> Daemon:
    """Starts it on `host` and `port`; returns before it is ready (`READY_PATH` answers 200 then)."""
    arguments = [
        *(sys.executable, "-m", "local.fargate"),
        *("--host", host),
        *("--port", str(port)),
        *("--aws-endpoint", aws_endpoint),
        *("--state-dir", str(layout.fargate)),
        *("--speed", options.speed),
        *("--runtime", options.runtime),
        *(() if options.seed is None else ("--seed", str(options.seed))),
    ]
    # It uses the core, which is not installed.
    environment = isolated_environment(
        {"AWS_ENDPOINT_URL": aws_endpoint, "PYTHONPATH": str(ROOT / "src"), **engine_environment()}
    )
    command = Command(arguments, environment, cwd=ROOT, log=layout.logs / f"{NAME}.log")
    return spawn(NAME, command, layout.run)


def stage_agent(layout: Layout, parameters: Mapping[str, str], images: Iterable[str]) -> None:
    """Puts the agent where an operator would: on the stack's file system, and into the images that bring it."""
    efs = efs_directory(layout.fargate, parameters["EfsFileSystemId"], parameters["EfsAccessPointId"])
    agent = place_agent(efs / "sockerless-agent")
    for image in images:
        shutil.copy2(agent, _staged(layout, image) / "sockerless-agent")


def stage_images(layout: Layout, images: Iterable[str]) -> None:
    """Makes images that need no registry: in Docker mode each is the base image, with nothing on top."""
    for image in images:
        _staged(layout, image)


def _staged(layout: Layout, image: str) -> Path:
    directory = image_directory(layout.fargate, image)
    directory.mkdir(parents=True, exist_ok=True)
    return directory
