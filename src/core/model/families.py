"""Task definitions: their use, and their names, `<prefix>-<8 hex digits of the cluster><24 of the content>`.

The content names the shape, so that every function finds the definition that another one registered. The cluster
says whose it is: definitions belong to an account and Region, and two stacks with the same prefix on two clusters
must not retire each other's (`core.control.retire_definitions`).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

CLUSTER_DIGITS: Final = 8
CONTENT_DIGITS: Final = 24
_CONTENT: Final = re.compile(rf"[0-9a-f]{{{CONTENT_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class DefinitionUse:
    """What an item says about the task definition of its container.

    `ended` is true only for a state that is known to be an end; `updated_at` is None where it cannot be read.
    """

    task_definition_arn: str
    ended: bool
    updated_at: datetime | None


def family_stem(prefix: str, cluster_arn: str) -> str:
    """What every family of one stack begins with, and no other stack's does."""
    return f"{prefix}-{_digits(cluster_arn, CLUSTER_DIGITS)}"


def family_of(prefix: str, cluster_arn: str, definition: Mapping[str, Any]) -> str:
    """The family of a definition: the same shape has the same one, in every function and for ever."""
    canonical = json.dumps(definition, sort_keys=True, separators=(",", ":"))
    return family_stem(prefix, cluster_arn) + _digits(canonical, CONTENT_DIGITS)


def is_family_of(stem: str, family: str) -> bool:
    """Whether `family_of` can have made this name for the stack with this stem."""
    return family.startswith(stem) and _CONTENT.fullmatch(family, len(stem)) is not None


def family_in(arn: str) -> str:
    """The family in `arn:…:task-definition/<family>:<revision>`."""
    return arn.rpartition("/")[2].partition(":")[0]


def revision_in(arn: str) -> int:
    """The revision in it. Raises `ValueError` for an ARN without one."""
    return int(arn.rpartition(":")[2])


def _digits(text: str, count: int) -> str:
    return sha256(text.encode()).hexdigest()[:count]
