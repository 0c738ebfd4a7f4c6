"""Rows for secrets, environment files and logs, which ECS opens before a container starts, and for roles.

Sources: ECS Developer Guide, "Troubleshooting Amazon ECS ResourceInitializationError errors" and "... Resource-
NotFoundException errors"; the second half of most texts is the AWS SDK's.
"""

from functools import partial
from typing import Final

from core.diagnosis.row import Actor, start_row
from core.model.failure import Cause

_secret = partial(start_row, cause=Cause.SECRETS)
_definition = partial(start_row, cause=Cause.TASK_DEFINITION)
_permission = partial(start_row, cause=Cause.PERMISSION)

THROTTLING: Final = r"(throttlingexception|\brate exceeded|requestlimitexceeded|errorcode: throttling)"
RETRY_SLOWER: Final = (
    "Start the container again in a moment. If it repeats, start fewer containers at once or have the quota of the "
    "named call raised."
)

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
        pattern=rf"{_KEPT}.*{THROTTLING}",
        summary="AWS throttled the reading of the task's secrets",
        remedy=RETRY_SLOWER,
        actor=Actor.AWS,
    ),
    _secret(
        pattern=rf"{_KEPT}.*(not authorized|access ?denied|access to kms)",
        summary="The execution role may not read a secret of the task",
        remedy="Allow the task EXECUTION role ssm:GetParameters (or secretsmanager:GetSecretValue) on the named "
        "resource, and kms:Decrypt on its key if that is not the AWS managed one.",
    ),
    _secret(
        pattern=rf"{_KEPT}.*(ResourceNotFound|ParameterNotFound|can.?t find|did not contain json|the secret exists)|"
        r"invalid ssm parameters|can(no|.)?t retrieve the secret",
        summary="A secret of the task does not exist",
        remedy="Check that the parameter or secret named in the text exists in this Region and account, with the JSON "
        "key and version asked for. The agent's own parameter is deleted when its generation ends: start the container "
        "again.",
    ),
    # amazon-ecs-agent, on a secret with a JSON key that is no JSON, and on a login without its members.
    _secret(
        pattern=rf"{_KEPT}.*looking for beginning of value|asm fetching authorization data",
        summary="A secret of the task does not hold the JSON that is asked for",
        remedy="A secret with a JSON key must hold one JSON object; that of `repository_credentials` must have "
        "username and password.",
    ),
    _secret(
        pattern=rf"{_KEPT}.*{_UNREACHABLE}",
        summary="The task could not reach the service that keeps its secrets",
        remedy=f"From the task's subnet, Systems Manager or Secrets Manager must be reachable on TCP 443: {_ROUTE} "
        "com.amazonaws.<region>.ssm (or .secretsmanager), with TCP 443 let in from the task's security group.",
        may_pass=True,
    ),
    _secret(
        pattern=_KEPT,
        summary="A secret of the task could not be read",
        remedy="Check the parameter or secret named in the text, and that the task execution role may read it.",
    ),
    _definition(
        pattern=rf"{_FILES}.*{_UNREACHABLE}",
        summary="The task could not reach S3, where its environment files are",
        remedy="S3 must be reachable on TCP 443 from the task's subnet: give it a gateway endpoint for S3 (free) or a "
        "NAT gateway.",
        may_pass=True,
    ),
    _definition(
        pattern=_FILES,
        summary="An environment file of the task could not be read from S3",
        remedy="Check that the object exists, that the task execution role has s3:GetObject on it and "
        "s3:GetBucketLocation on its bucket, and that the subnet reaches S3 (NAT or gateway endpoint).",
    ),
)

# "Troubleshooting Amazon ECS ResourceInitializationError errors", on the awslogs driver; moby #42088.
_LOG: Final = r"(logger args|logging driver|log driver|log ?stream|log group)"
LOGS: Final = (
    _permission(
        pattern=rf"{_LOG}.*(not authorized|access ?denied)",
        summary="The execution role may not write the container's log",
        remedy="Allow the task EXECUTION role logs:CreateLogStream and logs:PutLogEvents on the log group, and "
        "logs:CreateLogGroup if the group is to be created on the way.",
    ),
    _definition(
        pattern=rf"{_LOG}.*{_UNREACHABLE}",
        summary="The task could not reach CloudWatch Logs",
        remedy=f"CloudWatch Logs must be reachable on TCP 443 from the task's subnet: {_ROUTE} "
        "com.amazonaws.<region>.logs; or start without log options.",
        may_pass=True,
    ),
    _definition(
        pattern=r"log ?group.*(does not exist|not found)",
        summary="The log group of the container does not exist",
        remedy="Create the log group named in the log options, in the Region they name, or correct TaskLogGroup.",
    ),
    _definition(
        pattern=r"MissingEndpoint|MissingRegion",
        summary="The log options name no Region that CloudWatch Logs has",
        remedy="Set awslogs-region of the log options to a Region's name.",
    ),
    # The log group, the role or the route may be wrong, so the row has no cause.
    start_row(
        pattern=_LOG,
        summary="The container's log driver could not be started",
        remedy="Check the log options: the group, the Region (awslogs-region is a Region's name) and, on Fargate, "
        "awslogs-stream-prefix.",
    ),
)

# Secrets and the registry's authorisation share this prefix, so it has no cause.
_FETCHED: Final = r"(pull secrets or registry auth|execution resource retrieval failed)"
FETCHES: Final = (
    # RunTask's own wording, repeated in stoppedReason; "Amazon ECS task execution IAM role".
    _permission(
        pattern=r"unable to assume the|nocredentialproviders|role is not valid",
        summary="ECS cannot assume a role of the task",
        remedy="Check that the task and execution roles exist and that their trust policies let "
        "ecs-tasks.amazonaws.com assume them; a role made a minute ago may only need that minute.",
    ),
    _permission(
        pattern=r"not authorized to perform|access ?denied ?exception|unauthorizedoperation",
        summary="AWS refused something that the start needs",
        remedy="Allow the role named in the text the action named in the text.",
    ),
    start_row(
        pattern=rf"{_FETCHED}.*{_UNREACHABLE}",
        summary="The task could not reach the services that have its secrets and the registry's authorisation",
        remedy="ECR, Systems Manager and Secrets Manager must be reachable on TCP 443 from the task's subnet: "
        f"{_ROUTE}s of the services that the task uses.",
        may_pass=True,
    ),
    start_row(
        pattern=_FETCHED,
        summary="The task could not fetch its secrets or the registry's authorisation",
        remedy="Check that the task execution role exists, is trusted by ecs-tasks.amazonaws.com and may read what the "
        "task definition names, and that the subnet has a route to ECR, Systems Manager and Secrets Manager.",
    ),
)
