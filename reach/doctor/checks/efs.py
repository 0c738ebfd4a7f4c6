"""The agent on EFS."""

from __future__ import annotations

from collections.abc import Iterator

from core.model.agent import AGENT_NAME
from reach.doctor.checks import mounts
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Storage
from reach.doctor.findings import Finding, Unknown, ok, wrong
from reach.doctor.rules.policies import denies_mount


def efs_file_system(stack: Deployed, storage: Storage) -> Iterator[Finding]:
    """The file system of EFS is there and available."""
    if storage.efs is None:
        return
    name, found = stack.parameter("EfsFileSystemId"), storage.efs.file_system.value
    if found is None:
        yield wrong(
            "There is no file system {file_system}, so no container starts.",
            "sam deploy --parameter-overrides EfsFileSystemId=... with one that aws efs describe-file-systems shows",
            file_system=name,
        )
    elif (state := found["LifeCycleState"]) != "available":
        yield wrong(
            "{file_system} is {state}.",
            "wait until it is available: aws efs describe-file-systems --file-system-id {file_system}",
            file_system=name,
            state=state,
        )
    else:
        yield ok("{file_system}", file_system=name)


def efs_policy(stack: Deployed, storage: Storage) -> Iterator[Finding]:
    """The file system's policy denies no mount to the tasks."""
    if storage.efs is None or storage.efs.file_system.value is None:
        return
    name, found = stack.parameter("EfsFileSystemId"), storage.efs.policy.value
    if found is None:
        yield ok("none: whoever reaches a mount target of {file_system} may mount and write it", file_system=name)
        return
    if denies_mount(found["Policy"]):
        yield wrong(
            "The policy of {file_system} denies every mount.",
            "aws efs put-file-system-policy --file-system-id {file_system} --policy ... without that statement, or "
            "with a condition",
            file_system=name,
        )
    else:
        yield ok("{file_system} has one", file_system=name)


def efs_mount_targets(stack: Deployed, storage: Storage) -> Iterator[Finding]:
    """EFS has a mount target that is available in each zone of the tasks."""
    if storage.efs is not None:
        make = (
            f"aws efs create-mount-target --file-system-id {stack.parameter('EfsFileSystemId')} --subnet-id {{subnet}}"
        )
        yield from mounts.in_each_zone(storage.efs.mounts, mend=f"{make} --security-groups ...")


def efs_port(_: Deployed, storage: Storage) -> Iterator[Finding]:
    """The mount targets of EFS let TCP 2049 in from the tasks, and the tasks let it out."""
    if storage.efs is not None:
        yield from mounts.open_to_tasks(storage.efs.mounts)


def efs_access_point(stack: Deployed, storage: Storage) -> Iterator[Finding]:
    """The access point is there, and one of this file system. Its path is shown; what lies there is not seen."""
    if storage.efs is None:
        return
    name, point = stack.parameter("EfsFileSystemId"), stack.parameter("EfsAccessPointId")
    found = storage.efs.access_point.value
    if not point:
        yield ok("none: the agent is to be in the root of {file_system}", file_system=name)
    elif found is None or found["FileSystemId"] != name:
        where = "there is no such access point" if found is None else f"it belongs to {found['FileSystemId']}"
        yield wrong(
            "{access_point}: " + where + ", so no container starts.",
            "sam deploy --parameter-overrides EfsAccessPointId=... with one that aws efs describe-access-points "
            f"--file-system-id {name} shows",
            access_point=point,
        )
    elif found["LifeCycleState"] != "available":
        yield wrong(
            "{access_point} is {state}.",
            "aws efs describe-access-points --access-point-id {access_point}",
            access_point=point,
            state=found["LifeCycleState"],
        )
    else:
        path = found.get("RootDirectory", {}).get("Path", "/")
        yield ok("{access_point} at {path}", access_point=point, path=path)


def efs_binary(_: Deployed, storage: Storage) -> Iterator[Finding]:
    """The agent binary is on EFS, for this processor. EFS shows no files, so only a container can tell."""
    if storage.efs is not None:
        yield Unknown(f"whether {AGENT_NAME} is there: EFS shows no files. --canary starts a container that tells")
