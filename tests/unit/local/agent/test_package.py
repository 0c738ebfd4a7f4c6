"""The agent as one file."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.agent import package
from tests.unit.local.agent.running import ROOT, RunningAgent, running_agent, running_stand_in


@pytest.fixture(scope="module")
def executable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.build(tmp_path_factory.mktemp("agent") / "bin" / "sockerless-agent")


@pytest.fixture
def packaged(executable: Path) -> Iterator[RunningAgent]:
    # A PYTHONPATH that leads nowhere: the file must bring all it needs.
    with running_agent("--keep-alive", "--", program=(str(executable),), env={"PYTHONPATH": "/nowhere"}) as agent:
        yield agent


def test_health_and_exec(packaged: RunningAgent) -> None:
    """The file runs by itself and speaks the protocol."""
    status, body = packaged.request("/health")
    assert (status, json.loads(body)) == (200, {"status": "ok"})

    with packaged.conversation() as talk:
        talk.send("exec", id="a", cmd=["sh", "-c", "cat; exit 3"])
        talk.send("stdin", id="a", data=b"hello").send("close_stdin", id="a")
        assert talk.receive_all("a") == (3, b"hello", b"")


def test_a_child(executable: Path) -> None:
    """Output and exit code of the child are the file's."""
    with running_agent("--", "sh", "-c", "echo out; exit 4", program=(str(executable),), wait=False) as agent:
        assert agent.end() == (4, b"out\n", b"")


def test_the_stand_in_is_a_file_of_its_own(tmp_path: Path) -> None:
    """The flavor `sockerless` has another executable, with the public agent's command line."""
    stand_in = package.build(tmp_path / "sockerless-agent", "sockerless")
    with running_stand_in("-keep-alive", "--", "cat", program=(str(stand_in),)) as agent:
        health = agent.wait_until_healthy()
        assert health == {"status": "ok", "pid": health["pid"], "exited": False}


def test_an_image_without_python_is_an_error(executable: Path, tmp_path: Path) -> None:
    """The error names the agent; "exec: python3: not found" would blame the container's own command."""
    done = subprocess.run(
        ["/bin/sh", str(executable), "--", "true"], env={"PATH": str(tmp_path)}, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (127, b"")
    assert b"the reference agent needs Python 3.11 or newer in the image" in done.stderr


def test_everyone_may_run_it(executable: Path) -> None:
    """Every user can execute the file, because containers run as any user."""
    assert stat.S_IMODE(executable.stat().st_mode) == 0o755


def test_it_holds_python_only(executable: Path) -> None:
    """The file holds no machine code, so that it runs on every architecture, and it holds the licence of websockets."""
    names = zipfile.ZipFile(executable).namelist()

    assert not [name for name in names if name.endswith((".so", ".c"))]
    assert {"local/agent/server.py", "websockets/asyncio/server.py", "websockets/LICENSE"} <= set(names)


def test_a_python_that_it_cannot_run_on(executable: Path) -> None:
    """The byte code of another version is passed over: the sources are there, too."""
    with zipfile.ZipFile(executable) as archive:
        compiled = {name for name in archive.namelist() if name.endswith(".pyc")}
        sources = {name for name in archive.namelist() if name.endswith(".py")}

    assert {f"{name}c" for name in sources} - compiled == {"__main__.pyc"}


def test_a_running_agent_can_be_replaced(packaged: RunningAgent, executable: Path) -> None:
    """Building again leaves agents that run from the old file alone."""
    package.build(executable)

    with packaged.conversation() as talk:
        talk.send("exec", id="a", cmd=["true"])
        assert talk.receive_all("a")[0] == 0


def test_the_command(tmp_path: Path) -> None:
    """`python -m local.agent.package TARGET` builds it and prints where."""
    target = tmp_path / "sockerless-agent"
    done = subprocess.run(
        [sys.executable, "-m", "local.agent.package", str(target)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stdout == f"{target}\n"
    assert os.access(target, os.X_OK)
