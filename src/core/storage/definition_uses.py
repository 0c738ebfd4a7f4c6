"""What an item says about the task definition of its container.

Read more leniently than a record: an item that this version cannot interpret still keeps its definition. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.model.families import DefinitionUse
from core.model.instants import parse_instant
from core.model.state import ENDS

USE_ATTRIBUTES: Final = ("task_definition_arn", "state", "updated_at")
"""The attributes of an item that `definition_use` reads."""


def definition_use(item: Mapping[str, Any]) -> DefinitionUse | None:
    """Reads an item, or the part of it that `USE_ATTRIBUTES` names; None when it names no definition. Never raises."""
    arn, state = item.get("task_definition_arn"), item.get("state")
    if not isinstance(arn, str):
        return None
    return DefinitionUse(arn, isinstance(state, str) and state in ENDS, _instant(item.get("updated_at")))


def _instant(value: object) -> datetime | None:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        return None
