"""The note that a container engine may hold something of a local Fargate. Apart, for those who need no client yet."""

from __future__ import annotations

from pathlib import Path


def engine_marker(state_dir: Path) -> Path:
    """A file that is there from the start of Docker mode until everything of it has been removed."""
    return state_dir / "engine-in-use"
