"""What an operator would stage for tasks: the agent, on the file system and in images, and images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from local.agent.package import build
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.fargate.state_directory import efs_directory, image_directory

AGENT_BINARY: Final = "AGENT_BINARY"
"""A file to use unchanged in place of the flavor's agent. For Docker mode: in process mode an agent must obey
SOCKERLESS_AGENT_HOST."""


def place_agent(target: Path, flavor: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Puts the agent at `target`, executable by everyone. Raises `CloudError` when AGENT_BINARY is no file."""
    named = environ.get(AGENT_BINARY)
    if not named:
        return build(target, flavor)
    if not Path(named).is_file():
        raise CloudError(f"{AGENT_BINARY} names {named}, which is no file. What to do: correct it, or unset it.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(named, target)
    target.chmod(0o755)
    return target


def stage_agent(layout: Layout, parameters: Mapping[str, str], images: Iterable[str]) -> None:
    """Puts the agent on the stack's file system, and into the images that bring it."""
    efs = efs_directory(layout.fargate, parameters["EfsFileSystemId"], parameters["EfsAccessPointId"])
    agent = place_agent(efs / "sockerless-agent", parameters["AgentFlavor"])
    for image in images:
        shutil.copy2(agent, stage_image(layout, image) / "sockerless-agent")


def stage_image(layout: Layout, image: str) -> Path:
    """Makes an image that needs no registry: in Docker mode it is the base image with the files of this directory."""
    directory = image_directory(layout.fargate, image)
    directory.mkdir(parents=True, exist_ok=True)
    return directory
