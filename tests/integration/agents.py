"""Agents as ECS would start them: the project's own agent, with the environment and command that RunTask was given."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.integration.account import HOST
from tests.moto_aws import task_of

_ROOT: Final = Path(__file__).parents[2]


@contextmanager
def agent_of(task_arn: str) -> Iterator[None]:
    """A process that runs what the container `main` of this task runs. It may not listen yet: a prober asks again."""
    [main] = [one for one in task_of(task_arn).overrides["containerOverrides"] if one["name"] == "main"]
    process = subprocess.Popen(
        [sys.executable, "-m", "local.agent", *main["command"]],
        cwd=_ROOT,
        env={
            "PATH": os.environ["PATH"],
            "SOCKERLESS_AGENT_HOST": HOST,
            **{one["name"]: one["value"] for one in main["environment"]},
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()  # it passes the signal on to its command, and waits for that
        process.wait(timeout=20)
