"""Citations: what code, tests and the template name as a source is a section of a document in this tree.

One spelling: `ecs.md 6` is section 6 (a numbered heading, or a numbered point) of docs/ecs.md, several are
`contract.md 3, 4 and 6`, and a document without numbers is cited as `operations.md "Metrics"`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("src", "local", "reach", "tests", "bench", "docs")
FILES = [
    *(ROOT / name for name in ("template.yaml", "pyproject.toml", "Makefile", "docs/start-request.schema.json")),
    *sorted(
        file
        for place in SOURCES
        for file in (ROOT / place).rglob("*")
        if file.suffix in {".py", ".sh"} and file != Path(__file__)
    ),
]

NAME = re.compile(r"(?<![\w/.{}*-])(?:docs/)?([\w-]+\.md)\b")
NUMBERS = re.compile(r" (\d+(?:(?:, | and | to )\d+)*)")
HEADING = re.compile(r',? "([^"]+)"')
ELSEWHERE = re.compile(
    r"\b(?:facts|contract|spec(?:ification)?)(?:'s)?[ ,(]*(?:section|surprise|criteri)"
    r"|\bcriteri(?:on|a) \d|\bhouse.style\b|\bfacts\.md|\bhabit \d|\b(?:AG|ECS)-0\d\d\b",
    re.IGNORECASE,
)
"""Spellings of documents that are not in the tree."""


def citations(text: str) -> list[tuple[str, list[str]]]:
    """The document and the sections of each citation. A Markdown file in a string or a path is none."""
    found = []
    for name in NAME.finditer(text):
        numbers, heading = NUMBERS.match(text, name.end()), HEADING.match(text, name.end())
        if numbers:
            found.append((name[1], _numbers(numbers[1])))
        elif heading:
            found.append((name[1], [heading[1]]))
    return found


def _numbers(text: str) -> list[str]:
    first, _, last = text.partition(" to ")
    return [str(one) for one in range(int(first), int(last) + 1)] if last else re.findall(r"\d+", text)


def sections(document: Path) -> set[str]:
    """The headings, and the numbers of numbered headings and points."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {*headings, *re.findall(r"^(?:#+ )?(\d+)\. ", text, re.MULTILINE)}


def unresolved(text: str, docs: Path) -> list[str]:
    """Each citation of `text` that names no section of a document in `docs`, and each of a document elsewhere."""
    missing = [
        f"{name} {section}"
        for name, named in citations(text)
        for section in named
        if not (docs / name).is_file() or section not in sections(docs / name)
    ]
    return missing + [found[0] for found in ELSEWHERE.finditer(text)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_citation_resolves(file: Path) -> None:
    """What a file cites is there to be read."""
    assert unresolved(file.read_text(), ROOT / "docs") == []


def test_documents_cite_what_is_there() -> None:
    """A document that cites another one by number names a section that exists."""
    for document in sorted((ROOT / "docs").glob("*.md")):
        text = re.sub(r"\]\([^)]*\)", "]", document.read_text())
        assert [one for one in unresolved(text, ROOT / "docs") if not one.startswith(("ECS-", "AG-"))] == [], document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fargate throttles (ecs.md 1).", []),
        ("Fargate throttles (ecs.md 1, 2 and 3).", ["ecs.md 3"]),
        ("all of it: ecs.md 1 to 4.", ["ecs.md 3", "ecs.md 4"]),
        ('its alarm (docs/ecs.md "Names")', []),
        ('its alarm (docs/ecs.md, "Name")', ["ecs.md Name"]),
        ("absent (contract.md 1)", ["contract.md 1"]),
        ("absent (facts, section 6)", ["facts, section"]),
        ("absent (the contract's section 2)", ["contract's section"]),
        ("absent (spec, criterion 15)", ["spec, criteri"]),
        ("absent (house style, habit 8; AG-005)", ["house style", "habit 8", "AG-005"]),
    ],
)
def test_what_does_not_resolve_is_found(text: str, expected: list[str], tmp_path: Path) -> None:
    """The check sees a missing document, a missing section, and the spellings of documents that are elsewhere."""
    (tmp_path / "ecs.md").write_text("# ECS\n\n## 1. Rates\n\n2. a point\n\n## Names\n")
    assert unresolved(text, tmp_path) == expected


def test_there_are_citations() -> None:
    """The documents that exist to be cited are cited."""
    cited = {name for file in FILES for name, _ in citations(file.read_text())}
    assert cited >= {"ecs.md", "contract.md", "specification.md", "agent-protocol.md", "architecture.md"}
