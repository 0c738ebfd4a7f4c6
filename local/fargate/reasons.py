"""Why a task does not start, or stops: the two errors, and ECS's own words (public reports of Fargate 1.4.0).

Of a container that cannot be created or started, ECS names the step that failed and passes on the sentences of
containerd and runc. Docker passes on the same sentences with another beginning. A complaint of the kernel about the
program (`exec format error`, a missing interpreter) is no refusal, neither here nor on Fargate: the container has
started, prints it, and exits with 1 (AWS Knowledge Center, "How do I troubleshoot an exec format error that causes my
Amazon ECS tasks to fail").
"""

from __future__ import annotations

import errno
from typing import Final

TASK_FAILED_TO_START: Final = "Task failed to start"
ESSENTIAL_EXITED: Final = "Essential container in task exited"
STOPPED_BY_USER: Final = "Task stopped by user"
SPOT_INTERRUPTED: Final = "Your Spot Task was interrupted."
NO_CAPACITY: Final = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
ENI_FAILED: Final = (
    "ResourceInitializationError: failed to configure ENI: failed to setup regular eni: "
    "netplugin failed with no error message"
)
_EFS: Final = "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: "
_EFS_END: Final = " : unsuccessful EFS utils command execution; code: "
EFS_TIMEOUT: Final = (
    f"{_EFS}Mount attempt 1/3 failed due to timeout after 15 sec, wait 0 sec before next attempt. "
    "Mount attempt 2/3 failed due to timeout after 15 sec, wait 0 sec before next attempt. "
    f"b'mount.nfs4: Connection timed out'{_EFS_END}32"
)
_RETRIEVAL: Final = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
)
_RETRIED: Final = "service call has been retried 1 time(s): "
NO_JSON: Final = "invalid character looking for beginning of value"
NO_LOGIN: Final = "asm fetching authorization data: secret has no username and password"
OUT_OF_MEMORY: Final = "OutOfMemoryError: Container killed due to memory usage"
"""Of a container that the kernel ended for its memory."""
_CANNOT_START: Final = "CannotStartContainerError: ResourceInitializationError: "
_NO_TASK: Final = f"{_CANNOT_START}failed to create new container runtime task: failed to create shim task: "
_RUNC: Final = "OCI runtime create failed"


class InitializationFailed(Exception):
    """The task cannot be set up (network, secrets, volumes, images). The message becomes its `stoppedReason`."""


class ContainerNotStarted(Exception):
    """A container cannot be started. The message becomes its `reason`; the task "failed to start"."""


def efs_unresolved(file_system: str, region: str) -> str:
    """The file system is not there, or has no mount target in the task's zone."""
    return (
        f'{_EFS}Failed to resolve "{file_system}.efs.{region}.amazonaws.com" - check that your file system ID is '
        "correct, and ensure that the VPC has an EFS mount target for this file system ID. See "
        "https://docs.aws.amazon.com/console/efs/mount-dns-name for more detail. Attempting to lookup mount target ip "
        "address using botocore. Failed to import necessary dependency botocore, please install botocore first."
        f"{_EFS_END}1"
    )


def efs_no_directory(file_system: str, directory: str) -> str:
    """The root directory, or the access point's, does not exist."""
    return (
        f"{_EFS}b'mount.nfs4: mounting {file_system}:{directory} failed, reason given by server: "
        f"No such file or directory'{_EFS_END}32"
    )


def secret_unavailable(why: str) -> str:
    """A secret of Secrets Manager cannot be read, or is not what the definition selects of it."""
    return f"{_RETRIEVAL}unable to retrieve secret from asm: {_RETRIED}{why}"


def parameter_unavailable(why: str) -> str:
    """A parameter of Parameter Store cannot be read."""
    return f"{_RETRIEVAL}unable to retrieve secrets from ssm: {_RETRIED}{why}"


def login_unavailable(why: str) -> str:
    """The secret with a registry's user name and password cannot be read, or does not have them."""
    return f"{_RETRIEVAL}unable to get registry auth from asm: {_RETRIED}{why}"


def log_stream_refused(why: object) -> str:
    """The awslogs driver cannot make its stream: usually its log group does not exist."""
    return (
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
        f"failed to create Cloudwatch log stream: {why} : exit status 1"
    )


def registry_refusal(image: str, message: str) -> str:
    """The engine's words on a login that the registry does not take, or a missing one, as containerd says it."""
    if "unauthorized" in message or "no basic auth credentials" in message:
        return f"unexpected status code [manifests {image.rpartition(':')[2]}]: 401 Unauthorized"
    return message


def cannot_pull(image: str, why: str | None = None) -> str:
    """`why` is the registry's or the network's complaint; by default the registry does not know the image."""
    return (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {why or f'{image}: not found'}"
    )


def cannot_execute(command: str, number: int) -> str:
    """Runc's refusal of `argv[0]`, by errno, before it starts the container."""
    if number == errno.ENOENT and "/" not in command:
        what = f'exec: "{command}": executable file not found in $PATH'
    elif number == errno.ENOENT:
        what = f'exec: "{command}": stat {command}: no such file or directory'
    elif number == errno.EACCES:
        what = f'exec: "{command}": permission denied'
    else:
        what = f'exec: "{command}": {errno.errorcode.get(number, "unknown error")}'
    return f"{_NO_TASK}{_RUNC}: runc create failed: unable to start container process: {what}: unknown"


def cannot_start(message: str) -> str:
    """The engine's refusal to start a container that it created. From runc's name on, its words are Fargate's."""
    before, runc, said = message.strip().partition(_RUNC)
    return f"{_NO_TASK}{runc}{said}" if runc else f"{_CANNOT_START}unable to create new container: {before}"


def cannot_create(message: str) -> str:
    """The engine's refusal to create a container: no command, a mount that cannot be, a bad user."""
    return f"CannotCreateContainerError: {message.strip()}"


def refused_by_the_kernel(command: str, number: int) -> str | None:
    """The output of a container whose program exists and is refused by the kernel; None when runc refuses it before.

    ENOENT is about the interpreter that its first line names, or its dynamic loader.
    """
    why = {errno.ENOEXEC: "exec format error", errno.ENOENT: "no such file or directory"}.get(number)
    return why and f"exec {command}: {why}"


def dependency_failed(target: str, dependency: str, exit_code: int | None) -> str:
    """A dependsOn condition that can no longer come true; the form is the ECS agent's."""
    return (
        "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency "
        f"[{dependency}] (STOPPED->RUNNING) - Exit: {'<nil>' if exit_code is None else exit_code} for target "
        f"[{target}] (NONE->RUNNING) as dependency did not exit successfully."
    )
