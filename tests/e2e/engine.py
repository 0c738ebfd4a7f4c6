"""What the container engine holds, by its own command line: our code is not asked about itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from local.fargate.engine.network import network_name
from local.fargate.engine.ownership import OWNER, Ownership

KINDS: Final = ("container", "network", "volume", "image")
NOTHING: Final[dict[str, list[str]]] = {kind: [] for kind in KINDS}


def owned(state_dir: Path) -> dict[str, list[str]]:
    """What there is of one local Fargate, by kind."""
    return {kind: _listed(kind, f"label={OWNER}={Ownership(state_dir).id}") for kind in KINDS}


def attached(state_dir: Path) -> list[str]:
    """The containers, whoever made them and whether they run or not, in the network of one local Fargate."""
    return _listed("container", f"network={network_name(Ownership(state_dir))}")


def inspected(container: str) -> dict[str, Any]:
    """A container as the engine describes it."""
    (document,) = json.loads(docker("container", "inspect", container))
    return dict(document)


def docker(*arguments: str) -> str:
    """What the engine's command line answers."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def _listed(kind: str, what: str) -> list[str]:
    everything = ["--all"] if kind in ("container", "image") else []
    return docker(kind, "ls", *everything, "--quiet", "--filter", what).split()
