"""Where things lie: the repository, and the directory in which one local cloud keeps what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Layout:
    """One cloud's directory. Two clouds at a time need two directories; they share what sam built, and no more."""

    directory: Path = ROOT / ".local"

    @property
    def logs(self) -> Path:
        """One log file for each process."""
        return self.directory / "logs"

    @property
    def run(self) -> Path:
        """One pid file for each process that runs (`local.cloud.processes`)."""
        return self.directory / "run"

    @property
    def lock(self) -> Path:
        """Which command works on this cloud (`local.cloud.lock`)."""
        return self.directory / "lock"

    @property
    def options(self) -> Path:
        """The options of the cloud that `up` left running."""
        return self.directory / "options.json"

    @property
    def env(self) -> Path:
        """The shell's `export` lines (contract.md 9). It is there as long as the cloud is usable."""
        return self.directory / "env"

    @property
    def function_variables(self) -> Path:
        """What the deployed functions have as environment, for `sam local invoke --env-vars`. As long as `env`."""
        return self.directory / "sam-env.json"

    @property
    def fargate(self) -> Path:
        """The local Fargate's state: file systems, images, tasks."""
        return self.directory / "fargate"

    @property
    def sam(self) -> Path:
        """Where `sam` works: its build, its cache, its notes. One for all clouds."""
        return ROOT / ".local" / "sam"

    @property
    def scratch(self) -> Path:
        """TMPDIR of the local AWS: the code of its functions. It goes with it."""
        return self.directory / "tmp"
