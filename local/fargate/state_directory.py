"""Where images, file systems and the engine's marker are in the state directory of a local Fargate."""

from __future__ import annotations

import re
from pathlib import Path


def image_directory(state_dir: Path, image: str) -> Path:
    """The files of an image: its name with `/`, `:` and `@` replaced by `_`."""
    return state_dir / "images" / re.sub(r"[/:@]", "_", image)


def efs_directory(state_dir: Path, file_system: str, access_point: str | None = None) -> Path:
    """An EFS file system, or one of its access points."""
    root = state_dir / "efs" / file_system
    return root / access_point if access_point else root


def s3_files_directory(state_dir: Path) -> Path:
    """The file systems of S3 Files."""
    return state_dir / "s3files"


def engine_marker(state_dir: Path) -> Path:
    """A file that exists from the start of Docker mode until everything of it has been removed."""
    return state_dir / "engine-in-use"
