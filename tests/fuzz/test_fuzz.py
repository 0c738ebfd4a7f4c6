from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.fuzz.__main__ import SIZE, look, main
from tests.fuzz.corpus import CORPUS, kept, read
from tests.fuzz.targets import TARGETS, Target

INPUTS = 60
"""Of each target, so that all tests stay quick; `make fuzz` draws them for as long as is wanted."""


@pytest.mark.parametrize("name", TARGETS)
def test_odd_input_meets_documented_refusals_alone(name: str) -> None:
    """Whatever is dropped, retyped, nested, doubled or cut off: the parser takes it, or refuses it as it says."""
    target = TARGETS[name]

    @settings(SIZE, max_examples=INPUTS)
    @given(target.inputs)
    def run(given: Any) -> None:
        target.run(given)

    run()


@pytest.mark.parametrize("path", [path for name in TARGETS for path in kept(name)], ids=lambda path: path.stem)
def test_what_once_broke_a_parser_does_so_no_more(path: Path) -> None:
    """Every input of the corpus."""
    TARGETS[path.parent.name].run(read(path))


def test_the_corpus_is_of_targets() -> None:
    """Each directory of the corpus is a target's, and has its kind of files."""
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)
    for name, target in TARGETS.items():
        assert {path.suffix for path in kept(name)} <= {".bin" if target.binary else ".json"}


def test_what_breaks_a_parser_is_found_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A find is made small, named with its error, and put into the corpus; the command fails."""

    def fragile(document: Any) -> None:
        if not isinstance(document, dict):
            raise TypeError("no object")

    broken = Target(TARGETS["stop"].inputs, fragile)
    found = look(broken, 500)
    assert found is not None
    assert found[1].startswith("TypeError: no object")

    monkeypatch.setattr("tests.fuzz.corpus.CORPUS", tmp_path)
    monkeypatch.setitem(TARGETS, "stop", broken)
    assert main(["--target", "stop", "--seconds", "60"]) == 1
    [path] = (tmp_path / "stop").iterdir()
    assert not isinstance(read(path), dict)


def test_the_command_counts_what_it_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a find it says how many inputs each parser took, and ends with 0."""
    assert main(["--target", "stop", "--target", "output", "--seconds", "0.01", "--output", "json"]) == 0
    assert '"found": {}' in capsys.readouterr().out
