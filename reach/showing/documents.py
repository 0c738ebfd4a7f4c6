"""A record as JSON, and as the lines of `reach inspect`. The token is left out unless it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from core.client import Loaded
from core.client.inspection import inspected
from core.model.record import Record
from reach.showing.words import plain

TOKEN: Final = "agent_token"  # noqa: S105 - the name of the member, not a token


def document(record: Record, *, token: bool = False) -> dict[str, Any]:
    """What `core.client` says of a container, without the token's member unless `token`."""
    return {name: value for name, value in inspected(record).items() if token or name != TOKEN}


def documents(loaded: Loaded) -> dict[str, Any]:
    """Many containers, and the items that cannot be read."""
    return {
        "containers": [document(record) for record in loaded.records.values()],
        "unreadable": [{"id": one.container_id, "error": str(one)} for one in loaded.unreadable],
    }


def lines(shown: dict[str, Any]) -> Iterator[str]:
    """`name  value`, a line each; maps with dotted names, lists as JSON. What is not known is left out."""
    pairs = list(_flat(shown.items()))
    width = max(len(name) for name, _ in pairs)
    return (f"{name:<{width}}  {value}" for name, value in pairs)


def _flat(items: Iterable[tuple[str, Any]], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in items:
        match value:
            case None:
                continue
            case dict():
                yield from _flat(value.items(), f"{prefix}{name}.")
            case str():
                yield plain(prefix + name), plain(value)
            case _:
                yield plain(prefix + name), plain(json.dumps(value, ensure_ascii=False))
