"""A container by the first digits of its id."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from core.client import Loaded, ReachClient
from reach import NotFound, Refused
from reach.showing.words import SHORT

MOST_CANDIDATES: Final = 8
_WHOLE: Final = 64
_DIGITS: Final = re.compile(rf"[0-9a-f]{{1,{_WHOLE}}}")


def whole_id(client: ReachClient, text: str) -> str:
    """The id that begins so: of the live containers, else of all. A whole id is taken as it is.

    An item that cannot be read counts: it may be the container that is meant. Raises `Refused`, `NotFound`,
    `CallFailed`.
    """
    if not _DIGITS.fullmatch(text):
        raise Refused(
            f"{text!r} is no container's id, which is 1 to {_WHOLE} hexadecimal digits in lower case. "
            "What to do: reach ps --all"
        )
    if len(text) == _WHOLE:
        return text
    live = _ids(client.list())
    return _only(text, live) or _only(text, _ids(client.list(ended=True))) or _unknown(text, live)


def _only(text: str, ids: Iterable[str]) -> str | None:
    """The one that begins so, None when none does."""
    found = [one for one in ids if one.startswith(text)]
    if len(found) > 1:
        raise Refused(f"{text} is the beginning of {len(found)} ids: {_named(found)}. What to do: give more digits.")
    return found[0] if found else None


def _unknown(text: str, live: list[str]) -> str:
    candidates = f"Live are {_named(live)}." if live else "No container is live."
    raise NotFound(f"No container's id begins with {text}. {candidates} What to do: reach ps --all")


def _named(ids: list[str]) -> str:
    """As many digits as tell them apart, and twelve at least."""
    digits = next((most for most in range(SHORT, _WHOLE) if len({one[:most] for one in ids}) == len(ids)), _WHOLE)
    shown = ", ".join(one[:digits] for one in ids[:MOST_CANDIDATES])
    return shown if len(ids) <= MOST_CANDIDATES else f"{shown} and {len(ids) - MOST_CANDIDATES} more"


def _ids(loaded: Loaded) -> list[str]:
    return [*loaded.records, *(one.container_id for one in loaded.unreadable)]
