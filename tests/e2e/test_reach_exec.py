"""`reach exec` and `reach attach` as a person uses them: on a terminal, in a container of the deployed stack."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from core.model.state import State
from local.cloud.environment import COMMANDS, isolated_environment, read_environment
from tests.e2e.stack import PATIENCE, Stack
from tests.terminal import on_terminal

REACH = str(COMMANDS / "reach")
MUCH = 5_000_000


@pytest.fixture
def environment(stack: Stack) -> dict[str, str]:
    """Of a shell that has read the cloud's `env`."""
    return isolated_environment(read_environment(stack.cloud.layout.env))


@pytest.fixture
def container(stack: Stack, container_id: str) -> Iterator[str]:
    """A healthy one, by the first digits of its id."""
    stack.start(container_id)
    stack.reaches(container_id, State.AGENT_HEALTHY)
    yield container_id[:12]
    stack.stop(container_id)


def test_a_shell_in_a_container(environment: dict[str, str], container: str) -> None:
    """Size and resize, Ctrl-C, UTF-8, the exit code; the local terminal is as before."""
    with on_terminal([REACH, "exec", container, "-it", "--", "sh"], environment, columns=101, lines=37) as terminal:
        before = terminal.modes()
        terminal.until(rb"[#$] ")
        terminal.type(b"stty size\r")
        terminal.until(b"37 101")
        terminal.resize(132, 43)
        # The new size and what is typed may come in either order.
        terminal.type(b"until stty size | grep -x '43 132'; do :; done\r")
        terminal.until(rb"\n43 132")
        terminal.type(b"sh -c \"printf 'sleep%s\\n' ing; exec sleep 1000\"\r")  # it prints when it is in the foreground
        terminal.until(b"sleeping")
        terminal.type(b"\x03")
        terminal.until(rb"\^C.*[#$] ")
        terminal.type("printf '%s!\\n' 'zoë ✓'\r".encode())
        terminal.until("zoë ✓!".encode())
        terminal.type(b"exit 7\r")
        assert terminal.end() == 7
        assert terminal.modes() == before


def test_a_pipe_through_a_container(environment: dict[str, str], container: str) -> None:
    """Standard input to its end, both outputs apart, the exit code; all of much data."""
    done = subprocess.run(
        [REACH, "exec", container, "-i", "--", "sh", "-c", "cat; echo done >&2; exit 3"],
        env=environment,
        input=b"\x00" * MUCH,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, len(done.stdout), done.stderr) == (3, MUCH, b"done\n")


def test_a_container_that_is_killed_while_someone_is_attached(
    stack: Stack, environment: dict[str, str], container: str, container_id: str
) -> None:
    """Its agent ends with it, unable to say how; the exit code is the item's."""
    record = stack.record(container_id)
    assert record is not None
    with on_terminal([REACH, "attach", container], environment) as terminal:
        terminal.until(b"serving")
        stack.fargate.kill(str(record.task_arn))
        assert terminal.end() == 128 + 9
