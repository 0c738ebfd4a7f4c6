"""What an item says about the task definition of its container."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DefinitionUse:
    """`ended` is true only for a state that is known to be an end; `updated_at` is None where it cannot be read."""

    task_definition_arn: str
    ended: bool
    updated_at: datetime | None
