"""What the text of a setting has to look like, said once for the functions, for requests and for the template.

`core.launch.settings` checks each by its constraint, `core.launch.request` takes the patterns that a request shares,
and template.yaml carries pattern and description as AllowedPattern and ConstraintDescription, so that a typo ends a
deployment before it begins. `tests/unit/test_parameters.py` compares them. Four engines read the patterns
(CloudFormation's, Python's, pydantic's, that of whoever reads the JSON Schema), so they keep to what all of them know;
only a pattern that no request shares may look ahead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Constraint:
    """The metadata of a field whose whole text must match `pattern`. `description` goes on from the field's name.

    A tuple is checked as the comma-separated text it came from. None and () mean that nothing was set.
    """

    pattern: str
    description: str

    def check(self, value: Any) -> Any:
        """The value. Raises `PydanticCustomError` with the description."""
        if value is None or value == ():
            return value
        text = ",".join(value) if isinstance(value, tuple) else value
        # Not by the anchors alone: Python's `$` also stands before a line feed at the end.
        if re.fullmatch(self.pattern, text) is None:
            raise PydanticCustomError("constraint", self.description)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic's own check of the type comes first."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))


def _list_of(item: str, most: int) -> str:
    return rf"^{item}(,{item}){{0,{most - 1}}}$"


_NAME: Final = "[A-Za-z0-9_-]"

CLUSTER: Final = Constraint(
    rf"^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{{12}}:cluster/{_NAME}{{1,255}}$", "must be the ARN of an ECS cluster"
)
PREFIX: Final = Constraint(
    # 40 characters: core/model/identity.py. The two words: the Name of PutParameter (botocore) begins with it.
    rf"^(?![Aa][Ww][Ss]|[Ss][Ss][Mm]){_NAME}{{1,40}}$",
    "must be 1 to 40 letters, digits, hyphens and underscores, and not begin with aws or ssm in any case: Parameter "
    "Store, where the ssm token delivery puts tokens, keeps such names for itself",
)
SUBNETS: Final = Constraint(
    # RunTask's awsvpcConfiguration takes 16 subnets and 5 groups (botocore); Lambda's VpcConfig takes 16 subnets too.
    _list_of("subnet-[0-9a-f]{8,17}", 16),
    "must be at most 16 subnet ids (subnet-...), separated by commas, without blanks",
)
SECURITY_GROUPS: Final = Constraint(
    _list_of("sg-[0-9a-f]{8,17}", 5),
    "must be at most 5 security group ids (sg-...), separated by commas, without blanks",
)
ROLE: Final = Constraint(
    # A path may hold any printable character of ASCII (IAM API Reference, CreateRole).
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\x21-\x7E]{1,512}$",
    "must be the whole ARN of an IAM role (arn:aws:iam::<account>:role/<name>), not its name",
)
LOG_GROUP: Final = Constraint(
    r"^[A-Za-z0-9._/#-]{1,512}$",
    "must be the name of a log group (letters, digits, and any of . _ / # -), not its ARN",
)
FILE_SYSTEM: Final = Constraint(r"^fs-[0-9a-f]{8,40}$", "must be the id of an EFS file system (fs-...)")
ACCESS_POINT: Final = Constraint(r"^fsap-[0-9a-f]{8,40}$", "must be the id of an EFS access point (fsap-...)")
IMAGE: Final = Constraint(
    # What ECS takes as an image: letters, digits, and - _ : . / # (botocore, ContainerDefinition), a digest behind @.
    r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,254}(@sha256:[0-9A-Fa-f]{64})?$",
    "must be the name of an image as ECS takes it, without blanks, with a tag or a digest (name@sha256:...)",
)
COMMAND: Final = Constraint(
    r"^ *[^, ][^,]*(, *[^, ][^,]*)*$", "must be a program and its arguments, separated by single commas"
)
