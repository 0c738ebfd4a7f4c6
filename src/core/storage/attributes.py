"""How an item spells its values: the types of DynamoDB, as plain Python values.

A `Kind` reads what boto3's `TypeDeserializer` gives, where every number is a `Decimal`, and writes what its
`TypeSerializer` takes. What cannot be read raises `Unusable`; no value but an unknown word is in its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from core.model.instants import format_instant, parse_instant

if TYPE_CHECKING:
    from datetime import datetime

ALWAYS: Final = "always"
_SHOWN: Final = 40
"""How much of an unknown word an error text shows."""
_LARGEST: Final = 2**63 - 1
"""Of ECS's numbers. DynamoDB has larger ones, but boto3 does not write them."""
_LONGEST: Final = 10 * 365 * 24 * 3600
_ID: Final = re.compile(r"[0-9a-f]{64}")

T = TypeVar("T")


class Unusable(Exception):
    """Why a value cannot be read: ` is empty`. Each map and list around it puts its part of the path in front."""


class Kind(NamedTuple):
    """How values of one kind are read and written. `of`: the words of an enumeration or the table of a map."""

    dynamo_type: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    of: type[StrEnum] | Map[Any] | None = None


class Attribute(NamedTuple):
    """An attribute of the item or a member of a map. `meaning` is for docs/item.md, and so is `present`.

    A map without an attribute that is `ALWAYS` present cannot be read. Another one may be absent, and is never null.
    `field` is that of the dataclass, where it has another name.
    """

    name: str
    kind: Kind
    present: str
    meaning: str
    field: str = ""


