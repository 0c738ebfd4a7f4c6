"""Typed reading of one map of an item: what is missing, mistyped or empty is named, its value is not shown.

A reader takes the full name of an attribute and its value, and returns the value as the record holds it.
Raises `Unusable`; `core.storage.item` turns that into an `UnreadableRecord`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from core.model.instants import parse_instant

if TYPE_CHECKING:
    from datetime import datetime

_SHOWN: Final = 40
"""How much of an unknown word an error text shows."""

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class Unusable(Exception):
    """Why one attribute cannot be read. Becomes an `UnreadableRecord` as soon as the container is known."""


class Attributes:
    """Typed access to one map of an item. `path` precedes the names in error texts: `stop.`, `history[3].`."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path

    def required(self, name: str, read: Callable[[str, Any], T]) -> T:
        """What `read` makes of the member."""
        if name not in self._values:
            raise Unusable(f"{self._path}{name} is missing")
        return read(f"{self._path}{name}", self._values[name])

    def optional(self, name: str, read: Callable[[str, Any], T]) -> T | None:
        """The same, or None where the member is absent. A null is not absence: contract.md 3 forbids it."""
        return self.required(name, read) if name in self._values else None

    def known(self, names: type[E], read: Callable[[str, Any], T]) -> dict[E, T]:
        """The members named by an enumeration; others are tolerated like any unknown attribute."""
        return {name: self.required(name.value, read) for name in names if name.value in self._values}


def text(name: str, value: Any) -> str:
    """A string with something in it."""
    if not isinstance(value, str):
        raise _mistyped(name, "a string", value)
    if not value:
        raise Unusable(f"{name} is empty")
    return value


def integer(name: str, value: Any) -> int:
    """A whole number; boto3 reads every number as a `Decimal`. A boolean is none, though Python says so."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _mistyped(name, "a whole number", value)
    if value != int(value):
        raise Unusable(f"{name} should be a whole number, not a fraction")
    return int(value)


def boolean(name: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _mistyped(name, "a boolean", value)
    return value


def instant(name: str, value: Any) -> datetime:
    """An aware UTC datetime."""
    try:
        return parse_instant(text(name, value))
    except ValueError as exc:
        raise Unusable(f"{name} is no ISO 8601 instant with a zone") from exc


def word(words: type[E]) -> Callable[[str, Any], E]:
    """The reader of one enumeration."""

    def read(name: str, value: Any) -> E:
        try:
            return words(text(name, value))
        except ValueError as exc:
            raise Unusable(f"{name} is {value[:_SHOWN]!r}, a word this version does not know") from exc

    return read


def mapping(name: str, value: Any) -> Attributes:
    """A map, to be read in its turn."""
    if not isinstance(value, Mapping):
        raise _mistyped(name, "a map", value)
    return Attributes(value, f"{name}.")


def listing(name: str, value: Any) -> list[Any]:
    """A list, its members unread."""
    if not isinstance(value, list):
        raise _mistyped(name, "a list", value)
    return value


def strings(name: str, value: Any) -> tuple[str, ...]:
    """A command line: unlike an attribute, one of its arguments may be the empty string."""
    arguments = listing(name, value)
    for index, argument in enumerate(arguments):
        if not isinstance(argument, str):
            raise _mistyped(f"{name}[{index}]", "a string", argument)
    return tuple(arguments)


def _mistyped(name: str, wanted: str, value: Any) -> Unusable:
    return Unusable(f"{name} should be {wanted}, not {type(value).__name__}")
