"""The versions of an agent that are staged side by side, and their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.model.agent import AGENT_NAME

VERSIONS: Final = "versions"
SHA_DIGITS: Final = 12
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def version_of(sha256: str) -> str:
    """The name of a version that has been given none."""
    return sha256[:SHA_DIGITS]


def path_of(version: str) -> str:
    """Where a version is, in the directory that tasks mount."""
    return f"{VERSIONS}/{version}/{AGENT_NAME}"


@dataclass(frozen=True, slots=True)
class Version:
    """One that is staged. `size` is in bytes."""

    name: str
    size: int
    staged_at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """What is staged. `current` is the version that the next task runs, None when there is none."""

    current: str | None
    versions: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found and did. `staged` is None when it kept no version; `before` is what the last task could run."""

    listing: Listing
    staged: str | None = None
    sha256: str | None = None
    new: bool = False
    before: str | None = None
