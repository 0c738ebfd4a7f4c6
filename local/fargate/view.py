"""What a container sees of the file system, without a mount namespace: paths are translated instead.

A path under a mount point lies in the volume's directory on the host. A path that exists in the image's directory
lies there. Everything else is the host's, as if the image were a Debian userland.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WRITERS: Final = frozenset({"cp", "mv", "install", "touch", "tee", "mkdir", "ln"})


def image_directory(state_dir: Path, image: str) -> Path:
    """Where the files of an image are looked for: its name with `/`, `:` and `@` replaced by `_`."""
    return state_dir / "images" / re.sub(r"[/:@]", "_", image)


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume in a container: `path` as the container spells it, `host` where it is."""

    path: str
    host: Path
    read_only: bool

    def covers(self, path: str) -> bool:
        """Whether a normalised path is the mount point or below it."""
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")

    def translate(self, path: str) -> Path:
        """The host's path of one that is covered."""
        return self.host / posixpath.relpath(path, self.path)


@dataclass(frozen=True, slots=True)
class View:
    """One container's file system. `image` is None when the image has no directory of its own here."""

    mounts: tuple[Mount, ...]
    image: Path | None

    def mount_of(self, path: str) -> Mount | None:
        """The innermost mount that covers an absolute path."""
        if not path.startswith("/"):
            return None
        normal = posixpath.normpath(path)
        covering = [mount for mount in self.mounts if mount.covers(normal)]
        return max(covering, key=lambda mount: len(mount.path), default=None)

    def locate(self, path: str) -> Path | None:
        """Where a path is when it is not simply the host's: in a volume, or a file that the image has."""
        mount = self.mount_of(path)
        if mount is not None:
            return mount.translate(posixpath.normpath(path))
        if self.image is not None and path.startswith("/"):
            inside = self.image / posixpath.normpath(path).lstrip("/")
            return inside if inside.exists() else None
        return None

    def program(self, name: str, search_path: str) -> Path | None:
        """The file of a command. A name without a slash is looked for in `search_path`; None when it is not there.

        A path is only translated: whether it can be executed is for the kernel to say.
        """
        if "/" in name:
            return self.locate(name) or Path(name)
        found = shutil.which(name, path=search_path)
        return Path(found) if found else None

    def arguments(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """Arguments that are paths into a volume or the image, translated; all others as they are."""
        return tuple(str(self.locate(argument) or argument) for argument in arguments)

    def refused_write(self, argv: Sequence[str]) -> str | None:
        """What a copy into a read-only mount would print, for the usual commands; None when it may run.

        The kernel cannot refuse it here: without privileges there is no read-only mount.
        """
        command = posixpath.basename(argv[0])
        if command not in _WRITERS or len(argv) == 1:
            return None
        mount = self.mount_of(argv[-1])
        if mount is None or not mount.read_only:
            return None
        return f"{command}: cannot create '{argv[-1]}': Read-only file system"
