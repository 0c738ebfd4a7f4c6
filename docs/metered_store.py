"""A table in memory that counts as DynamoDB charges (Developer Guide, "Capacity unit consumption", "Item sizes")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from math import ceil
from typing import Any

from core.model.families import DefinitionUse
from core.model.record import Record
from core.ports import RevisionConflict
from core.storage.item import to_item
from tests.factories import CONTAINER_ID
from tests.fakes import MemoryStore


class MeteredStore(MemoryStore):
    """`reads` and `writes` are request units: by 4 KB, half of them for eventually consistent reads; by 1 KB."""

    reads: float = 0
    writes: int = 0
    gets: int = 0
    """Items that were asked for by their keys."""
    puts: int = 0
    """Items that were written, and writes that were refused."""
    index_writes: int = 0
    """Of `writes`, those of the index."""
    item_bytes: int = 0
    """Of the largest item."""

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """GetItem; also for each key of `load_many`."""
        self.gets += 1
        self.reads += max(1, ceil(self._size(container_id) / 4096)) * (1 if consistent else 0.5)
        return super().load(container_id)

    def due(self, shard: str, until: datetime) -> Iterator[str]:
        """Query."""
        self.reads += 0.5
        return super().due(shard, until)

    def definition_uses(self) -> Iterator[DefinitionUse]:
        """Scan. It rounds up what a page of a hundred items holds: one item's share is as large as it is."""
        self.reads += self._size(CONTAINER_ID) / 4096
        return super().definition_uses()

    def save(self, record: Record) -> None:
        """PutItem, by the larger of the old and the new item; one that is refused by the old one."""
        before = self.item(record.container_id)
        self.puts += 1
        try:
            super().save(record)
        except RevisionConflict:
            self.writes += max(1, ceil(item_bytes(before or {}) / 1024))
            raise
        after = to_item(record)
        item, index = write_units(before or {}, after)
        self.index_writes += index
        self.writes += item + index
        self.item_bytes = max(item_bytes(after), item_bytes(before or {}), self.item_bytes)

    def _size(self, container_id: str) -> int:
        return item_bytes(self.item(container_id) or {})


def write_units(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[int, int]:
    """WRU of a write of the item, by the larger of the two, and those of the index."""
    return ceil(max(item_bytes(before), item_bytes(after)) / 1024), _index_writes(before, after)


def _index_writes(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """Units of `watch-index`: one to put an entry, one to delete it; a changed key is both."""
    old, new = ([item[key] for key in ("watch", "check_at") if key in item] for item in (before, after))
    return 0 if old == new else bool(old) + bool(new)


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item as DynamoDB counts it; 0 for none."""
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Any) -> int:
    match value:
        case bool():
            return 1
        case int():
            return len(str(value)) // 2 + 2
        case str():
            return len(value.encode())
        case list():
            return 3 + sum(1 + _value_bytes(one) for one in value)
        case dict():
            return 3 + sum(1 + len(name) + _value_bytes(one) for name, one in value.items())
        case _:
            raise TypeError(f"an item holds no {type(value).__name__}")
