from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reach import Refused
from reach.starting import words


@pytest.mark.parametrize(("text", "nano"), [("1", 10**9), ("0.5", 5 * 10**8), (".25", 25 * 10**7), ("1e-9", 1)])
def test_cpus(text: str, nano: int) -> None:
    """Docker's unit: 10^9 is one CPU."""
    assert words.nano_cpus(text) == nano


@pytest.mark.parametrize(
    ("text", "size"),
    [("300", 300), ("300b", 300), ("4k", 4096), ("512m", 2**29), ("512M", 2**29), ("1.5g", 3 * 2**29), ("2GiB", 2**31)],
)
def test_memory(text: str, size: int) -> None:
    """The units are powers of 1024 in all their spellings, as for `docker run`."""
    assert words.memory_bytes(text) == size


def test_ulimit() -> None:
    """Soft and hard, or one number for both. The name is the parser's to judge."""
    assert words.ulimit("nofile=1:2") == {"name": "nofile", "soft": 1, "hard": 2}
    assert words.ulimit("core=5") == {"name": "core", "soft": 5, "hard": 5}


@pytest.mark.parametrize(
    ("text", "platform"),
    [("linux/amd64", "X86_64"), ("amd64", "X86_64"), ("linux/arm64/v8", "ARM64"), ("Linux/ARM64", "ARM64")],
)
def test_platform(text: str, platform: str) -> None:
    """Docker's names of what Fargate has."""
    assert words.platform(text) == platform


@pytest.mark.parametrize(
    ("convert", "text", "remedy"),
    [
        (words.nano_cpus, "many", "write it as 0.25"),
        (words.nano_cpus, "inf", "write it as 0.25"),
        (words.nano_cpus, "NaN", "write it as 0.25"),
        (words.memory_bytes, "-1m", "write it as 512m"),
        (words.memory_bytes, "1x", "write it as 512m"),
        (words.ulimit, "nofile", "write it as nofile=1024"),
        (words.ulimit, "nofile=-1", "write it as nofile=1024"),
        (words.platform, "windows/amd64", "linux/amd64 or linux/arm64"),
    ],
)
def test_what_is_no_such_value(convert: Callable[[str], Any], text: str, remedy: str) -> None:
    """The error names the option and its value, and how to write it."""
    with pytest.raises(Refused, match=remedy) as refused:
        convert(text)
    assert text in str(refused.value)


def test_labels() -> None:
    """A value may be empty and may have an equals sign; the last one counts."""
    assert words.labels(["a=b=c", "d", "a=e"]) == {"a": "e", "d": ""}


def test_secrets_are_pairs() -> None:
    """A name without an ARN is a mistake, and nothing of a value is shown."""
    assert words.secrets(["A=arn:x"]) == {"A": "arn:x"}
    with pytest.raises(Refused, match="--secret A has no value"):
        words.secrets(["A"])


def test_variables() -> None:
    """A name alone takes the value from here, and is left out where it has none."""
    given = ["A=1", "B=", "HERE", "NOT_HERE", "A=2"]
    assert words.environment(given, {"HERE": "x=y"}) == {"A": "2", "B": "", "HERE": "x=y"}


def test_a_file_of_variables() -> None:
    """As Docker reads it: a line each, quotation marks are part of a value, and # begins a comment."""
    content = '\ufeffA=1\n\n  # no\n  B="x" # part of it\nC\n'
    assert words.lines_of(content, "file") == ["A=1", 'B="x" # part of it', "C"]


@pytest.mark.parametrize("line", ["=x", "export A=1", "A B", "A =1"])
def test_a_line_that_is_no_variable(line: str) -> None:
    """The error has the line's number, and not its value: it may be a secret."""
    with pytest.raises(Refused, match="env:2 is not NAME=VALUE or NAME") as refused:
        words.lines_of(f"A=1\n{line}\n", "env")
    assert line not in str(refused.value)
