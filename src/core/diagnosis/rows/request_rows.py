"""Rows for requests that AWS refuses, for calls that a service failed to answer, and for RunTask's `failures`.

Sources: the exceptions of RunTask, RegisterTaskDefinition, StopTask, DescribeTasks and ListTasks in the ECS API's
model, and of PutParameter and DeleteParameter in Systems Manager's; ECS Developer Guide, "Amazon ECS API failure
reasons" and "Invalid CPU or memory value specified".
"""

from functools import partial
from typing import Final

from core.diagnosis.row import Actor, Row
from core.model.failure import Cause

_definition = partial(Row, cause=Cause.TASK_DEFINITION)

# botocore's own classes.
NO_ANSWER: Final = Row(
    codes="EndpointConnectionError ConnectTimeoutError ReadTimeoutError ConnectionClosedError ConnectionError "
    "ProxyConnectionError SSLError HTTPClientError IncompleteReadError ResponseStreamingError",
    remedy="Try again. If it lasts, the function has no route to the API: a function in a VPC needs a NAT gateway "
    "or the service's VPC endpoint, with TCP 443 let out.",
    may_pass=True,
)

REQUESTS: Final = (
    Row(
        codes="ConflictException",
        remedy="A task of this generation exists already, started with other parameters: it is found by ListTasks with "
        "its startedBy. Stop it and start the container again: a new generation uses a new client token.",
    ),
    Row(
        codes="ClusterNotFoundException",
        pattern=r"cluster (not found|was inactive|is inactive)",
        remedy="Check that ClusterArn names an ACTIVE cluster of this account and Region.",
    ),
    _definition(
        codes="PlatformTaskDefinitionIncompatibilityException",
        remedy="Ask for something that Fargate platform version 1.4.0 or newer has: a valid CPU and memory pair, "
        "Linux, and of the volume types EFS and S3 Files.",
        actor=Actor.USER,
    ),
    _definition(
        codes="PlatformUnknownException UnsupportedFeatureException",
        remedy="Use platform version LATEST, and only features that Fargate has in this Region (ARM64, Spot and large "
        "tasks are not in all of them).",
    ),
    # Capacity providers are the cluster's (dask-cloudprovider #328). No `capacity`: On-Demand would lack one too.
    _definition(
        pattern=r"capacity provider .{0,30}was not found|capacity provider that is not associated",
        remedy="Associate both with the cluster: aws ecs put-cluster-capacity-providers --cluster <ClusterName> "
        "--capacity-providers FARGATE FARGATE_SPOT --default-capacity-provider-strategy []. Or use capacity on-demand, "
        "which needs none.",
    ),
    _definition(
        pattern=r"execution role",
        remedy="Set ExecutionRoleArn: Fargate needs it to pull from ECR, to write logs and to read secrets.",
    ),
    _definition(
        pattern=r"no fargate configuration|invalid '?(cpu|memory)'? setting",
        remedy="Ask for CPU and memory that form a Fargate pair: 256/512 up to 32768/249856.",
        actor=Actor.USER,
    ),
    _definition(
        pattern=r"overrides length|overrides.{0,40}8192",
        remedy="Make command and environment shorter than 8,192 characters together, or keep long values elsewhere.",
        actor=Actor.USER,
    ),
    # The definition was deregistered after the start had chosen it. The next start registers it again.
    _definition(
        pattern=r"task ?definition (is inactive|not found|does not exist)|unable to describe task definition",
        remedy="Start the container again: its task definition is registered anew.",
        may_pass=True,
    ),
    Row(
        pattern=r"referenced task was not found",
        remedy="The task has ended long ago: ECS forgets it after about an hour. Nothing is left to stop.",
        actor=Actor.USER,
    ),
    Row(
        codes="LimitExceededException",
        cause=Cause.CAPACITY,
        remedy="A quota of the account is used up: delete what is not needed (for task definitions: inactive ones), or "
        "have the quota named in the text raised.",
    ),
    Row(
        codes="ParameterNotFound ParameterAlreadyExists ParameterLimitExceeded ParameterMaxVersionLimitExceeded "
        "ParameterPatternMismatchException HierarchyLevelLimitExceededException HierarchyTypeMismatchException "
        "InvalidKeyId PoliciesLimitExceededException UnsupportedParameterType",
        cause=Cause.SECRETS,
        remedy="The token's SecureString parameter could not be kept: check the key it is encrypted with and the "
        "account's number of parameters, or use token delivery `environment`.",
    ),
    _definition(
        codes="InvalidParameterException ClientException ValidationException",
        remedy="Correct what the text names: in the request, or in the stack's parameters if the request does not set "
        "it.",
        actor=Actor.USER,
    ),
    Row(
        codes="ServerException InternalFailure InternalError InternalServerError InternalServerException "
        "ServiceUnavailable ServiceUnavailableException ServiceException RequestTimeout RequestTimeoutException "
        "500 502 503 504",
        remedy="Try again: the service failed, not the request. If it lasts, see the AWS Health dashboard.",
        actor=Actor.AWS,
    ),
    NO_ANSWER,
    Row(
        remedy="Look it up in the ECS API Reference, `Common Errors`, or in the ECS Developer Guide, `Amazon ECS API "
        "failure reasons`; CloudTrail has the call.",
    ),
)

FAILURES: Final = (
    Row(
        codes="LOCATION",
        cause=Cause.ENI_PROVISIONING,
        remedy="The capacity is in another Availability Zone than TaskSubnets: add a subnet there, or run on Fargate.",
    ),
    Row(
        codes="MISSING",
        remedy="ECS does not know what was asked for: check ClusterArn and the Region; a stopped task is forgotten "
        "after about an hour.",
    ),
)
