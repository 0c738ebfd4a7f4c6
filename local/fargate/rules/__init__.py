"""What ECS checks in RegisterTaskDefinition and RunTask beyond the shapes that botocore knows.

Emulators accept nearly anything. With these rules the laptop cloud answers as AWS does, and tests check every request
that the core builds. botocore's validation comes first. What depends on the state of an account (a family, a cluster,
a quota) is not here.
Sources: botocore's ECS model, the ECS developer guide, refusals that users of AWS have published.
"""

from local.fargate.rules.definition import violations
from local.fargate.rules.run import override_violations, overrides_length
from local.fargate.rules.violation import Violation, tag_violations

__all__ = ["Violation", "override_violations", "overrides_length", "tag_violations", "violations"]
