"""Hooks of MkDocs, for `make site`: the README is the site's first page, and what documents link to comes with it.

A document links as GitHub resolves it. On the site all pages lie beside each other, so `../` and `docs/` go.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
"""Documents outside docs/, and what they are called on the site."""


def on_files(files: Files, *, config: Any) -> Files:
    """Adds the pages that lie outside docs/, and every file there that a page links to."""
    for source, target in {**PAGES, **{name: name for name in _linked()}}.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links between pages as they lie on the site."""
    flat = re.sub(r"\]\((?:\.\./|docs/)", "](", markdown)
    return re.sub(r"\]\(README\.md", "](index.md", flat)


def _linked() -> set[str]:
    """Files of the repository that are no page and not in docs/."""
    documents = [*(ROOT / name for name in PAGES), *(ROOT / "docs").glob("*.md")]
    targets = {
        (document.parent / target).resolve()
        for document in documents
        for target in re.findall(r"\]\(([^)\s#:]+)\)", document.read_text())
    }
    inside = {one.relative_to(ROOT) for one in targets if one.is_file() and one.is_relative_to(ROOT)}
    return {str(one) for one in inside if one.parts[0] != "docs" and one.suffix != ".md"}