class Map(Generic[T]):
    """The attributes of one map in the order of writing, and the dataclass that holds their values.

    `absent`: what a field without a default is when its attribute is absent. Unknown members are tolerated, and kept by
    who asks for them (`unknown`, `keep`); but not those of maps in a list.
    """

    def __init__(self, dataclass: type[T], *rows: tuple[str, Kind, str, str, *tuple[str, ...]], **absent: Any) -> None:
        self.dataclass = dataclass
        self.attributes = tuple(Attribute(*row) for row in rows)
        self.absent = absent
        self._members = tuple(
            (one.name, one.field or one.name, one.kind.read, one.present == ALWAYS) for one in self.attributes
        )
        self._names = frozenset(one.name for one in self.attributes)
        self._maps = {
            one.name: one.kind.of if isinstance(one.kind.of, Map) else frozenset(one.kind.of)
            for one in self.attributes
            if one.kind.dynamo_type in ("M", "M of S") and one.kind.of is not None
        }

    def read(self, value: Any) -> T:
        """Raises `Unusable`."""
        return self.dataclass(**self.absent | _read_members(value, self._members))

    def unknown(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """What a map that was read has and this version does not know, also in the maps that it holds."""
        found = {name: member for name, member in value.items() if name not in self._names}
        for name, of in self._maps.items():
            held = value.get(name, {})
            if inner := of.unknown(held) if isinstance(of, Map) else {one: held[one] for one in held if one not in of}:
                found[name] = inner
        return found

    def keep(self, written: dict[str, Any], unknown: Mapping[str, Any]) -> dict[str, Any]:
        """Puts `unknown` into what was written. A map that is not written any more takes its members along."""
        for name, member in unknown.items():
            match self._maps.get(name):
                case None:
                    written[name] = member
                case Map() as table if name in written:
                    table.keep(written[name], member)
                case _ if name in written:
                    written[name] |= member
        return written

    def write(self, value: T) -> dict[str, Any]:
        """Without what is None or empty; 0 and False are values."""
        held = ((one, getattr(value, one.field or one.name)) for one in self.attributes)
        written = {one.name: one.kind.write(field) for one, field in held if field is not None}
        return {name: spelt for name, spelt in written.items() if spelt not in (None, "", [], {})}


def map_of(table: Map[Any]) -> Kind:
    """A map, as its dataclass."""
    return Kind("M", table.read, table.write, table)


def list_of(table: Map[Any]) -> Kind:
    """A list of maps, as a tuple."""
    return Kind("L of M", lambda value: _read_each(value, table.read), lambda held: [*map(table.write, held)], table)


def word(words: type[StrEnum]) -> Kind:
    """A word of an enumeration."""
    known = {one.value: one for one in words}

    def read(value: Any) -> StrEnum:
        if _text(value) not in known:
            raise Unusable(f" is {value[:_SHOWN]!r}, a word this version does not know")
        return known[value]

    return Kind("S", read, lambda held: held.value, words)


def word_but(usual: StrEnum) -> Kind:
    """A word of an enumeration, absent when it is the usual one."""
    kind = word(type(usual))
    return kind._replace(write=lambda held: None if held is usual else held.value)


def instants(words: type[StrEnum]) -> Kind:
    """A map of instants with the words of an enumeration as names. Other names are tolerated."""
    members = tuple((one.value, one, _instant, False) for one in words)
    return Kind(
        "M of S",
        lambda value: _read_members(value, members),
        lambda held: {name.value: format_instant(at) for name, at in held.items()},
        words,
    )


def _read_texts(value: Any) -> dict[str, str]:
    return {name: _read(f".{name[:_SHOWN]}", _string, text) for name, text in _mapping(value).items()}


def _read_members(value: Any, members: Iterable[tuple[str, str, Callable[[Any], Any], bool]]) -> dict[str, Any]:
    value = _mapping(value)
    found = {}
    for name, key, read, required in members:
        if name in value:
            found[key] = _read(f".{name}", read, value[name])
        elif required:
            raise Unusable(f".{name} is missing")
    return found


def _read_each(value: Any, read: Callable[[Any], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise _mistyped("a list", value)
    return tuple(_read(f"[{index}]", read, one) for index, one in enumerate(value))


def _read(where: str, read: Callable[[Any], T], value: Any) -> T:
    try:
        return read(value)
    except Unusable as exc:
        raise Unusable(f"{where}{exc}") from exc


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _mistyped("a map", value)
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _mistyped("a string", value)
    return value


def _text(value: Any) -> str:
    if not (string := _string(value)):
        raise Unusable(" is empty")
    return string


def _integer(value: Any) -> int:
    # A boolean is none, though Python says so.
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _mistyped("a whole number", value)
    if not -_LARGEST <= value <= _LARGEST:
        raise Unusable(" is too large")
    if value != int(value):
        raise Unusable(" should be a whole number, not a fraction")
    return int(value)


def _seconds(value: Any) -> int:
    seconds = _integer(value)
    if not 0 <= seconds <= _LONGEST:
        raise Unusable(" is no time-out")
    return seconds


def _container_id(value: Any) -> str:
    if not _ID.fullmatch(_text(value)):
        raise Unusable(" is no container id")
    return str(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _mistyped("a boolean", value)
    return value


def _instant(value: Any) -> datetime:
    try:
        return parse_instant(_text(value))
    except ValueError as exc:
        raise Unusable(" is no ISO 8601 instant with a zone") from exc


def _mistyped(wanted: str, value: Any) -> Unusable:
    return Unusable(f" should be {wanted}, not {type(value).__name__}")


TEXT: Final = Kind("S", _text, str)
ID: Final = Kind("S", _container_id, str)
INTEGER: Final = Kind("N", _integer, int)
SECONDS: Final = Kind("N", _seconds, int)
"""A time-out: it is added to an instant."""
BOOLEAN: Final = Kind("BOOL", _boolean, bool)
FLAG: Final = Kind("BOOL", _boolean, lambda held: held or None)
"""True, or absent."""
INSTANT: Final = Kind("S", _instant, format_instant)
"""An aware UTC datetime, in ISO 8601 (`core.model.instants`)."""
STRINGS: Final = Kind("L of S", lambda value: _read_each(value, _string), list)
"""A command line: unlike an attribute, one of its arguments may be the empty string."""
TEXTS: Final = Kind("M of S", _read_texts, dict)
"""Names and texts of a user's choice: a text may be empty."""
