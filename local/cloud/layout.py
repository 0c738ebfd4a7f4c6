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
        self.logs: Final = self.directory / "logs"
        """One log file for each process."""
        self.run: Final = self.directory / "run"
        """One pid file for each process that runs (`local.cloud.processes`)."""
        self.lock: Final = self.directory / "lock"
        """Which command works on this cloud (`local.cloud.lock`)."""
        self.options: Final = self.directory / "options.json"
        """The options of the cloud that `up` left running."""
        self.env: Final = self.directory / "env"
        """The shell's `export` lines (contract.md 9). It is there as long as the cloud is usable."""
        self.function_variables: Final = self.directory / "sam-env.json"
        """What the deployed functions have as environment, for `sam local invoke --env-vars`. As long as `env`."""
        self.fargate: Final = self.directory / "fargate"
        """The local Fargate's state: file systems, images, tasks."""
        self.sam: Final = DEFAULT_DIRECTORY / "sam"
        """Where `sam` works: its build, its cache, its notes. One for all clouds."""
        self.scratch: Final = self.directory / "tmp"
        """TMPDIR of the local AWS: the code of its functions. It goes with it."""
