"""Where things lie: the repository, and the directory in which one local cloud keeps what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

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
        """One file for each process that runs: who it is (`local.cloud.processes`)."""
        return self.directory / "run"

    @property
    def hold(self) -> Path:
        """Which process runs this cloud (`local.cloud.hold`)."""
        return self.directory / "hold"

    @property
    def restarts(self) -> Path:
        """How often each process ended and was started again (`local.cloud.keeper`)."""
        return self.directory / "restarts"

    @property
    def env(self) -> Path:
        """The shell's `export` lines (contract.md 9). It is there as long as the cloud is usable."""
        return self.directory / "env"

    @property
    def fargate(self) -> Path:
        """The local Fargate's state: file systems, images, tasks."""
        return self.directory / "fargate"

    @property
    def sam(self) -> Path:
        """Where `sam` works: its build, what it need not build again, its notes. One for all clouds."""
        return ROOT / ".local" / "sam"

    @property
    def scratch(self) -> Path:
        """TMPDIR of the local AWS: the code of its functions. It goes with it."""
        return self.directory / "tmp"

    @property
    def of_sam_local(self) -> Self:
        """The cloud that `sam-local` starts for itself, beside this one."""
        return type(self)(self.directory / "sam-local-cloud")
