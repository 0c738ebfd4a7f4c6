"""What a translation of Docker's words has come to so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

UNSET: Final[tuple[Any, ...]] = (None, "", [], {})
"""What stands for "not set" in a document."""


@dataclass(slots=True)
class Translation:
    """The document in the request's words, where its members came from, and what cannot be translated."""

    document: dict[str, Any] = field(repr=False)
    origins: dict[Path, Path] = field(default_factory=dict)
    faults: list[tuple[Path, str]] = field(default_factory=list)

    def origin(self, place: Path) -> Path:
        """What the caller wrote for this place of the document."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.origins:
                return (*self.origins[place[:length]], *place[length:])
        return place

    def put(self, place: Path, value: Any, path: Path) -> None:
        """Writes what stands at `path`; of an object, each member. A value from elsewhere is a fault, and stays."""
        *holders, name = place
        holder: Any = self.document
        for one in holders:
            if holder.get(one) in UNSET:
                holder[one] = {}
            holder = holder[one]
            if not isinstance(holder, dict):
                return
        unset = holder.get(name) in UNSET
        if unset:
            self.origins[place] = path
        if isinstance(value, dict):
            for key, member in value.items():
                self.put((*place, key), member, (*path, key))
        elif unset:
            holder[name] = value
        else:
            other = ".".join(str(part) for part in self.origin(place))
            self.fault(path, f"is given by {other} too; send it in one of them")

    def fault(self, path: Path, says: str) -> None:
        """One more reason to refuse the request."""
        self.faults.append((path, says))
