"""Rows for a container that the host could not execute: binary, user, working directory, mount paths.

Source: ECS Developer Guide, "CannotStartContainerError"; the words behind the name are containerd's and runc's, as
reported in amazon-ecs-agent #2442 and #2954, net-modernization #13, jenkinsci/amazon-ecs-plugin #258, re:Post "exec
format error". What ECS executes in `main` is always the agent (contract.md 5).
"""

from functools import partial
from typing import Final

from core.diagnosis.names import NAME
from core.diagnosis.row import Actor, Place, start_row
from core.model.failure import Cause

_definition = partial(start_row, cause=Cause.TASK_DEFINITION, actor=Actor.USER)
_architecture = partial(start_row, cause=Cause.AGENT_WRONG_ARCHITECTURE)
_not_copied = partial(start_row, cause=Cause.AGENT_BINARY_MISSING, where=Place.INIT)
_not_executable = partial(start_row, cause=Cause.AGENT_NOT_EXECUTABLE)

_STAGE: Final = (
    "`reach stage-agent --file sockerless-agent`, or by hand with "
    "`aws s3 cp sockerless-agent s3://BUCKET/sockerless/bin/sockerless-agent "
    "--metadata file-owner=0,file-group=0,file-permissions=0100755`"
)
"""S3 Files shows an object without this metadata as root's, mode 0644 (S3 User Guide, S3 Files, POSIX permissions)."""
_DENIED: Final = r"\bexec:? .*(permission denied|is a directory)"
# The kernel's words about a program that exists. runc's own words, about one that is missing, quote the program.
_KERNEL: Final = rf"\bexec ({NAME}[^:]*|user process caused):? \"?"
_LOADER: Final = _KERNEL + "no such file or dir"
_REFUSED: Final = r"^(standard_init_linux\.go:\d+: )?" + _KERNEL + "[a-z]"
_FORMAT: Final = r"exec format error|cannot execute binary file"
_MISSING: Final = r"\bexec:? .*(no such file or dir|executable file not found|not found in \$PATH)"

EXECUTION: Final = (
    _architecture(
        pattern=_FORMAT,
        where=Place.INIT,
        summary="The agent image is for another CPU architecture than the task",
        remedy="Compare the platform of the agent image (`docker image inspect`) with the runtimePlatform of the task "
        "definition (X86_64 or ARM64): set AgentImage to one of that architecture or, better, of both, or start with "
        "the other platform.",
    ),
    _architecture(
        pattern=_FORMAT,
        summary="The agent binary is for another CPU architecture than the task",
        remedy="Compare the agent's architecture (`file sockerless-agent`) with the runtimePlatform of the task "
        "definition (X86_64 or ARM64): stage an agent of that architecture, or start with the other platform.",
    ),
    start_row(
        pattern=r"container init was OOM-killed|memory limit too low",
        cause=Cause.OUT_OF_MEMORY,
        summary="The memory limit is too low to start the container at all",
        remedy="Raise the memory limit: `limits.memory_mib` of the start request.",
        actor=Actor.USER,
    ),
    _definition(
        pattern=r"chdir to cwd|mkdir [^ ]+: (read-only|not a directory)",
        summary="The container's working directory cannot be entered",
        remedy="Set a working directory (`working_dir`) that exists in the image and that the container's user may "
        "enter.",
    ),
    _definition(
        # containerd mounts the image before the start only to look the user up.
        pattern=r"unable to find (user|group)|no matching entries in (passwd|group)|mount callback failed",
        summary="The container's user or group does not exist in the image",
        remedy="Use a `user` that the image's /etc/passwd has, or a numeric user id.",
    ),
    _definition(
        pattern=r"\bmount.*not a directory|mount a directory onto a file",
        summary="A volume was mounted on a path that is a file in the image",
        remedy="A volume is always a directory: choose a mount path that is free or a directory in the image. If the "
        "image has a file at /sockerless-agent, start it with the `image` injection strategy.",
    ),
    _definition(
        pattern=r"setting rlimit|\bulimit",
        summary="A resource limit of the container could not be set",
        remedy="Correct `ulimits` of the start request: Fargate lets only nofile be set.",
    ),
    _not_copied(
        pattern=_DENIED,
        summary="The init container's copy command may not be executed, so nothing was copied",
        remedy="Make it executable in the agent image (chmod 0755), or set AgentCopyCommand to a program that is.",
    ),
    _not_executable(
        pattern=_DENIED,
        summary="The agent was found but may not be executed",
        remedy="Make it executable for every user: chmod 0755 on the binary, and r-x on its directory for the access "
        f"point's POSIX user. Strategy s3-files: S3 Files takes the mode from the object's metadata, so stage it with "
        f"{_STAGE}. With a volume the executable is /sockerless-agent/sockerless-agent; /sockerless-agent itself is "
        "the directory.",
    ),
    _not_copied(
        pattern=_LOADER,
        summary="The init container's copy command was found, but not the dynamic loader or interpreter that it needs",
        remedy="Build the agent image with what the command needs, or set AgentCopyCommand to a program that is linked "
        "statically.",
    ),
    _not_executable(
        pattern=_LOADER,
        summary="The agent was found, but not the dynamic loader or interpreter that it needs",
        remedy="Stage an agent that is linked statically (in Go: CGO_ENABLED=0). Otherwise the loader that `file "
        "sockerless-agent` names must be in every image.",
    ),
    _not_copied(
        pattern=_MISSING,
        summary="The init container's copy command does not exist in the agent image",
        remedy="Set AgentCopyCommand to a program that the agent image has: `cp`, or the agent's own way to copy "
        "itself when the image is built from scratch.",
    ),
    start_row(
        pattern=_MISSING,
        cause=Cause.AGENT_BINARY_MISSING,
        summary="There is no agent binary where the task looks for it",
        remedy="Strategy efs: stage it with `reach stage-agent --image IMAGE`, which puts it into the directory that "
        "is the access point's root, so that it appears as /sockerless-agent/sockerless-agent. Strategy s3-files: "
        f"stage it below the prefix that is the access point's root, with {_STAGE}. Strategy init-container: the copy "
        "command must write it to the shared volume. Strategy image: the image must hold /sockerless-agent.",
    ),
    # Any other errno of execve(2): argument list too long, input/output error, stale file handle, ...
    _not_copied(
        pattern=_REFUSED,
        summary="The kernel did not execute the init container's copy command, so nothing was copied",
        remedy="Look the kernel's reason up in execve(2), and set AgentCopyCommand accordingly.",
    ),
    _not_executable(
        pattern=_REFUSED,
        summary="The agent was found, but the kernel did not execute it",
        remedy="Look the kernel's reason up in execve(2). Of an argument list that is too long, the container's own "
        "command and environment are most; a file system that does not answer is the agent's EFS or S3 Files.",
    ),
)
