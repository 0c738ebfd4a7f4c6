"""What ECS allows as the name of a family, a container or a volume: up to 255 letters, digits, hyphens, underscores."""

from __future__ import annotations

import re
from typing import Final

MAX_NAME: Final = 255
LONG_NAME: Final = f"must have at most {MAX_NAME} characters"
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_-]*")


def has_foreign_characters(name: str) -> bool:
    """True when a character is not one of those."""
    return _CHARACTERS.fullmatch(name) is None
