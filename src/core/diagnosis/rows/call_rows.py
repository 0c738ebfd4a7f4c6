"""Rows for calls that were not sent, throttled, or not allowed.

Sources: ECS API Reference, "Common Errors" and "RunTask, Errors"; ECS Developer Guide, "Request throttling for the
Amazon ECS API"; botocore's own exceptions; those of the APIs' models, as in `request_rows`.
"""

from functools import partial
from typing import Final

from core.diagnosis.row import Actor, Row
from core.model.failure import Cause

_permission = partial(Row, cause=Cause.PERMISSION)

# botocore's own classes: the call was never sent, whatever values the text quotes.
UNSENT: Final = (
    Row(
        codes="NoRegionError UnknownEndpointError InvalidRegionError EndpointProviderError",
        remedy="Set AWS_DEFAULT_REGION to a Region's name, and AWS_ENDPOINT_URL to a URL or not at all.",
    ),
    # What is sent is the plan's own (`core.launch.definition`): a member that the SDK does not know is newer than it.
    Row(
        pattern=r"^parameter validation failed: unknown parameter in",
        cause=Cause.TASK_DEFINITION,
        remedy="Update the AWS SDK that makes the call, because it is too old for the member that the text names (S3 "
        "Files needs botocore 1.42.90). In Lambda it is the runtime's: set its update mode to Auto (runtime "
        "management), or add botocore to src/requirements.txt and deploy. Until then choose another injection.",
    ),
    Row(
        codes="ParamValidationError",
        cause=Cause.TASK_DEFINITION,
        remedy="Correct what the text names: in the request, or in the stack's parameters if the request does not set "
        "it.",
        actor=Actor.USER,
    ),
)

# ECS calls EC2 and IAM. Their failures arrive as an InvalidParameterException or a ClientException.
WRAPPED: Final = (
    # EC2's: dagster #33439. RegisterTaskDefinition answers concurrent calls for a family with a ClientException.
    Row(
        codes="Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException "
        "TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded "
        "ProvisionedThroughputExceededException SlowDown PriorRequestNotComplete EC2ThrottledException "
        "TooManyUpdates 429",
        pattern=r"rate exceeded|\bthrottl(ed|ing)|too many (concurrent attempts|requests)|request ?limit ?exceeded",
        cause=Cause.THROTTLED,
        remedy="Try again in a moment, with growing pauses. If it repeats, start fewer containers at once or have the "
        "API's rate quota raised; RegisterTaskDefinition allows one a second.",
        actor=Actor.AWS,
    ),
    Row(
        pattern=r"internal (server |service )?(error|failure)|internal(error|failure|servererror)|"
        r"errorcode: (service)?unavailable|errorcode: request(timeout|expired)|"
        r"(service|server) (is )?(currently |temporarily )?unavailable|temporarily unavailable",
        remedy="Try again: a service that ECS asks failed, not the request. If it lasts, see the AWS Health dashboard.",
        actor=Actor.AWS,
    ),
)

ACCESS: Final = (
    _permission(
        pattern=r"iam:passrole",
        remedy="Allow the function's role iam:PassRole on the task role and the execution role, with the condition "
        "iam:PassedToService = ecs-tasks.amazonaws.com.",
    ),
    # "Unable to assume the service linked role": ECS creates it on an account's first call.
    _permission(
        pattern=r"service.linked role",
        remedy="Try again in a minute. If it stays, create it: aws iam create-service-linked-role --aws-service-name "
        "ecs.amazonaws.com.",
        may_pass=True,
    ),
    _permission(
        pattern=r"unable to assume the role|role is not valid|invalid.{0,20}role",
        remedy="Check that ExecutionRoleArn and the task role exist in this account and that their trust policies let "
        "ecs-tasks.amazonaws.com assume them; a role made a minute ago may only need that minute.",
    ),
    # The Lambda runtime renews these.
    _permission(
        codes="ExpiredToken ExpiredTokenException CredentialRetrievalError MetadataRetrievalError",
        remedy="Try again: credentials are renewed with the next call. Outside of Lambda, log in again.",
        may_pass=True,
    ),
    _permission(
        codes="UnrecognizedClientException InvalidClientTokenId InvalidSignatureException SignatureDoesNotMatch "
        "IncompleteSignature MissingAuthenticationToken MissingAuthenticationTokenException RequestExpired "
        "NoCredentialsError PartialCredentialsError TokenRetrievalError UnauthorizedSSOTokenError SSOTokenLoadError",
        remedy="Check the credentials that the call is made with, the Region and the clock of the machine.",
    ),
    _permission(
        codes="BlockedException OptInRequired",
        remedy="AWS does not serve this account or Region: enable the Region, or contact AWS Support.",
    ),
    _permission(
        codes="AccessDenied AccessDeniedException NotAuthorized UnauthorizedOperation",
        pattern=r"not authorized to perform|explicit deny|access ?denied",
        remedy="Allow the role named in the text the action named in the text, and look for an explicit deny in a "
        "service control policy or permissions boundary.",
    ),
)
