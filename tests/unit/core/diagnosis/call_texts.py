"""Messages of refused calls, and members of RunTask's `failures`, with what they mean.

The source names an AWS page, a public issue (repository and number) or the program whose words they are. Every name
that a user chose is `shop`, as in `stop_texts`.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.model.failure import Cause


@dataclass(frozen=True, slots=True)
class Text:
    """A message of AWS's under a class that says something else, or too little."""

    source: str
    code: str
    message: str
    cause: Cause
    remedy: str
    transient: bool = False


TEXTS = [
    Text(
        "dask-cloudprovider 328: the cluster's capacity providers",
        "InvalidParameterException",
        "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the "
        "cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.",
        Cause.TASK_DEFINITION,
        "put-cluster-capacity-providers",
    ),
    Text(
        "an unknown capacity provider",
        "InvalidParameterException",
        "The specified capacity provider 'FARGATE_SPOT' was not found. Specify a valid name and try again.",
        Cause.TASK_DEFINITION,
        "put-cluster-capacity-providers",
    ),
    Text(
        "dagster 33439: throttling inside a parameter error",
        "InvalidParameterException",
        "Error retrieving subnet information for [subnet-1]: Rate exceeded (ErrorCode: Throttling)",
        Cause.THROTTLED,
        "moment",
        transient=True,
    ),
    Text(
        "amazon-ecs-plugin 105: revisions",
        "ClientException",
        "Too many concurrent attempts to create a new revision of the specified family.",
        Cause.THROTTLED,
        "RegisterTaskDefinition",
        transient=True,
    ),
    Text("throttling as a client error", "ClientException", "Rate exceeded", Cause.THROTTLED, "quota", transient=True),
    Text("throttling as a limit", "LimitExceededException", "Rate exceeded", Cause.THROTTLED, "quota", transient=True),
    *(
        Text(
            f"AWS's own failure inside a parameter error: {words[-22:]}",
            code,
            words,
            Cause.UNKNOWN,
            "not the request",
            transient=True,
        )
        for code, words in (
            (
                "InvalidParameterException",
                (
                    "Error retrieving security group information for [sg-1]: An internal error has occurred "
                    "(ErrorCode: InternalError)"
                ),
            ),
            (
                "InvalidParameterException",
                (
                    "Error retrieving subnet information for [subnet-1]: The service is unavailable. Please try again "
                    "shortly. (ErrorCode: Unavailable)"
                ),
            ),
            ("ClientException", "Service Unavailable. Please try again later."),
            ("ClientException", "Internal Server Error"),
        )
    ),
    Text(
        "RegisterTaskDefinition: a name that nothing has",
        "ClientException",
        "Unknown volume 'shop'.",
        Cause.TASK_DEFINITION,
        "Correct what the text names",
    ),
    Text(
        "botocore: a member that is newer than it",
        "ParamValidationError",
        'Parameter validation failed:\nUnknown parameter in volumes[0]: "s3filesVolumeConfiguration", must be one of: '
        "name, host, dockerVolumeConfiguration, efsVolumeConfiguration",
        Cause.TASK_DEFINITION,
        "too old for the member that the text names (S3 Files needs botocore",
    ),
    Text(
        "botocore: a value that is wrong",
        "ParamValidationError",
        "Parameter validation failed: Invalid type for parameter containerDefinitions[0].image, value: shop, type: "
        "<class 'str'>, valid types: <class 'list'>",
        Cause.TASK_DEFINITION,
        "Correct what the text names",
    ),
    Text(
        "no such subnet",
        "InvalidParameterException",
        "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist (ErrorCode: "
        "InvalidSubnetID.NotFound)",
        Cause.ENI_PROVISIONING,
        "TaskSubnets",
    ),
    Text(
        "no such security group",
        "InvalidParameterException",
        "Error retrieving security group information for [sg-1]: The security group 'sg-1' does not exist (ErrorCode: "
        "InvalidGroup.NotFound)",
        Cause.ENI_PROVISIONING,
        "TaskSecurityGroups",
    ),
    Text(
        "PassRole",
        "AccessDeniedException",
        "User: arn:aws:sts::123456789012:assumed-role/shop/shop is not authorized to perform: iam:PassRole on "
        "resource: arn:aws:iam::123456789012:role/shop",
        Cause.PERMISSION,
        "iam:PassedToService",
    ),
    Text(
        "role cannot be assumed",
        "ClientException",
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/shop' that was provided for this task.",
        Cause.PERMISSION,
        "trust policies",
    ),
    Text("no such role", "ClientException", "Role is not valid", Cause.PERMISSION, "exist"),
    Text(
        "first call of an account",
        "InvalidParameterException",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
        Cause.PERMISSION,
        "create-service-linked-role",
        transient=True,
    ),
    Text(
        "denial as a client error",
        "ClientException",
        "User: shop is not authorized to perform: ecs:RunTask with an explicit deny",
        Cause.PERMISSION,
        "service control policy",
    ),
    Text(
        "vCPU quota",
        "ClientException",
        "You\u2019ve reached the limit on the number of vCPUs you can run concurrently",
        Cause.CAPACITY,
        "Service Quotas",
        transient=True,
    ),
    Text(
        "inactive definition",
        "ClientException",
        "TaskDefinition is inactive",
        Cause.TASK_DEFINITION,
        "again",
        transient=True,
    ),
    Text(
        "AWS doc: CPU and memory",
        "ClientException",
        "No Fargate configuration exists for given values.",
        Cause.TASK_DEFINITION,
        "256/512",
    ),
    Text(
        "AWS doc: cpu",
        "ClientException",
        "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS "
        "Developer Guide.",
        Cause.TASK_DEFINITION,
        "pair",
    ),
    Text(
        "overrides too long",
        "InvalidParameterException",
        "Container Overrides length must be at most 8192",
        Cause.TASK_DEFINITION,
        "8,192",
    ),
    Text(
        "virtual-kubelet 193: execution role",
        "ClientException",
        "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        Cause.TASK_DEFINITION,
        "ExecutionRoleArn",
    ),
    Text(
        "inactive cluster",
        "InvalidParameterException",
        "The referenced cluster was inactive.",
        Cause.UNKNOWN,
        "ClusterArn",
    ),
    Text(
        "StopTask, too late",
        "InvalidParameterException",
        "The referenced task was not found.",
        Cause.UNKNOWN,
        "Nothing is left to stop",
    ),
    Text(
        "containers-roadmap 1598: platform",
        "PlatformTaskDefinitionIncompatibilityException",
        "One or more of the requested capabilities are not supported.",
        Cause.TASK_DEFINITION,
        "1.4.0",
    ),
    Text(
        "client token",
        "ConflictException",
        "The provided clientToken is already in use with a different RunTask request.",
        Cause.UNKNOWN,
        "startedBy",
    ),
    Text(
        "botocore: no route",
        "EndpointConnectionError",
        'Could not connect to the endpoint URL: "https://ecs.eu-west-1.amazonaws.com/"',
        Cause.UNKNOWN,
        "NAT gateway",
        transient=True,
    ),
]


