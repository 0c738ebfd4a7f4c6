from __future__ import annotations

import json
from typing import Any

import pytest
from rich.console import Console

from core.model.failure import ErrorCode, Failure
from reach.app import main
from tests.factories import ADDRESS, CONTAINER_ID, TOKEN, pending
from tests.records import exited, failed, healthy, resolved
from tests.unit.reach.deployment import OUTPUTS, Deployment

SHORT = CONTAINER_ID[:12]
OTHER = "b" * 64
READING = ["ps", "inspect", "wait", "why"]
Shell = pytest.CaptureFixture[str]


def printed(shell: Shell, *arguments: str) -> str:
    """Standard output of a command that succeeds and has nothing to say on standard error."""
    assert main(arguments) == 0
    shown = shell.readouterr()
    assert shown.err == ""
    return shown.out


def document(shell: Shell, *arguments: str) -> dict[str, Any]:
    """The one JSON document of it."""
    found: dict[str, Any] = json.loads(printed(shell, *arguments, "--output", "json"))
    return found


def refused(shell: Shell, code: int, *arguments: str) -> str:
    """Standard error of a command that ends so. Nothing is on standard output."""
    assert main(arguments) == code
    shown = shell.readouterr()
    assert shown.out == ""
    assert TOKEN not in shown.err
    return " ".join(shown.err.split())


def arguments_of(command: str, container: str = SHORT) -> list[str]:
    return [command] if command == "ps" else [command, container]


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_command_prints_the_token(deployment: Deployment, capsys: Shell, command: str, form: str) -> None:
    """The container is healthy, so that its item has one."""
    deployment.put(healthy())
    assert TOKEN not in printed(capsys, *arguments_of(command), "--output", form)


@pytest.mark.parametrize("command", READING)
def test_a_call_that_fails_is_4(
    deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch, command: str
) -> None:
    """The error names the call and what to do."""
    environment.setenv("CONTAINERS_TABLE_NAME", "gone")
    shown = refused(capsys, 4, *arguments_of(command))
    assert "ResourceNotFoundException" in shown
    assert "What to do: check the stack" in shown


@pytest.mark.parametrize("command", READING)
def test_no_such_stack_is_3(deployment: Deployment, capsys: Shell, command: str) -> None:
    """--stack is of every command."""
    assert "no stack third" in refused(capsys, 3, *arguments_of(command), "--stack", "third")


@pytest.mark.parametrize("command", READING[1:])
def test_an_unknown_container_is_3(deployment: Deployment, capsys: Shell, command: str) -> None:
    """By its first digits, and by its whole id."""
    deployment.put(healthy())
    assert f"Live are {SHORT}. What to do: reach ps --all" in refused(capsys, 3, command, "f00")
    assert "Start it, or check the id" in refused(capsys, 3, command, "f" * 64)


@pytest.mark.parametrize("command", READING[1:])
def test_an_ambiguous_container_is_2(deployment: Deployment, capsys: Shell, command: str) -> None:
    """None is chosen."""
    deployment.put(healthy(), healthy(container_id="4f" + "0" * 62))
    assert "4f0000000000" in refused(capsys, 2, command, "4f")


@pytest.mark.parametrize("command", READING[1:])
def test_an_item_that_cannot_be_read_is_1(deployment: Deployment, capsys: Shell, command: str) -> None:
    """It is of a newer version."""
    deployment.put(healthy(), schema=2)
    assert "cannot be read" in refused(capsys, 1, command, SHORT)


def test_a_profile_that_is_not_there_is_2(deployment: Deployment, capsys: Shell) -> None:
    """The error says how to name another one."""
    assert "--profile NAME" in refused(capsys, 2, "ps", "--profile", "absent")


def test_ps(deployment: Deployment, capsys: Shell) -> None:
    """Live containers; with --all the ended ones, too."""
    deployment.put(healthy(), failed(container_id=OTHER))
    head, *rows = printed(capsys, "ps").splitlines()
    assert head.split()[:2] == ["ID", "STATE"]
    assert [row.split()[:2] for row in rows] == [[SHORT, "agent-healthy"]]
    assert OTHER[:12] in printed(capsys, "ps", "--all") == printed(capsys, "ps", "-a")
    assert [one["id"] for one in document(capsys, "ps")["containers"]] == [CONTAINER_ID]


def test_ps_names_what_it_cannot_read(deployment: Deployment, capsys: Shell) -> None:
    """It may be a live container."""
    deployment.put(healthy(), schema=2)
    assert [one["id"] for one in document(capsys, "ps")["unreadable"]] == [CONTAINER_ID]
    assert CONTAINER_ID in printed(capsys, "ps")


