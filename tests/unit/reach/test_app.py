from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from reach import options
from reach.app import app, main
from tests.factories import EVENTS

ROOT = Path(__file__).parents[3]


def commands(group: Any, before: str = "") -> Iterator[str]:
    """The words of each command of a group that its help lists."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, f"{before}{name} ")
        elif not one.hidden:
            yield before + name


COMMANDS = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    """The README or a page of docs/ shows each command."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(re.search(rf"\breach {command}\b", page.read_text()) for page in pages)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_its_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A script's author finds them in the help."""
    assert main([*command.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "exit codes" in shown
    assert main([*command.split(), "-h"]) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One that begins with the command, to be copied."""
    assert main([*command.split(), "--help"]) == 0
    _, _, examples = capsys.readouterr().out.partition("examples")
    assert re.search(rf"\breach {command}\b", examples)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_screen(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """60 lines of 100 columns at most."""
    monkeypatch.setenv("COLUMNS", "100")
    assert main([*command.split(), "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) == 100
    assert len(lines) <= 60


def test_help_lists_the_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """`reach --help` is where an operator begins; without arguments it is shown too, as a wrong command line."""
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in (*(one.split()[0] for one in COMMANDS), "exit codes", "130"))
    assert main([]) == 2


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    """One place holds the version, and the wheel reads it there."""
    assert main(["--version"]) == 0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["version"]["path"] == "reach/__init__.py"
    assert re.fullmatch(r"reach \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_a_wrong_command_line_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    """As with every refusal, the reason is on standard error and standard output stays empty."""
    assert main(["events", "replay", "--no-such-option", "x"]) == 2
    shown = capsys.readouterr()
    assert "--no-such-option" in shown.err
    assert shown.out == ""


def test_a_command_loads_no_client_of_aws_before_it_needs_one() -> None:
    """boto3 takes as long to load as all the rest: help and a wrong command line do not wait for it."""
    program = "import sys, reach.app; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_a_command_is_imported_alone() -> None:
    """`reach ps` waits for no other command's modules, and `reach --version` for none."""
    program = "import sys; from reach.app import main; main(sys.argv[1:]); print(*sys.modules)"

    def imported(*arguments: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
        )
        return {name for name in done.stdout.splitlines()[-1].split() if name.startswith(("reach.", "core."))}

    none, listing = imported("--version"), imported("ps", "--help")
    assert {name for name in listing if name.startswith("reach.commands.")} == {"reach.commands.ps"}
    assert not [name for name in none if name.startswith("reach.commands")]
    assert len(none) <= 12
    assert len(listing) <= 70  # of 190


def test_interrupted_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell sees that it was Ctrl-C."""

    class Interrupted:
        def read(self) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Interrupted())
    assert main(["events", "replay", "-"]) == 130


def test_colour_is_for_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal an event that moved a container stands out; what is piped has no escape sequence."""
    arguments = ["events", "replay", str(EVENTS / "task-running.json")]
    assert main(arguments) == 0
    assert "\x1b" not in capsys.readouterr().out

    monkeypatch.setattr(Console, "is_terminal", True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(arguments) == 0
    assert "\x1b[1m" in capsys.readouterr().out


def test_a_text_of_an_event_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets in an error or a reason are printed as they are."""
    options.console().print("[bold]x[/bold] :smile:")
    assert capsys.readouterr().out == "[bold]x[/bold] :smile:\n"


@pytest.mark.parametrize("command", ["record", "replay"])
def test_the_old_names_of_the_events_commands_work(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They do the same, say their new name on standard error, and are in no list."""
    assert main([command, "--no-such-option"]) == 2
    assert main(["--help"]) == 0
    assert re.search(rf"^│ {command}\b", capsys.readouterr().out, re.MULTILINE) is None
    assert main(["replay", str(EVENTS / "task-running.json"), "--output", "json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["steps"]
    assert "Use reach events replay." in shown.err


@pytest.mark.parametrize(
    "command",
    [["start", "--dry-run", "alpine", "true"], ["events", "replay", str(EVENTS / "task-running.json")], ["-h"]],
)
def test_output_that_cannot_be_written_is_2(command: list[str]) -> None:
    """A full disk is one line, and no traceback."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "reach", *command],
            cwd=ROOT,
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.stderr == (
        "The output cannot be written: No space left on device. What to do: check where it is sent to.\n"
    )
    assert done.returncode == 2
