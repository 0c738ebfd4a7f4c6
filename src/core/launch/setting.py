"""One setting of a function: how its text in the environment is read, and what its value is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from enum import StrEnum
from math import isfinite
from typing import Any, Final, TypeVar

from core.launch.constraints import Constraint

SETTING: Final = "setting"
"""The name of a `Setting` in the metadata of its field."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one setting beside its name and default. `read` raises `ValueError` with what is wrong.

    `least` and `most` are allowed, `above` is not.
    """

    description: str
    read: Callable[[str], Any]
    constraint: Constraint | None = None
    least: float | None = None
    above: float | None = None
    most: float | None = None

    def value(self, text: str) -> Any:
        """Raises `ValueError`: what goes on after the setting's name."""
        value = self.read(text)
        if self.constraint is not None:
            self.constraint.check(value)
        if self.least is not None and value < self.least:
            raise ValueError(f"must be at least {self.least:g}")
        if self.above is not None and value <= self.above:
            raise ValueError(f"must be more than {self.above:g}")
        if self.most is not None and value > self.most:
            raise ValueError(f"must be at most {self.most:g}")
        return value


def _flag(text: str) -> bool:
    if (word := text.lower()) not in _FLAGS:
        raise ValueError("must be true or false")
    return _FLAGS[word]


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


def _number(text: str) -> float:
    with suppress(ValueError):
        if isfinite(number := float(text)):
            return number
    raise ValueError("must be a number")


def word_of(words: type[StrEnum]) -> Callable[[str], StrEnum]:
    """A word of an enumeration."""

    def read(text: str) -> StrEnum:
        if text not in set(words):
            raise ValueError(f"must be one of {', '.join(words)}")
        return words(text)

    return read


def words(text: str) -> tuple[str, ...]:
    """Separated by commas, with or without blanks."""
    return tuple(part.strip() for part in text.split(","))


def ids(text: str) -> tuple[str, ...]:
    """Splits as CloudFormation does: a blank becomes part of an id and makes it wrong."""
    return tuple(text.split(","))


_FLAGS: Final = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}
_READERS: Final[dict[type, Callable[[str], Any]]] = {bool: _flag, int: _whole, float: _number}
"""By the type of the default."""

T = TypeVar("T")


def setting(
    default: T,
    description: str,
    constraint: Constraint | None = None,
    read: Callable[[str], Any] | None = None,
    **bounds: float,
) -> T:
    """A field of a dataclass. `bounds` are `Setting`'s.

    Without `read`, the type of the default decides how the text is read.
    """
    usual = word_of(type(default)) if isinstance(default, StrEnum) else _READERS.get(type(default), str)
    declared: T = field(default=default, metadata={SETTING: Setting(description, read or usual, constraint, **bounds)})
    return declared


def declared(settings: type) -> Mapping[str, Setting]:
    """Those of a dataclass, by the names of its fields."""
    return {one.name: one.metadata[SETTING] for one in fields(settings)}
