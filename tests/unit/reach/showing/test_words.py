from __future__ import annotations

import pytest

from reach.showing.words import command, duration, plain, shortened, table


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [
        (0, "0.0 s"),
        (0.34, "0.3 s"),
        (9.96, "10 s"),
        (12.4, "12 s"),
        (59.6, "1 min"),
        (185, "3 min 5 s"),
        (3600, "1 h"),
        (7440, "2 h 4 min"),
        (3 * 86400 + 3700, "3 d 1 h"),
    ],
)
def test_durations(seconds: float, spelt: str) -> None:
    """Two units at most; a unit is never full."""
    assert duration(seconds) == spelt


def test_no_text_steers_a_terminal() -> None:
    """A name that a user chose and a line that a container printed come as one line, and as what they are."""
    assert plain("a\x1b[31mb\nc\x07 ü \u202e") == "a\\x1b[31mb\\nc\\x07 ü \\u202e"
    assert command(["sh", "-c"], ["echo 'a'\n"]) == "sh -c 'echo '\"'\"'a'\"'\"'\\n'"


def test_what_is_shortened_says_so() -> None:
    """It has the length that was asked for."""
    assert (shortened("abcdef", 6), shortened("abcdefg", 6)) == ("abcdef", "abc...")


def test_columns_are_aligned() -> None:
    """No line ends with blanks."""
    lines = table([("a", "bb"), ("aaa", "")], ["", ""])
    assert [line.plain for line in lines] == ["a    bb", "aaa"]
