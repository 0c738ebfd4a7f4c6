"""Where things lie: the repository, and the directory in which one local cloud keeps what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DEFAULT_DIRECTORY: Final = ROOT / ".local"


class Layout:
    """One cloud's directory. Two clouds at a time need two directories; they share what sam built, and no more."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory: Final = directory or DEFAULT_DIRECTORY
        self.logs: Final = self.directory / "logs"  # one log file for each process
        self.run: Final = self.directory / "run"  # one pid file for each process that runs (`local.cloud.processes`)
        self.lock: Final = self.directory / "lock"  # which command works on this cloud (`local.cloud.lock`)
        self.options: Final = self.directory / "options.json"  # of the cloud that `up` left running
        self.env: Final = self.directory / "env"  # `export` lines (contract.md 9), as long as the cloud is usable
        self.function_variables: Final = self.directory / "sam-env.json"
        """The environment of the deployed functions, for `sam local invoke --env-vars`. As long as `env`."""
        self.fargate: Final = self.directory / "fargate"  # the local Fargate's file systems, images and tasks
        self.scratch: Final = self.directory / "tmp"  # TMPDIR of the local AWS, for the code of its functions
        self.sam: Final = DEFAULT_DIRECTORY / "sam"  # where `sam` builds, with its cache and notes: one for all clouds
