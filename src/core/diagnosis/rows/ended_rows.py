"""Rows for tasks that ended from outside: by StopTask, by Spot, for lack of memory, with their host.

Sources: TaskStopCode of the ECS API, an open set; ECS Developer Guide, "Troubleshooting Amazon ECS SpotInterruption
errors", "... OutOfMemoryError errors", "Task retirement and maintenance for AWS Fargate" and "Amazon ECS stopped tasks
error messages" (EC2).
"""

from functools import partial
from typing import Final

from core.diagnosis.row import Actor, Place, Row
from core.model.failure import Cause

_task_row = partial(Row, where=Place.TASK)

_NO_SERVICE: Final = (
    "Nothing to repair in the task. A container of this stack belongs to no service: find out which service started "
    "it, by its startedBy and group."
)

REQUESTED: Final = (
    # A task from before 2019 has the text and no code.
    _task_row(
        codes="UserInitiated",
        pattern=r"^task stopped by user",
        cause=Cause.USER_STOPPED,
        summary="The task was stopped by a StopTask call",
        remedy="Nothing to repair. Start the container again if it should run; CloudTrail's StopTask event says who "
        "stopped it.",
        actor=Actor.USER,
    ),
    # Spot tasks were reported without a stopCode as well: containers-roadmap #797 and #1565.
    _task_row(
        codes="SpotInterruption",
        pattern=r"spot task was interrupted|spotinterruption",
        cause=Cause.SPOT_INTERRUPTION,
        summary="Fargate Spot took its capacity back",
        remedy="Start the container again. For work that must not be interrupted use the capacity provider FARGATE "
        "instead of FARGATE_SPOT.",
        actor=Actor.AWS,
    ),
    # Tasks outside Spot end with it too, without a text, and so do tasks that never started.
    _task_row(
        codes="TerminationNotice",
        summary="AWS ended the task with a termination notice, and does not say why",
        remedy="Start the container again. ECS shows neither that the task ran on Spot nor that its host was retired; "
        "if it repeats, look at the AWS Health dashboard and open an AWS support case.",
        actor=Actor.AWS,
    ),
    _task_row(
        pattern=r"scaling activity initiated by",
        cause=Cause.USER_STOPPED,
        summary="An ECS service scaled in or was deployed anew",
        remedy=_NO_SERVICE,
    ),
)

ENDED: Final = (
    Row(
        pattern=r"outofmemory|killed due to memory|\boom.?killed",
        cause=Cause.OUT_OF_MEMORY,
        summary="The container used more memory than it was given and was killed",
        remedy="Raise the memory limit (`limits.memory_mib` of the start request), or make the container use less; the "
        "agent shares that limit.",
        actor=Actor.USER,
    ),
    _task_row(
        pattern=r"performing maintenance on the underlying|task retirement|scheduled for retirement",
        summary="AWS retired the host of the task",
        remedy="Start the container again: ECS does not replace a task that belongs to no service. AWS Health "
        "announces retirements; the account setting fargateTaskRetirementWaitPeriod says how long they wait.",
        actor=Actor.AWS,
    ),
    _task_row(
        codes="InfrastructureHealth",
        pattern=r"infrastructure ?health|host ec2 .*(stopped|terminated)|"
        r"container instance (deregistration|is in draining)",
        summary="The host of the task failed or was taken away",
        remedy="Start the container again. Its own files are lost, those on EFS are not.",
        actor=Actor.AWS,
    ),
    _task_row(
        pattern=r"(elb|container|load balancer) health checks",
        summary="The task failed a health check and was stopped for it",
        remedy="Check that the container answers on the path, port and within the time of the health check named in "
        "the text, and that the load balancer's security group may reach it.",
        actor=Actor.USER,
    ),
    Row(
        codes="ServiceSchedulerInitiated",
        cause=Cause.USER_STOPPED,
        summary="The ECS service scheduler stopped the task",
        remedy=_NO_SERVICE,
    ),
)
