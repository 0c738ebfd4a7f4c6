"""What an engine builds an image of: a Dockerfile and files, as one archive in memory."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path


class BuildContext:
    """Everything in it belongs to root, whoever it belongs to here; modes stay."""

    def __init__(self, dockerfile: str) -> None:
        self._archive = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._archive, mode="w")  # noqa: SIM115 - closed by `finished`
        self.add_text("Dockerfile", dockerfile, 0o644)

    def add(self, source: Path, name: str) -> None:
        """A file, or a directory with all that is in it; of a link what it leads to."""
        self._tar.add(os.path.realpath(source), name, filter=_of_root)

    def add_text(self, name: str, text: str, mode: int) -> None:
        content = text.encode()
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), mode
        self._tar.addfile(entry, io.BytesIO(content))

    def finished(self) -> io.BytesIO:
        """The archive, from its beginning. Nothing can be added any more."""
        self._tar.close()
        self._archive.seek(0)
        return self._archive


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
