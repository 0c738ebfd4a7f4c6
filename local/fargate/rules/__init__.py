"""What ECS checks in RegisterTaskDefinition and RunTask beyond the shapes that botocore knows.

Emulators accept nearly anything; this says what AWS would object to, so that the laptop cloud can answer as AWS does
and tests can hold every request the builder makes against it. Shapes are botocore's part: run its validation first.
What depends on the state of an account (a family, a cluster, a quota) is not here.
Sources: botocore's ECS model, the ECS developer guide, refusals that users of AWS have published.
"""

from core.launch.ecs_rules import MAX_DEFINITION_BYTES, MAX_OVERRIDES_LENGTH, definition_size, is_ecr_image
from local.fargate.rules.definition import violations
from local.fargate.rules.run import override_violations, overrides_length
from local.fargate.rules.tagging import tag_violations
from local.fargate.rules.violation import Violation

__all__ = [
    "MAX_DEFINITION_BYTES",
    "MAX_OVERRIDES_LENGTH",
    "Violation",
    "definition_size",
    "is_ecr_image",
    "override_violations",
    "overrides_length",
    "tag_violations",
    "violations",
]
