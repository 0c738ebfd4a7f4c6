"""The SAM CLI: which one, in what environment."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from local.cloud.environment import isolated_environment
from local.cloud.layout import ROOT
from local.cloud.processes import CloudError


def sam_program() -> str:
    """The program. Raises `CloudError` when it is not installed."""
    own = ROOT / ".venv-sam" / "bin" / "sam"
    found = str(own) if own.exists() else shutil.which("sam")
    if found is None:
        raise CloudError("The SAM CLI is not installed here. What to do: make setup")
    return found


def sam_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Without anything of the caller's AWS."""
    # sam build looks for the runtime's Python by name, and wants pip in it: this interpreter's directory has both.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return isolated_environment({"SAM_CLI_TELEMETRY": "0", "PATH": path, **extra})


def parameter_overrides(parameters: Mapping[str, str]) -> list[str]:
    """Arguments for `sam deploy`."""
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
