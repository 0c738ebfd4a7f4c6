"""`stage.sh`: its command lines, and its report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

from core.launch.request import Platform
from reach.staging.elf import MACHINES
from reach.staging.versions import Listing, Report, Version

SCRIPT: Final = files("reach.staging").joinpath("stage.sh").read_text()
SHELL: Final = ("sh", "-c", SCRIPT, "sh")
_NONE: Final = "-"
MARK: Final = "sockerless-stage"
"""The first word of each line of the report."""
_END: Final = (MARK, "end")


def stage(  # noqa: PLR0913 - one for each argument of the script
    directory: str, run: str, copied: str, *, platform: Platform | None, version: str | None, switch: bool
) -> list[str]:
    """The arguments that keep the agent in the directory `copied` as a version. Without a platform any file will do."""
    machine = _NONE if platform is None else str(MACHINES[platform])
    return ["stage", directory, run, copied, machine, version or _NONE, "switch" if switch else _NONE]


def switch(directory: str, run: str, version: str) -> list[str]:
    """The arguments that put a version into use."""
    return ["switch", directory, run, version]


def listing(directory: str, run: str) -> list[str]:
    """The arguments that change nothing."""
    return ["list", directory, run]


def read_report(lines: Iterable[str]) -> Report | None:
    """The report in the output of the script; None when its end is not there (yet)."""
    said = [words for line in lines if (words := tuple(line.split()))[:1] == (MARK,)]
    if _END not in said:
        return None
    facts = {words[1]: words[2:] for words in said}
    versions = tuple(
        Version(name, int(size), datetime.fromtimestamp(int(at), UTC))
        for _, kind, *of in said
        if kind == "version"
        for name, size, at in [of]
    )
    staged, sha256, new = facts.get("staged", (None, None, None))
    current, before = (next(iter(facts.get(name, ())), None) for name in ("current", "before"))
    return Report(Listing(current, versions), staged, sha256, new == "new", before)
