from __future__ import annotations

import pytest

from reach.app import main
from tests.records import exited, healthy
from tests.unit.local.ports import free_port
from tests.unit.reach.commands.test_containers import SHORT, Shell
from tests.unit.reach.deployment import OUTPUTS, Deployment

OTHER = "b" * 64


def completed(shell: Shell, environment: pytest.MonkeyPatch, line: str, kind: str = "bash") -> list[str]:
    """What a shell gets for the last word of a line, as typer's script of it asks."""
    environment.setenv("_REACH_COMPLETE", f"complete_{kind}")
    environment.setenv("_TYPER_COMPLETE_ARGS", line)
    environment.setenv("COMP_WORDS", line)
    environment.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    assert main([]) == 0
    shown = shell.readouterr()
    assert shown.err == ""
    return [one for one in shown.out.splitlines() if one]


@pytest.mark.parametrize("command", ["inspect", "wait", "why", "logs", "stop", "exec", "attach"])
def test_live_ids(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch, command: str) -> None:
    """Their first digits, for each command that takes one; those that begin as the word does."""
    deployment.put(healthy(), healthy(container_id=OTHER), exited(container_id="4f" + "0" * 62))
    assert set(completed(capsys, environment, f"reach {command} ")) == {SHORT, OTHER[:12]}
    assert completed(capsys, environment, f"reach {command} 4f") == [SHORT]


def test_a_shell_that_shows_more(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """State and image are beside the id."""
    deployment.put(healthy())
    [shown] = completed(capsys, environment, "reach why ", "zsh")
    assert f'"{SHORT}":"agent-healthy python' in shown


def test_the_stack_of_the_line(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """--stack counts while it is completed."""
    deployment.put(healthy())
    deployment.stacks = {"mine": OUTPUTS}
    assert completed(capsys, environment, "reach why --stack mine ") == [SHORT]
    assert completed(capsys, environment, "reach why --stack other ") == []


def test_aws_that_does_not_answer(capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """Nothing is offered, and nothing is said."""
    environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port('127.0.0.1')}")
    environment.setenv("CONTAINERS_TABLE_NAME", "containers")
    assert completed(capsys, environment, "reach why ") == []


def test_no_configuration(capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """The same."""
    environment.delenv("AWS_DEFAULT_REGION")
    assert completed(capsys, environment, "reach why ") == []


def test_the_script_of_a_shell(capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """`reach --show-completion` prints what `--install-completion` installs."""
    environment.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    environment.setenv("SHELL", "/bin/bash")
    assert main(["--show-completion", "bash"]) == 0
    assert "_REACH_COMPLETE=complete_bash" in capsys.readouterr().out
