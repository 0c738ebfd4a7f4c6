"""The command `reach` as a process, where one container is recorded: ADDRESS and TOKEN are its agent's.

A test starts it with `command` and `environment`.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from unittest.mock import patch

from core.adapters import dynamodb
from reach.app import main
from reach.stack import opening
from reach.stack.outputs import TABLE, VARIABLES
from tests.factories import CONTAINER_ID
from tests.fakes import MemoryStore
from tests.records import healthy
from tests.unit.local.agent.running import TOKEN, RunningAgent

CONTAINER = CONTAINER_ID[:12]


def command(*arguments: str) -> list[str]:
    """`reach` with these arguments, the container's id after the first."""
    name, *rest = arguments
    return [sys.executable, "-m", __spec__.name, name, CONTAINER, *rest]


def environment(agent: RunningAgent) -> dict[str, str]:
    """Of that process; no terminal but the test's is known."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "TERM"}}
    ours = {"PYTHONPATH": os.pathsep.join(sys.path), "ADDRESS": agent.address, "TOKEN": TOKEN}
    return {**inherited, **ours, VARIABLES[TABLE]: "containers"}


def store(_table: str, _dynamodb: Any) -> MemoryStore:
    return MemoryStore(healthy(agent_address=os.environ["ADDRESS"], agent_token=os.environ["TOKEN"]))


if __name__ == "__main__":
    with patch.object(dynamodb, "DynamoStore", store), patch.object(opening, "aws_client"):
        sys.exit(main())
