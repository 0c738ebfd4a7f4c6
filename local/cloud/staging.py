"""What an operator would stage for tasks: the agent, on the file system and in images, and images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from local.agent.package import build
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.fargate.state_directory import efs_directory, image_directory

AGENT_BINARY: Final = "AGENT_BINARY"
"""A file to use unchanged in place of the flavor's agent. For Docker mode: in process mode an agent must obey
SOCKERLESS_AGENT_HOST."""


AGENT_BUCKET: Final = "sockerless-agent"
AGENT_KEY: Final = "sockerless/bin/sockerless-agent"
AGENT_METADATA: Final = {"file-owner": "0", "file-group": "0", "file-permissions": "0100755"}
"""By which S3 Files shows the object as a file that every user may execute."""


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


def stage_agent(layout: Layout, parameters: Mapping[str, str], images: Iterable[str]) -> Path:
    """Puts the agent on the stack's EFS file system, and into the images that bring it. Returns where it is."""
    efs = efs_directory(layout.fargate, parameters["EfsFileSystemId"], parameters["EfsAccessPointId"])
    agent = place_agent(efs / "sockerless-agent", parameters["AgentFlavor"])
    for image in images:
        shutil.copy2(agent, stage_image(layout, image) / "sockerless-agent")
    return agent


def stage_bucket(client: Callable[[str], Any], agent: Path, role: str) -> dict[str, str]:
    """Puts the agent into a new bucket with a file system of S3 Files, as docs/deploy.md does.

    Returns the stack's parameters of it. `role` is the file system's.
    """
    s3, s3_files = client("s3"), client("s3files")
    s3.create_bucket(Bucket=AGENT_BUCKET)
    s3.put_bucket_versioning(Bucket=AGENT_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put_agent(s3, agent.read_bytes())
    file_system = s3_files.create_file_system(bucket=f"arn:aws:s3:::{AGENT_BUCKET}", roleArn=role)
    directory = f"/{AGENT_KEY.rpartition('/')[0]}"
    access_point = s3_files.create_access_point(
        fileSystemId=file_system["fileSystemArn"],
        posixUser={"uid": 1000, "gid": 1000},
        rootDirectory={"path": directory},
    )
    return {
        "S3FilesFileSystemArn": file_system["fileSystemArn"],
        "S3FilesAccessPointArn": access_point["accessPointArn"],
    }


def put_agent(s3: Any, content: bytes, metadata: Mapping[str, str] = AGENT_METADATA) -> None:
    """As `aws s3 cp` with `--metadata` puts it."""
    s3.put_object(Bucket=AGENT_BUCKET, Key=AGENT_KEY, Body=content, Metadata=dict(metadata))


def stage_image(layout: Layout, image: str) -> Path:
    """Makes an image that needs no registry: in Docker mode it is the base image with the files of this directory."""
    directory = image_directory(layout.fargate, image)
    directory.mkdir(parents=True, exist_ok=True)
    return directory
