"""What a keeper tells the command that started it."""

import os
from pathlib import Path

import pytest

from local.cloud.processes import CloudError
from local.cloud.report import Report, follow


def reporting(directory: Path) -> Report:
    """A report into a file, which is followed when all is told."""
    return Report(os.open(directory / "report", os.O_WRONLY | os.O_CREAT))


def followed(directory: Path) -> list[str]:
    """The steps that were told before the cloud was usable."""
    log = directory / "log"
    log.write_text("Traceback: out of memory\n")
    said: list[str] = []
    with (directory / "report").open() as lines:
        follow(lines, said.append, log)
    return said


def test_steps_then_ready(tmp_path: Path) -> None:
    """Each step is told, line breaks and all; after the verdict nothing is sent, and nobody need listen."""
    report = reporting(tmp_path)
    report.say("sam build (2.0 s)")
    report.say("two\nlines")
    report.ready()
    report.say("started again, much later")
    assert followed(tmp_path) == ["sam build (2.0 s)", "two\nlines"]


def test_failure_is_raised_with_its_reason(tmp_path: Path) -> None:
    """Why it could not be started is what the command says."""
    reporting(tmp_path).failed("sam deploy ended with 1.\nWhat to do: read")
    with pytest.raises(CloudError, match=r"^sam deploy ended with 1\.\nWhat to do: read$"):
        followed(tmp_path)


def test_keeper_that_ends_without_a_word(tmp_path: Path) -> None:
    """The end of its log says what is known."""
    (tmp_path / "report").write_text('{"say": "sam build (2.0 s)"}\n')
    with pytest.raises(CloudError, match=r"(?s)The keeper ended while it started.*out of memory"):
        followed(tmp_path)


def test_command_that_has_gone() -> None:
    """A start that nobody waits for any more is noticed, and need not go on."""
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        Report(writing).say("sam build (2.0 s)")
    os.close(writing)


def test_keeper_without_a_command() -> None:
    """Run by hand, it has nobody to tell."""
    report = Report(None)
    report.say("sam build (2.0 s)")
    report.failed("no memory")
