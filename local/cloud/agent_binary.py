"""Which agent is put into containers: the reference agent, or any other that AGENT_BINARY names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local.agent.package import build
from local.cloud.processes import CloudError

AGENT_BINARY: Final = "AGENT_BINARY"
"""A file to be used unchanged. For Docker mode: in process mode an agent must obey SOCKERLESS_AGENT_HOST."""


def place_agent(target: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Puts the agent at `target`, executable by everyone. Raises `CloudError` when AGENT_BINARY is no file."""
    named = environ.get(AGENT_BINARY)
    if not named:
        return build(target)
    if not Path(named).is_file():
        raise CloudError(f"{AGENT_BINARY} names {named}, which is no file. What to do: correct it, or unset it.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(named, target)
    target.chmod(0o755)
    return target
