"""The records that a wait polls, for whoever shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.client import Loaded, Reader
from core.model.record import Record


@dataclass(frozen=True, slots=True)
class Watched:
    """Implements `core.client.Reader`: the same store, and `seen` gets each record that is loaded by its id."""

    store: Reader
    seen: Callable[[Record], object]

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """The store's record, when `seen` has had it."""
        record = self.store.load(container_id, consistent=consistent)
        if record is not None:
            self.seen(record)
        return record

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """The store's."""
        return self.store.load_many(container_ids)

    def load_some(self, container_ids: Iterable[str], *, consistent: bool) -> Loaded:
        """The store's."""
        return self.store.load_some(container_ids, consistent=consistent)

    def scheduled(self) -> Iterable[str]:
        """The store's."""
        return self.store.scheduled()

    def load_all(self) -> Loaded:
        """The store's."""
        return self.store.load_all()
