"""The pattern of every setting, declared once for the functions, for requests and for the template.

`core.launch.settings` checks each setting by its constraint, `core.launch.request` each member. template.yaml repeats
pattern and description as AllowedPattern and ConstraintDescription, so that a typo ends a deployment before it begins;
`tests/unit/test_parameters.py` compares them. Three engines evaluate the patterns (CloudFormation, Python, a reader of
the JSON Schema), so they use only what all three support. Lookahead is for patterns outside requests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Constraint:
    """A field's metadata: its whole text must match `pattern`. `description` continues a sentence after the name.

    A tuple is checked as its comma-separated text.
    """

    pattern: str
    description: str

    def check(self, value: Any) -> Any:
        """Returns the value. Raises `ValueError` with the description."""
        text = ",".join(value) if isinstance(value, tuple) else value
        # fullmatch, because Python's `$` also matches before a line feed at the end.
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError(self.description)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic checks the type first."""
        # Here, because most functions need no pydantic: it is a sixth of a cold start.
        from pydantic_core import PydanticCustomError, core_schema  # noqa: PLC0415

        def check(value: Any) -> Any:
            try:
                return self.check(value)
            except ValueError as exc:
                raise PydanticCustomError("constraint", self.description) from exc

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}


def _list_of(item: str, most: int) -> str:
    return rf"^{item}(,{item}){{0,{most - 1}}}$"


_NAME: Final = "[A-Za-z0-9_-]"

CLUSTER: Final = Constraint(
    rf"^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{{12}}:cluster/{_NAME}{{1,255}}$", "must be the ARN of an ECS cluster"
)
PREFIX: Final = Constraint(
    # 40 characters: core/model/identity.py. A parameter name begins with the prefix (botocore, PutParameter).
    rf"^(?![Aa][Ww][Ss]|[Ss][Ss][Mm]){_NAME}{{1,40}}$",
    "must be 1 to 40 letters, digits, hyphens and underscores, and not begin with aws or ssm in any case: Parameter "
    "Store, where the ssm token delivery puts tokens, keeps such names for itself",
)
SUBNETS: Final = Constraint(
    # RunTask's awsvpcConfiguration takes 16 subnets and 5 groups (botocore); Lambda's VpcConfig takes 16 subnets too.
    _list_of("subnet-[0-9a-f]{8,17}", 16),
    "must be at most 16 subnet ids (subnet-...), separated by commas, without blanks",
)
_GROUP: Final = "sg-[0-9a-f]{8,17}"
SECURITY_GROUP: Final = Constraint(f"^{_GROUP}$", "must be the id of a security group (sg-...)")
SECURITY_GROUPS: Final = Constraint(
    _list_of(_GROUP, 5),
    "must be at most 5 security group ids (sg-...), separated by commas, without blanks",
)
ROLE: Final = Constraint(
    # A path may hold any printable character of ASCII (IAM API Reference, CreateRole).
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\x21-\x7E]{1,512}$",
    "must be the whole ARN of an IAM role (arn:aws:iam::<account>:role/<name>), not its name",
)
_NAMED: Final = r"[^:\s\x00]"
_SECRET_ARN: Final = "arn:aws[a-z-]*:secretsmanager:[a-z0-9-]{1,32}:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}"  # noqa: S105
REGISTRY_SECRET: Final = Constraint(f"^{_SECRET_ARN}$", "must be the ARN of a secret in Secrets Manager")
SECRET: Final = Constraint(
    # A version has a stage or an id (ECS guide, Secrets Manager environment variables).
    rf"^({_SECRET_ARN}(:[^:\x00-\x1F]*:({_NAMED}*:|:{_NAMED}*))?|"
    "arn:aws[a-z-]*:ssm:[a-z0-9-]{1,32}:[0-9]{12}:parameter/[A-Za-z0-9_./-]{1,1011})$",
    "must be the ARN of a Secrets Manager secret, alone or followed by :json-key:version-stage:version-id (each may be "
    "empty, and not both versions given), or the ARN of a Systems Manager parameter",
)
LOG_GROUP: Final = Constraint(
    r"^[A-Za-z0-9._/#-]{1,512}$", "must be the name of a log group (letters, digits, and any of . _ / # -), not its ARN"
)
_NETWORK: Final = r"(([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}|[0-9a-f:]{2,39}/[0-9]{1,3})"
NETWORKS: Final = Constraint(
    _list_of(_NETWORK, 20),
    "must be at most 20 CIDR blocks (10.0.0.0/8, fd00::/8), separated by commas, without blanks, in lower case",
)
FILE_SYSTEM: Final = Constraint(r"^fs-[0-9a-f]{8,40}$", "must be the id of an EFS file system (fs-...)")
ACCESS_POINT: Final = Constraint(r"^fsap-[0-9a-f]{8,40}$", "must be the id of an EFS access point (fsap-...)")
# botocore, s3files: FileSystemArn and AccessPointArn.
_S3_FILES: Final = "arn:aws[a-z-]*:s3files:[a-z0-9-]+:[0-9]{12}:file-system/fs-[0-9a-f]{17,40}"
S3_FILES_FILE_SYSTEM: Final = Constraint(
    rf"^{_S3_FILES}$",
    "must be the whole ARN of a file system of S3 Files (arn:aws:s3files:<region>:<account>:file-system/fs-...), "
    "not its id",
)
S3_FILES_ACCESS_POINT: Final = Constraint(
    rf"^{_S3_FILES}/access-point/fsap-[0-9a-f]{{17,40}}$",
    "must be the whole ARN of an access point of S3 Files "
    "(arn:aws:s3files:<region>:<account>:file-system/fs-.../access-point/fsap-...), not its id",
)
_LABEL: Final = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_TCP_PORT: Final = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_COMPONENT: Final = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
IMAGE: Final = Constraint(
    # The grammar of github.com/distribution/reference, as far as ECS takes it: no IPv6, and digests of sha256 alone
    # (ECS API, ContainerDefinition, `image`).
    rf"^({_LABEL}(\.{_LABEL})*(:{_TCP_PORT})?/)?{_COMPONENT}(/{_COMPONENT})*"
    "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$",
    "must be an image of a registry (registry.example.com:5000/team/app:tag, app@sha256:...), without https://, its "
    "name and digest in lower case, with one tag, and a digest of sha256 alone",
)
IMAGE_ID: Final = "^(sha256:)?[0-9a-f]{64}$"
CONTAINER_ID: Final = Constraint("^[0-9a-f]{64}$", "must be 64 lowercase hexadecimal characters")
USER: Final = Constraint(r"^[^\s:\x00]+(:[^\s:\x00]*)?$", "must be user, uid, user:group or uid:gid, without blanks")
ABSOLUTE_PATH: Final = Constraint(r"^/[^\x00]*$", "must be an absolute path: it begins with /")
MOUNT_PATH: Final = Constraint(
    r"^/[^/\x00][^\x00]*$", "must be an absolute path below /, as in /data: nothing is mounted at / itself"
)
STREAM_PREFIX: Final = Constraint(r"^[^:*\x00]{1,128}$", "must be 1 to 128 characters, and none of them : or *")
BUFFER_SIZE: Final = Constraint(
    "^[1-9][0-9]{0,9}[kmg]?$", "must be a number of bytes, or one with the unit k, m or g, as in 25m"
)
COMMAND: Final = Constraint(
    r"^ *[^, ][^,]*(, *[^, ][^,]*)*$", "must be a program and its arguments, separated by single commas"
)
