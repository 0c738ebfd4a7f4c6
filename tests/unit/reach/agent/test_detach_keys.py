from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reach import Refused
from reach.agent.detach_keys import DEFAULT, Detached, parse, watched

KEYS = b"\x10\x11"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (DEFAULT, KEYS),
        ("ctrl-a,d", b"\x01d"),
        ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", b"\x00\x1b\x1c\x1d\x1e\x1f"),
        ("~,.", b"~."),
        ("", b""),
    ],
)
def test_keys_are_dockers(text: str, keys: bytes) -> None:
    """A character, or ctrl- and one that a terminal makes a control character of; an empty text names none."""
    assert parse(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-P", "ctrl-1", "ab", "é", "a,", "ctrl-p ctrl-q"])
def test_what_is_no_key_is_refused(text: str) -> None:
    """The error shows what is taken."""
    with pytest.raises(Refused, match="--detach-keys ctrl-p,ctrl-q"):
        parse(text)


@pytest.mark.parametrize(
    ("typed", "passed"),
    [
        ([b"ls\r", b"\x10", b"\x11"], [b"ls\r"]),
        ([b"ab\x10\x11cd"], [b"ab"]),
        ([b"\x10", b"\x10", b"\x11"], [b"\x10"]),
    ],
)
def test_the_keys_leave(typed: list[bytes], passed: list[bytes]) -> None:
    """What was typed before them is passed on, they and what comes after are not."""
    assert collected(typed) == (passed, True)


def test_a_beginning_of_the_keys_waits_for_the_next_byte() -> None:
    """As with Docker: the first Ctrl-P of two is passed on when the second is typed, and the last at the end."""
    assert collected([b"\x10", b"\x10", b"x", b"\x10"]) == ([b"\x10", b"\x10x", b"\x10"], False)


@given(st.lists(st.text(alphabet="ab\x10\x11", min_size=1).map(str.encode)))
def test_nothing_is_lost(typed: list[bytes]) -> None:
    """However the bytes come: all of them are passed on, or all in front of the keys."""
    passed, left = collected(typed)
    assert (b"".join(passed), left) == (b"".join(typed).partition(KEYS)[0], KEYS in b"".join(typed))


def collected(typed: list[bytes]) -> tuple[list[bytes], bool]:
    """What is passed on, and whether the keys were complete."""

    async def source() -> AsyncIterator[bytes]:
        for one in typed:
            yield one

    passed: list[bytes] = []

    async def scenario() -> None:
        async for data in watched(source(), KEYS):
            passed.append(data)  # noqa: PERF401 - what was passed on before the keys is looked at, too

    try:
        asyncio.run(scenario())
    except Detached:
        return passed, True
    return passed, False
