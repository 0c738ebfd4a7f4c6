"""Rows for secrets, environment files and logs, which ECS opens before a container starts, and for roles.

Sources: ECS Developer Guide, "Troubleshooting Amazon ECS ResourceInitializationError errors" and "... Resource-
NotFoundException errors"; the second half of most texts is the AWS SDK's.
"""

from functools import partial
from typing import Final

from core.diagnosis.row import Actor, start_row
from core.diagnosis.rows.throttled_rows import RETRY_SLOWER, THROTTLING
from core.model.failure import Cause

_secret = partial(start_row, cause=Cause.SECRETS)

_UNREACHABLE: Final = (
    r"(connection issue|i/o timeout|deadline exceeded|request ?cancell?ed|connection (refused|reset)|no such host|"
    r"(send request|request send) failed|signal: killed|network configuration)"
)
_ROUTE: Final = (
    "give the task's subnet a NAT gateway, or run it in a public subnet with a public IP (AssignPublicIp), "
    "or add the VPC interface endpoint"
)

_KEPT: Final = (
    r"(retrieve secrets?\b|secrets? from (asm|ssm)|secrets? manager|secretsmanager|systems manager|"
    r"parameter store|ssm parameter|<ssm>|\bthe secret\b)"
)
_FILES: Final = r"env(ironment)?( variable)? files?"
SECRETS: Final = (
    _secret(
        patterns=(rf"{_KEPT}.*{THROTTLING}",),
        summary="AWS throttled the reading of the task's secrets",
        remedy=RETRY_SLOWER,
        transient=True,
        actor=Actor.AWS,
    ),
    _secret(
        patterns=(rf"{_KEPT}.*(not authorized|access ?denied|access to kms)",),
        summary="The execution role may not read a secret of the task",
        remedy="Allow the task EXECUTION role ssm:GetParameters (or secretsmanager:GetSecretValue) on the named "
        "resource, and kms:Decrypt on its key if that is not the AWS managed one.",
    ),
    _secret(
        patterns=(
            rf"{_KEPT}.*(ResourceNotFound|ParameterNotFound|can.?t find|did not contain json|the secret exists)",
            r"invalid ssm parameters",
            r"can(no|.)?t retrieve the secret",
        ),
        summary="A secret of the task does not exist",
        remedy="Check that the parameter or secret named in the text exists in this Region and account, with the JSON "
        "key and version asked for. The agent's own parameter is deleted when its generation ends: start the container "
        "again.",
    ),
    _secret(
        patterns=(rf"{_KEPT}.*{_UNREACHABLE}",),
        summary="The task could not reach the service that keeps its secrets",
        remedy=f"From the task's subnet, Systems Manager or Secrets Manager must be reachable on TCP 443: {_ROUTE} "
        "com.amazonaws.<region>.ssm (or .secretsmanager), with TCP 443 let in from the task's security group.",
        transient=True,
    ),
    _secret(
        patterns=(_KEPT,),
        summary="A secret of the task could not be read",
        remedy="Check the parameter or secret named in the text, and that the task execution role may read it.",
    ),
    start_row(
        patterns=(rf"{_FILES}.*{_UNREACHABLE}",),
        cause=Cause.TASK_DEFINITION,
        summary="The task could not reach S3, where its environment files are",
        remedy="S3 must be reachable on TCP 443 from the task's subnet: give it a gateway endpoint for S3 (free) or a "
        "NAT gateway.",
        transient=True,
    ),
    start_row(
        patterns=(_FILES,),
        cause=Cause.TASK_DEFINITION,
        summary="An environment file of the task could not be read from S3",
        remedy="Check that the object exists, that the task execution role has s3:GetObject on it and "
        "s3:GetBucketLocation on its bucket, and that the subnet reaches S3 (NAT or gateway endpoint).",
    ),
)

# Secrets and the registry's authorisation share this prefix, so it has no cause.
_FETCHED: Final = r"(pull secrets or registry auth|execution resource retrieval failed)"
FETCHES: Final = (
    start_row(
        patterns=(rf"{_FETCHED}.*{_UNREACHABLE}",),
        summary="The task could not reach the services that have its secrets and the registry's authorisation",
        remedy="ECR, Systems Manager and Secrets Manager must be reachable on TCP 443 from the task's subnet: "
        f"{_ROUTE}s of the services that the task uses.",
        transient=True,
    ),
    start_row(
        patterns=(_FETCHED,),
        summary="The task could not fetch its secrets or the registry's authorisation",
        remedy="Check that the task execution role exists, is trusted by ecs-tasks.amazonaws.com and may read what the "
        "task definition names, and that the subnet has a route to ECR, Systems Manager and Secrets Manager.",
    ),
)

# "Troubleshooting Amazon ECS ResourceInitializationError errors", on the awslogs driver; moby #42088.
_LOG: Final = r"(logger args|logging driver|log driver|log ?stream|log group)"
LOGS: Final = (
    start_row(
        patterns=(rf"{_LOG}.*(not authorized|access ?denied)",),
        cause=Cause.PERMISSION,
        summary="The execution role may not write the container's log",
        remedy="Allow the task EXECUTION role logs:CreateLogStream and logs:PutLogEvents on the log group, and "
        "logs:CreateLogGroup if the group is to be created on the way.",
    ),
    start_row(
        patterns=(rf"{_LOG}.*{_UNREACHABLE}",),
        cause=Cause.TASK_DEFINITION,
        summary="The task could not reach CloudWatch Logs",
        remedy=f"CloudWatch Logs must be reachable on TCP 443 from the task's subnet: {_ROUTE} "
        "com.amazonaws.<region>.logs; or start without log options.",
        transient=True,
    ),
    start_row(
        patterns=(r"log ?group.*(does not exist|not found)",),
        cause=Cause.TASK_DEFINITION,
        summary="The log group of the container does not exist",
        remedy="Create the log group named in the log options, in the Region they name, or correct TaskLogGroup.",
    ),
    start_row(
        patterns=(r"MissingEndpoint", r"MissingRegion"),
        cause=Cause.TASK_DEFINITION,
        summary="The log options name no Region that CloudWatch Logs has",
        remedy="Set awslogs-region of the log options to a Region's name.",
    ),
    # The log group, the role or the route may be wrong, so the row has no cause.
    start_row(
        patterns=(_LOG,),
        summary="The container's log driver could not be started",
        remedy="Check the log options: the group, the Region (awslogs-region is a Region's name) and, on Fargate, "
        "awslogs-stream-prefix.",
    ),
)

# RunTask's own wording, repeated in stoppedReason; "Amazon ECS task execution IAM role".
ROLES: Final = (
    start_row(
        patterns=(r"unable to assume the", r"nocredentialproviders", r"role is not valid"),
        cause=Cause.PERMISSION,
        summary="ECS cannot assume a role of the task",
        remedy="Check that the task and execution roles exist and that their trust policies let "
        "ecs-tasks.amazonaws.com assume them; a role made a minute ago may only need that minute.",
    ),
    start_row(
        patterns=(r"not authorized to perform", r"access ?denied ?exception", r"unauthorizedoperation"),
        cause=Cause.PERMISSION,
        summary="AWS refused something that the start needs",
        remedy="Allow the role named in the text the action named in the text.",
    ),
)