def test_ps_of_another_stack(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """REACH_STACK names it, as --stack does."""
    deployment.put(healthy())
    deployment.stacks = {"mine": OUTPUTS}
    environment.setenv("REACH_STACK", "mine")
    assert SHORT in printed(capsys, "ps")


def test_colour_is_for_terminals(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """The state has a colour on a terminal, and what is piped has no escape sequence."""
    deployment.put(healthy())
    assert "\x1b" not in printed(capsys, "ps") + printed(capsys, "why", SHORT)
    environment.setattr(Console, "is_terminal", True)
    environment.setenv("TERM", "xterm")
    environment.delenv("NO_COLOR", raising=False)
    assert main(["ps"]) == 0
    assert "\x1b[32m" in capsys.readouterr().out


def test_inspect(deployment: Deployment, capsys: Shell) -> None:
    """Text has what is known; JSON has every member but the token."""
    deployment.put(healthy())
    assert f"agent_address        {ADDRESS}" in printed(capsys, "inspect", SHORT)
    shown = document(capsys, "inspect", SHORT)
    assert (shown["agent_address"], shown["exit_code"]) == (ADDRESS, None)
    assert "agent_token" not in shown


def test_inspect_shows_the_token_when_it_is_asked_for(deployment: Deployment, capsys: Shell) -> None:
    """The one option that prints it."""
    deployment.put(healthy())
    assert document(capsys, "inspect", SHORT, "--show-token")["agent_token"] == TOKEN
    assert f"agent_token          {TOKEN}" in printed(capsys, "inspect", SHORT, "--show-token")


def test_wait_until_healthy(deployment: Deployment, capsys: Shell) -> None:
    """Prints where the agent is."""
    deployment.put(healthy())
    assert printed(capsys, "wait", SHORT) == f"{ADDRESS}\n"
    assert document(capsys, "wait", SHORT)["agent_address"] == ADDRESS


def test_wait_until_ended(deployment: Deployment, capsys: Shell) -> None:
    """Prints the container's exit code, which is not the command's."""
    deployment.put(exited(3))
    assert printed(capsys, "wait", SHORT, "--for", "ended") == "3\n"
    assert document(capsys, "wait", SHORT, "--for", "ended")["exit_code"] == 3
    deployment.put(exited(stop=None))
    assert printed(capsys, "wait", SHORT, "--for", "ended") == "unknown\n"


@pytest.mark.parametrize("until", ["healthy", "ended"])
def test_wait_for_what_failed_is_1(deployment: Deployment, capsys: Shell, until: str) -> None:
    """With code, message and remedy."""
    deployment.put(failed())
    shown = refused(capsys, 1, "wait", SHORT, "--for", until)
    assert "AgentUnreachable: The agent at" in shown
    assert "lets TCP 9111 in" in shown


def test_an_error_does_not_steer_the_terminal(deployment: Deployment, capsys: Shell) -> None:
    """A message has names that users chose and words that containers printed."""
    deployment.put(failed(error=Failure(ErrorCode.TASK_STOPPED, "a\x1b[2Jb", "c")))
    assert "a\\x1b[2Jb c" in refused(capsys, 1, "wait", SHORT)


def test_wait_for_the_agent_of_an_ended_container_is_1(deployment: Deployment, capsys: Shell) -> None:
    """It ran, and is not healthy any more."""
    deployment.put(exited(0))
    assert "exited with code 0" in refused(capsys, 1, "wait", SHORT)


@pytest.mark.parametrize("options", [["--timeout", "0"], ["--timeout", "1"], ["--for", "ended", "--timeout", "30"]])
def test_the_time_is_over_is_124(deployment: Deployment, capsys: Shell, options: list[str]) -> None:
    """With what the state waits for."""
    deployment.put(resolved())
    assert "was still eni-resolved after" in refused(capsys, 124, "wait", SHORT, *options)


def test_why(deployment: Deployment, capsys: Shell) -> None:
    """The bars, and the diagnosis; in JSON the phases and the error."""
    deployment.put(failed())
    text = printed(capsys, "why", SHORT)
    assert "━━━━" in text
    assert "What to do: Check that the security group lets TCP 9111 in." in text
    shown = document(capsys, "why", SHORT)
    assert shown["error"]["code"] == "AgentUnreachable"
    assert [one["name"] for one in shown["phases"]][-1] == "agent"
    deployment.put(pending())
    assert "The container is pending" in printed(capsys, "why", SHORT)
