"""A directory of captured events: one JSON file for each, redacted, and an index of them.

A capture can be continued: numbers go on, and an event that is there already is not written again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reach.recording.redaction import redacted
from reach.replaying.reading import INDEX

_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9]+")


class NoTaskEvent(Exception):
    """A document without what the name of its file is made of; the message says what is missing."""


@dataclass(slots=True)
class Capture:
    """Events in `directory`, which is made when the first one is kept. Raises `ValueError` for a broken index."""

    directory: Path
    _entries: list[dict[str, Any]] = field(default_factory=list, init=False)
    _ids: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        index = self.directory / INDEX
        if index.exists():
            self._entries = json.loads(index.read_text())["events"]
            self._ids = {entry["id"] for entry in self._entries}

    def keep(self, event: Any, **notes: Any) -> Path | None:
        """Writes one event, and adds it with `notes` to the index: its file, or None when it is there already.

        Raises `NoTaskEvent`; nothing is written then.
        """
        entry = _entry(event)
        if entry["id"] in self._ids:
            return None
        number = len(self._entries) + 1
        status = _NOT_IN_A_NAME.sub("-", entry["status"])
        file = self.directory / f"{number:05d}-{status}-v{entry['version']}.json"
        self.directory.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(redacted(event), indent=2) + "\n")
        self._entries.append({"file": file.name, **entry, **notes})
        self._ids.add(entry["id"])
        return file

    def __len__(self) -> int:
        return len(self._entries)

    def write_index(self) -> None:
        """The index of all that is kept. Complete at any time: a reader sees the one before it or this one."""
        if not self._entries:
            return
        draft = self.directory / f".{INDEX}"
        draft.write_text(json.dumps({"events": self._entries}, indent=2) + "\n")
        draft.replace(self.directory / INDEX)


def _entry(event: Any) -> dict[str, Any]:
    detail = event.get("detail") if isinstance(event, Mapping) else None
    if not isinstance(detail, Mapping):
        raise NoTaskEvent("it has no detail")
    shown = {
        "id": event.get("id"),
        "task": detail.get("taskArn"),
        "status": detail.get("lastStatus"),
        "version": detail.get("version"),
    }
    missing = [name for name, value in shown.items() if not isinstance(value, int if name == "version" else str)]
    if missing:
        raise NoTaskEvent(f"it has no {', no '.join(missing)}")
    known = {
        "desired_status": detail.get("desiredStatus"),
        "started_by": detail.get("startedBy"),
        "time": event.get("time"),
    }
    return {**shown, **{name: value for name, value in known.items() if value is not None}}
