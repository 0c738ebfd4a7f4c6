"""Rows for a failed init container, for error names with unknown words, and for ends that no text explains.

Source: ECS Developer Guide, "Amazon ECS stopped tasks error messages" with one page for each name; exit codes above
128 are 128 + the signal, 126 and 127 the shell's and Docker's.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from core.diagnosis.row import Actor, Place, Row, exited, failed, never_ran, start_row
from core.model.failure import Cause

_user_row = partial(Row, actor=Actor.USER)
_user_start_row = partial(start_row, actor=Actor.USER)

_NOT_STARTED: Final = r"^(taskfailedtostart|task failed to start)"

_NO_AGENT: Final = start_row(
    init_exit=failed,
    main_exit=never_ran,
    cause=Cause.AGENT_BINARY_MISSING,
    summary="The init container failed, so there is no agent binary and the main container never ran",
    remedy="Read the init container's log. It runs the stack's AgentImage with its AgentCopyCommand: the command "
    "must exist in that image, find the binary there and be allowed to write to the shared volume.",
)

FAMILIES: Final = (
    # ECS's text about `main` when `init` failed: "CannotStartContainerError: dependency graph: failed to resolve
    # container ordering dependency [init] ...". Without this row one below would blame `main`.
    replace(_NO_AGENT, pattern=r"dependency graph:"),
    # ECS also writes "Could not tranisition to started" (amazon-ecs-deploy-task-definition #232).
    start_row(
        pattern=r"could not tran\w+ to (created|started|running|resources)",
        summary="The container runtime did not get the container started in time",
        remedy="Start the container again. If it repeats, give the task more CPU and memory or a smaller image.",
        actor=Actor.AWS,
    ),
    Row(
        pattern=r"could not tran\w+ to stopped|cannotstopcontainererror|failed sending sigterm",
        summary="The container runtime could not stop the container in order",
        remedy="Nothing to repair in the container. Start it again if it should run.",
        actor=Actor.AWS,
    ),
    _user_start_row(
        pattern=r"cannotcreatecontainererror|oci runtime create failed",
        summary="The container runtime could not create the container",
        remedy="Check user, working directory, ulimits and mounts of the request against this text.",
    ),
    Row(
        pattern=r"(containerruntime|dockertimeout|containerruntimetimeout)error|cannotinspectcontainererror",
        summary="The container runtime of the host failed",
        remedy="Start the container again; if it repeats, open an AWS support case with this text.",
        actor=Actor.AWS,
    ),
    _user_start_row(
        pattern=r"cannotcreatevolumeerror",
        summary="A volume of the task could not be made",
        remedy="Check the volumes and mount points that were asked for against this text.",
    ),
    # "Troubleshooting Amazon ECS CannotStartContainerError errors": the container exceeds its memory.
    _user_start_row(
        pattern=r"failed to get container status",
        cause=Cause.OUT_OF_MEMORY,
        summary="The container ended before its state could be read, as it does when its memory is too small",
        remedy="Raise the memory limit: `limits.memory_mib` of the start request. If that changes nothing, read the "
        "container's log.",
    ),
    _user_start_row(
        pattern=r"cannotstartcontainererror|failed to create (new )?container",
        summary="The container runtime could not start the container",
        remedy="Check entrypoint, user, working directory and mounts of the request against this text.",
    ),
    start_row(
        pattern=r"resourceinitializationerror",
        summary="Fargate could not set up what the task needs",
        remedy="Check against this text what the task definition asks for; DNS resolution must be enabled in the VPC.",
    ),
    # Also an interface that was reported ready after ECS's own deadline ("TaskFailedToStart errors").
    Row(
        pattern=r"internal (server )?error|internal(error|failure|servererror)",
        summary="Fargate failed internally",
        remedy="Start the container again: this passes. If it repeats, open an AWS support case with this text.",
        actor=Actor.AWS,
    ),
)

# ECS's two general texts give no reason; any other text is one.
_UNREAD: Final = Row(
    pattern=r"^(?!essential container in task exited|task ?failed ?to ?start\.?$).",
    main_exit=never_ran,
    summary="The container did not run, for a reason that is not known here",
    remedy="Look the quoted reason up in the ECS Developer Guide, `Amazon ECS stopped tasks error messages`.",
)

FALLBACKS: Final = (
    # By the exit code alone: a container that the host killed has one too.
    _NO_AGENT,
    _UNREAD,
    start_row(
        codes="TaskFailedToStart",
        pattern=_NOT_STARTED,
        where=Place.TASK,
        main_exit=never_ran,
        summary="The task failed to start, and ECS gives no reason",
        remedy="Start the container again: about one Fargate task in a hundred does this. If it repeats, look at the "
        "task in the ECS console and at CloudTrail's events of that minute.",
        actor=Actor.AWS,
    ),
    _user_start_row(
        codes="TaskFailedToStart",
        pattern=_NOT_STARTED,
        where=Place.TASK,
        summary="The container ended while its task was still starting",
        remedy="Its process did start: read the container's log.",
    ),
    _user_row(
        main_exit=exited(0),
        summary="The container's process ended by itself, with exit code 0",
        remedy="Nothing to repair. Start the container again if it should have run on.",
    ),
    _user_row(
        main_exit=exited(126),
        summary="The container's command was found but could not be executed (exit code 126)",
        remedy="Check that the command is executable for the container's user.",
    ),
    _user_row(
        main_exit=exited(127),
        summary="The container's command was not found (exit code 127)",
        remedy="Check that the first word of entrypoint and cmd exists in the image.",
    ),
    _user_row(
        main_exit=exited(137),
        summary="The container was killed (exit code 137, SIGKILL)",
        remedy="If it was being stopped: handle SIGTERM, or raise `stop_timeout`. Else: raise the memory limit.",
    ),
    _user_row(
        main_exit=exited(139),
        summary="The container's process crashed (exit code 139, SIGSEGV)",
        remedy="Read the container's log for the program's memory fault.",
    ),
    _user_row(
        main_exit=exited(143),
        summary="The container was asked to stop and did (exit code 143, SIGTERM)",
        remedy="Nothing to repair. Start the container again if it should have run on.",
    ),
    _user_row(
        main_exit=failed,
        summary="The container's process ended with exit code {exit_code}",
        remedy="The exit code is the container's own: read its log.",
    ),
    _user_row(
        pattern=r"essential container in task exited",
        where=Place.TASK,
        summary="An essential container of the task ended, and the main container has no exit code",
        remedy="See which container has an exit code and read its log; if none has, start the container again.",
    ),
    Row(
        summary="ECS stopped the task",
        remedy="Look ECS's text up in the ECS Developer Guide, `Amazon ECS stopped tasks error messages`; if there is "
        "none, look at the task in the ECS console and at CloudTrail's events of that minute.",
    ),
)

QUOTED: Final = (_UNREAD, FALLBACKS[-1])
"""Rows that know nothing: their summary quotes ECS's text, wherever it stood."""
