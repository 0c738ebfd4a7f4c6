"""What an operator would stage for tasks: the agent, on the file system and in images, and images."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from core.model.agent import AGENT_NAME
from local.agent.package import build
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.fargate.state_directory import efs_directory, image_directory
from reach.staging.bucket import POSIX

AGENT_BINARY: Final = "AGENT_BINARY"
"""A file to use unchanged in place of the flavor's agent. For Docker mode: in process mode an agent must obey
SOCKERLESS_AGENT_HOST."""


AGENT_BUCKET: Final = "sockerless-agent"
AGENT_DIRECTORY: Final = "/sockerless/bin"
AGENT_KEY: Final = f"{AGENT_DIRECTORY.strip('/')}/{AGENT_NAME}"
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "elasticfilesystem.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
"""Of the role by which S3 Files uses the bucket."""


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


def stage_agent(layout: Layout, flavor: str, images: Iterable[str]) -> Path:
    """Puts the agent into the images that bring it. Returns where it is."""
    directories = [stage_image(layout, image) for image in images]
    agent = place_agent(directories[0] / AGENT_NAME, flavor)
    for directory in directories[1:]:
        shutil.copy2(agent, directory / AGENT_NAME)
    return agent


def stage_efs(layout: Layout, parameters: Mapping[str, str], agent: Path) -> None:
    """Puts the agent on the stack's EFS file system."""
    directory = agent_directory(layout, parameters)
    directory.mkdir(parents=True)
    shutil.copy2(agent, directory / AGENT_NAME)


def agent_directory(layout: Layout, parameters: Mapping[str, str]) -> Path:
    """What tasks mount from EFS, on this machine."""
    return efs_directory(layout.fargate, parameters["EfsFileSystemId"]) / AGENT_DIRECTORY.strip("/")


def stage_bucket(client: Callable[[str], Any], agent: Path, subnets: Iterable[str], group: str) -> dict[str, str]:
    """Puts the agent into a new bucket with a file system of S3 Files, as docs/deploy.md does.

    Returns the stack's parameters of it. It has a mount target in each of the subnets, with the security group.
    """
    s3, s3_files = client("s3"), client("s3files")
    s3.create_bucket(Bucket=AGENT_BUCKET)
    s3.put_bucket_versioning(Bucket=AGENT_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put_agent(s3, agent.read_bytes())
    role = client("iam").create_role(RoleName="s3-files", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
    file_system = s3_files.create_file_system(bucket=f"arn:aws:s3:::{AGENT_BUCKET}", roleArn=role)
    for subnet in subnets:
        s3_files.create_mount_target(fileSystemId=file_system["fileSystemArn"], subnetId=subnet, securityGroups=[group])
    access_point = s3_files.create_access_point(
        fileSystemId=file_system["fileSystemArn"],
        posixUser={"uid": 1000, "gid": 1000},
        rootDirectory={"path": AGENT_DIRECTORY},
    )
    return {
        "S3FilesFileSystemArn": file_system["fileSystemArn"],
        "S3FilesAccessPointArn": access_point["accessPointArn"],
    }


def put_agent(s3: Any, content: bytes, metadata: Mapping[str, str] = POSIX) -> None:
    """As `aws s3 cp` with `--metadata` puts it."""
    s3.put_object(Bucket=AGENT_BUCKET, Key=AGENT_KEY, Body=content, Metadata=dict(metadata))


def stage_image(layout: Layout, image: str) -> Path:
    """Makes an image that needs no registry: in Docker mode it is the base image with the files of this directory."""
    directory = image_directory(layout.fargate, image)
    directory.mkdir(parents=True, exist_ok=True)
    return directory