@dataclass(frozen=True, slots=True)
class Failure:
    """One member of RunTask's `failures`."""

    source: str
    reason: str
    detail: str | None
    cause: Cause
    remedy: str
    transient: bool = False


FAILURES = [
    Failure("API failures: CPU", "RESOURCE:CPU", None, Cause.CAPACITY, "FARGATE", transient=True),
    Failure("API failures: MEMORY", "RESOURCE:MEMORY", None, Cause.CAPACITY, "FARGATE", transient=True),
    Failure("API failures: PORTS", "RESOURCE:PORTS", None, Cause.CAPACITY, "FARGATE", transient=True),
    Failure("API failures: ENI", "RESOURCE:ENI", None, Cause.CAPACITY, "FARGATE", transient=True),
    Failure("API failures: GPU", "RESOURCE:GPU", None, Cause.CAPACITY, "FARGATE", transient=True),
    Failure("API failures: AGENT", "AGENT", None, Cause.CAPACITY, "agent", transient=True),
    Failure("API failures: INACTIVE", "INACTIVE", None, Cause.CAPACITY, "FARGATE", transient=True),
    Failure("API failures: ATTRIBUTE", "ATTRIBUTE", None, Cause.TASK_DEFINITION, "FARGATE"),
    Failure("API failures: LOCATION", "LOCATION", None, Cause.ENI_PROVISIONING, "TaskSubnets"),
    Failure("API failures: MISSING", "MISSING", None, Cause.UNKNOWN, "ClusterArn"),
    Failure(
        "re:Post: capacity",
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        None,
        Cause.CAPACITY,
        "Availability Zones",
        transient=True,
    ),
    Failure(
        "wellcomecollection 3875: tasks",
        "You've reached the limit on the number of tasks you can run concurrently",
        None,
        Cause.CAPACITY,
        "quota",
        transient=True,
    ),
    Failure(
        "dask-cloudprovider 300: above the limit",
        "The requested MEMORY configuration is above your limit",
        None,
        Cause.CAPACITY,
        "Service Quotas",
    ),
    Failure(
        "only the detail",
        "Something new",
        "Rate exceeded (ErrorCode: Throttling)",
        Cause.THROTTLED,
        "moment",
        transient=True,
    ),
    Failure("new words", "Something new", None, Cause.UNKNOWN, "API failure reasons"),
]
