"""What may become of a member of Docker's API: the kinds of rows in `core.launch.docker.members`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Asks: TypeAlias = Callable[[Any], bool]
"""Whether a value other than null asks for something."""


def any_value(_value: Any) -> bool:
    """0, false and [] are values here, not "not set"."""
    return True


class OtherThan:
    """A test with values that ask for nothing, because they say what happens anyway."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __call__(self, value: Any) -> bool:
        """Whether the value asks for something."""
        return bool(value) and value not in self.values


class OtherPaths:
    """A test of a list of paths: every version of Docker sends `always`, some send others that match `newer`."""

    def __init__(self, always: str, newer: str = "") -> None:
        self.always, self.newer = set(always.split()), newer

    def __call__(self, value: Any) -> bool:
        """Whether the value asks for something."""
        paths = set(map(str, value)) if isinstance(value, list) else set()
        return not self.always <= paths or not all(re.fullmatch(self.newer, one) for one in paths - self.always)


@dataclass(frozen=True, slots=True)
class Mapped:
    """It becomes a member of the request. `translated`: by a function of `core.launch.docker.translate`."""

    to: str
    note: str = ""
    asks: Asks = bool
    translated: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """It changes nothing."""

    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It is refused if it asks for something. `translated`: `core.launch.docker.translate` decides whether it does."""

    why: str
    do: str = "leave it out"
    asks: Asks = bool
    translated: bool = False

    @property
    def says(self) -> str:
        """The text of the refusal."""
        return f"{self.why}; {self.do}"


@dataclass(frozen=True, slots=True)
class Nested:
    """An object, a list of objects or a map of objects (`each`), whose members are another part of the table."""

    kind: str
    each: type[list[Any] | dict[str, Any]] | None = None


Treatment: TypeAlias = Mapped | Ignored | Refused | Nested
