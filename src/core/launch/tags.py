"""Docker's labels as AWS's tags. Tags are for people and bills: nothing here depends on them (contract.md 4)."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAX_TAGS: Final = 50
MAX_KEY: Final = 128
MAX_VALUE: Final = 256
_SIGNS: Final = frozenset("_.:/=+-@")


@dataclass(frozen=True, slots=True)
class Tags:
    """RunTask's tags, and the names of the labels that cannot be tags."""

    tags: tuple[dict[str, str], ...]
    left_out: tuple[str, ...]


def tags_of(labels: Mapping[str, str]) -> Tags:
    """The first 50 labels, by name, that AWS's rules allow. Others are left out, not changed."""
    fitting = [key for key in sorted(labels) if tag_fault(key, labels[key]) is None][:MAX_TAGS]
    return Tags(
        tags=tuple({"key": key, "value": labels[key]} for key in fitting),
        left_out=tuple(sorted(labels.keys() - set(fitting))),
    )


def tag_fault(key: str, value: str) -> str | None:
    """Why AWS would refuse this tag; None if it would not (botocore, ECS `Tag` and RunTask `tags`)."""
    if not 1 <= len(key) <= MAX_KEY:
        return f"a key has 1 to {MAX_KEY} characters"
    if len(value) > MAX_VALUE:
        return f"a value has at most {MAX_VALUE} characters"
    if key.lower().startswith("aws:") or value.lower().startswith("aws:"):
        return "the prefix aws: is reserved"
    if not all(_allowed(character) for character in key + value):
        return f"only letters, numbers, spaces and {''.join(sorted(_SIGNS))} are allowed"
    return None


def _allowed(character: str) -> bool:
    r"""AWS's pattern is `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: the Unicode categories letter, separator and number."""
    return character in _SIGNS or unicodedata.category(character)[0] in "LZN"
