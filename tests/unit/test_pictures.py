"""The pictures of the documents show what the program prints today."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from docs import pictures
from local.demo.cases import CASES

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_is_current(name: str) -> None:
    """It is the one that would be drawn now."""
    assert (ROOT / "docs" / name).read_text() == pictures.drawn(name), "run: make pictures"


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_is_shown(name: str) -> None:
    """Some document has it."""
    assert any(re.search(rf"\]\((?:docs/)?{re.escape(name)}\)", document.read_text()) for document in DOCUMENTS)


def test_make_pictures_draws_what_is_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes each picture that differs, and says which; then nothing."""
    monkeypatch.setattr(pictures, "HERE", tmp_path)
    monkeypatch.setattr(pictures, "PICTURES", {"some.svg": ("reach ps", lambda: "\x1b[1mbold\x1b[0m")})
    assert pictures.main() == 0
    drawn = (tmp_path / "some.svg").read_text()
    assert "font-weight: bold" in drawn
    assert "reach&#160;ps" in drawn or "reach ps" in drawn
    before = (tmp_path / "some.svg").stat().st_mtime_ns
    assert pictures.main() == 0
    assert (tmp_path / "some.svg").stat().st_mtime_ns == before


def test_the_picture_of_the_demo_shows_its_cases() -> None:
    """Each case and what it shows, in their order, as the demo lists them."""
    texts = [
        html.unescape(one) for one in re.findall(r"<text[^>]*>(.*?)</text>", (ROOT / "docs" / "demo.svg").read_text())
    ]
    cells = [one.replace("\xa0", " ").strip() for one in texts]
    first = cells.index("container")
    expected = [cell for case in CASES for cell in (case.name, case.shows)]
    assert [cell for cell in cells[first:] if cell in expected][: len(expected)] == expected, "run: make demo-picture"
