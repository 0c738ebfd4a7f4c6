"""A container's view of the file system without a mount namespace: paths are translated.

A path under a mount point lies in the volume's directory on the host. A path that exists in the image's directory
lies there. Everything else is the host's, as if the image were a Debian userland.
"""

from __future__ import annotations

import posixpath
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WRITERS: Final = frozenset({"cp", "mv", "install", "touch", "tee", "mkdir", "ln"})


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume in a container: `path` as the container spells it, `host` its directory on this machine."""

    path: str
    host: Path
    read_only: bool

    def covers(self, path: str) -> bool:
        """Whether a normalised path is the mount point or below it."""
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")


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
        """The host's path of one that is in a volume, or that the image has; None for any other."""
        normal = posixpath.normpath(path)
        mount = self.mount_of(path)
        if mount is not None:
            return mount.host / posixpath.relpath(normal, mount.path)
        if self.image is not None and path.startswith("/"):
            inside = self.image / normal.lstrip("/")
            return inside if inside.exists() else None
        return None

    def program(self, name: str, search_path: str) -> Path | None:
        """The file of a command: a name without a slash is searched in `search_path`; None when it is not there.

        A path is only translated: the kernel decides whether it can be executed.
        """
        if "/" in name:
            return self.locate(name) or Path(name)
        found = shutil.which(name, path=search_path)
        return Path(found) if found else None

    def arguments(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """Arguments that are paths into a volume or the image, translated; all others as they are."""
        return tuple(str(self.locate(argument) or argument) for argument in arguments)

    def refused_write(self, argv: Sequence[str]) -> str | None:
        """The complaint of a usual copying command whose target is in a read-only mount; None for any other.

        The kernel cannot refuse it here: without privileges there is no read-only mount.
        """
        command = posixpath.basename(argv[0])
        if command not in _WRITERS or len(argv) == 1:
            return None
        mount = self.mount_of(argv[-1])
        if mount is None or not mount.read_only:
            return None
        return f"{command}: cannot create '{argv[-1]}': Read-only file system"
