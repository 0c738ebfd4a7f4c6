"""Docker's detach keys: what a person types to leave a session that does not end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

from reach import Refused

DEFAULT: Final = "ctrl-p,ctrl-q"
_KEY: Final = re.compile(r"ctrl-([a-z@\[\\\]^_])|([ -~])")
_CONTROL: Final = 0x1F


class Detached(Exception):
    """The keys were typed."""


def parse(text: str) -> bytes:
    """The bytes that a terminal sends for `ctrl-p,ctrl-q`, `ctrl-],q` and the like; none for an empty text.

    Raises `Refused`.
    """
    return b"".join(map(_byte, text.split(","))) if text else b""


def _byte(key: str) -> bytes:
    match _KEY.fullmatch(key):
        case re.Match() as found if found[1]:
            return bytes([ord(found[1].upper()) & _CONTROL])
        case re.Match():
            return key.encode()
    raise Refused(
        f"{key!r} is no key to leave with. What to do: name a character, or ctrl- and one of a-z @ [ \\ ] ^ _, several "
        f"with commas between: --detach-keys {DEFAULT}"
    )


async def watched(source: AsyncIterable[bytes], keys: bytes) -> AsyncIterator[bytes]:
    """What comes from the source, without the keys; raises `Detached` when they are complete.

    As with Docker, what may be their beginning waits for the next byte.
    """
    held = b""
    async for data in source:
        before, found, _ = (held + data).partition(keys)
        if found:
            if before:
                yield before
            raise Detached
        held = _beginning(before, keys)
        if passed := before[: len(before) - len(held)]:
            yield passed
    if held:
        yield held


def _beginning(text: bytes, keys: bytes) -> bytes:
    """The longest end of `text` with which the keys begin."""
    return next((keys[:size] for size in range(len(keys) - 1, 0, -1) if text.endswith(keys[:size])), b"")
