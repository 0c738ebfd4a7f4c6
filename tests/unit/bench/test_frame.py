"""From a benchmark's rows to the table, the file and the document."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.console import Console

from bench import __main__ as command
from bench import results
from bench.plot import lines
from bench.registry import MODULES, benchmark
from bench.rows import CannotMeasure, Result, Row, Say, at_least, at_most

PASSED = at_least(10, "times sooner", 15, point="1", what="one start", measured="15 x")
FAILED = at_most(20, "dollars", 40, point="5", what="a million lives", measured="$40", why="writes cost $30")


@pytest.mark.parametrize(("value", "ratio"), [(5, 0.5), (10, 1), (25, 2.5)])
def test_a_large_value_reaches_its_goal(value: float, ratio: float) -> None:
    """The ratio says how many times; from 1 on it passes, and then nothing has to be explained."""
    row = at_least(10, "times", value, point="1", what="what", measured="", why="a limit")
    assert (row.ratio, row.passed, row.why) == (ratio, ratio >= 1, "" if ratio >= 1 else "a limit")


@pytest.mark.parametrize(("limit", "value", "ratio"), [(20, 40, 0.5), (20, 20, 1), (20, 5, 4), (0, 0, None)])
def test_a_small_value_reaches_its_goal(limit: float, value: float, ratio: float | None) -> None:
    """Nothing at all reaches every goal, and has no ratio."""
    row = at_most(limit, "dollars", value, point="5", what="what", measured="", why="a limit")
    assert (row.ratio, row.passed) == (ratio, value <= limit)


def test_a_failure_has_to_be_explained() -> None:
    """No row fails without the limit that explains it."""
    with pytest.raises(ValueError, match="no limit is named"):
        at_most(20, "dollars", 40, point="5", what="a million lives", measured="$40")


def test_a_run_of_one_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    """The file holds what each benchmark measured last, and reads back as the same rows."""
    file = tmp_path / "results.json"
    results.written("one", Result((PASSED,), {"n": 1}, {"one.svg": "<svg/>"}), 3.2, file, tmp_path)
    results.written("other", Result((FAILED,)), 1, file, tmp_path)
    results.written("one", Result((FAILED, PASSED), {"n": 2}), 3.2, file, tmp_path)
    read = results.read(file)
    assert {name: results.rows(found) for name, found in read.items()} == {"one": (FAILED, PASSED), "other": (FAILED,)}
    assert read["one"]["details"] == {"n": 2}
    assert (tmp_path / "one.svg").read_text() == "<svg/>"


def test_the_table_shows_verdicts_and_reasons() -> None:
    """What fails says why, below the table."""
    terminal = io.StringIO()
    command.show(Console(file=terminal, width=160), [PASSED, FAILED])
    assert [word in terminal.getvalue() for word in ("pass", "FAIL", "writes cost $30", "0.50", "15 x")] == [True] * 5


def measured(say: Say) -> Result:
    say("measuring")
    return Result((FAILED,))


def unmeasurable(_: Say) -> Result:
    raise CannotMeasure("the local cloud did not start")


def test_the_command_prints_one_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A goal that is missed is no error of the command; progress is not on standard output."""
    written: list[str] = []
    monkeypatch.setattr(command, "benchmark", lambda _: measured)

    def write(name: str, *_: object) -> list[Path]:
        written.append(name)
        return []

    monkeypatch.setattr(results, "written", write)
    assert command.main(["--only", "reconcile", "--output", "json"]) == 0
    printed = capsys.readouterr()
    assert [Row(**row) for row in json.loads(printed.out)] == [FAILED]
    assert "measuring" in printed.err
    assert written == ["reconcile"]


def test_what_cannot_be_measured_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with 1 and says what is missing."""
    monkeypatch.setattr(command, "benchmark", lambda _: unmeasurable)
    assert command.main(["--only", "reconcile"]) == 1
    assert "the local cloud did not start" in capsys.readouterr().err


@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_is_there_and_was_measured(name: str) -> None:
    """Its module has `measure`, and bench/results.json has its rows."""
    assert callable(benchmark(name))
    assert results.rows(results.read()[name])


def test_a_plot_of_the_same_figures_is_the_same_file() -> None:
    """XML without chance in it."""
    first, second = (
        lines("title", x_title="x", y_title="y", series={"a": [(1, 2), (3, 4)], "b": [(1, 9)]}) for _ in range(2)
    )
    assert first == second
    assert ET.fromstring(first).tag.endswith("svg")  # noqa: S314 - our own
