"""The shell examples of the documents: what each one needs, and its commands.

A fence of the language bash is run by `tests/e2e/test_documents.py` on a laptop cloud, unless the line before it is a
marker: `<!-- needs: AWS -->`, or several words of `NEEDS` with commas between.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
DOCUMENTS: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

NEEDS: Final = {
    "AWS": r"aws|sam|reach",
    "make": r"make|\.venv/bin/python",
    "docker": r"docker|sam|local/docker/\S+",
    "PyPI": r"pipx|uv",
    "terminal": r"reach",
}
"""What no test of the laptop cloud has, and the commands that need it: of each marked block one at least.

The targets of make are what CI runs, or have tests in `tests/e2e/up`. A terminal is a person's:
`tests/e2e` drives those commands through a pseudo-terminal.
"""

_BLOCK: Final = re.compile(r"^(?:<!-- needs: ([^\n]*?) -->\n)?```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))# .*$", re.MULTILINE)
_WORDS: Final = {"do", "done", "then", "else", "fi", "if", "while", "until", "!", "time"}
"""Of the shell, before a command."""


@dataclass(frozen=True, slots=True)
class Example:
    """One block; `line` is its first line in the document, `needs` is empty for one that the laptop cloud runs."""

    document: Path
    line: int
    script: str
    needs: frozenset[str]

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """Each simple command of the script, in order, those within `$(…)` too."""
        return list(_commands(self.script))


def examples(document: Path) -> list[Example]:
    """Every block of a document, in its order."""
    text = document.read_text()
    return [
        Example(
            document,
            text.count("\n", 0, found.start(2)) + 1,
            found[2],
            frozenset(found[1].split(", ") if found[1] is not None else ()),
        )
        for found in _BLOCK.finditer(text)
    ]


def all_examples() -> list[Example]:
    """Of all documents."""
    return [one for document in DOCUMENTS for one in examples(document)]


def _commands(script: str) -> Iterator[list[str]]:
    lines = _COMMENT.sub("", script.replace("\\\n", " "))
    lexer = shlex.shlex(lines.replace("\n", " ;\n"), posix=True, punctuation_chars=True)
    lexer.wordchars += "$[]{}@%^+,:#!"
    lexer.commenters = ""
    words: list[str] = []
    target = False
    for token in lexer:
        if "$(" in token:
            yield from _commands(re.sub(r".*?\$\((.*)\).*", r"\1", token, count=1, flags=re.DOTALL))
        if set(token) <= set("();<>|&"):
            target = token[0] in "<>"
            if not target:
                yield from _command(words)
                words = []
        elif target:
            target = False
        else:
            words.append(token)
    yield from _command(words)


def _command(words: Sequence[str]) -> Iterator[list[str]]:
    """The words without assignments and words of the shell; none of the head of a loop, or of what follows `$(…)`."""
    rest = list(words)
    while rest and (rest[0] in _WORDS or re.match(r"^\w+=", rest[0])):
        rest = rest[1:]
    if rest and rest[0] != "for" and not rest[0].startswith("-"):
        yield rest
