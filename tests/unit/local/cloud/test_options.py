"""The command lines of `up`, `down` and `demo`."""

from pathlib import Path

import pytest

from local import __main__ as commands
from local.cloud.cloud import AWS_PORT, LocalCloud
from local.cloud.command import DEFAULTS
from local.cloud.processes import LOOPBACK
from local.fargate.runtime import RuntimeName


def parsed(*arguments: str) -> dict[str, object]:
    return vars(commands._parser().parse_args(arguments))


def test_defaults() -> None:
    """No option is required."""
    usual = {"directory": None, "runtime": RuntimeName.AUTO, "agent_flavor": "spec", "speed": "fast", "seed": None}
    assert parsed("up") == {"command": "up", **dict.fromkeys(("directory", *DEFAULTS))}
    assert {
        "host": LOOPBACK,
        "port": AWS_PORT,
        **{name: usual[name] for name in ("runtime", "agent_flavor", "speed", "seed")},
    } == DEFAULTS
    assert parsed("demo") == {"command": "demo", "picture": None, **usual}
    assert parsed("down") == {"command": "down", "directory": None}


@pytest.mark.parametrize("command", ["up", "down", "demo"])
def test_every_command_takes_a_directory(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative directory is taken from the working directory and becomes absolute."""
    monkeypatch.chdir(tmp_path)
    assert parsed(*command.split(), "--directory", "second")["directory"] == tmp_path / "second"


@pytest.mark.parametrize("speed", ["fast", "real", "0.5", "10"])
def test_speed_is_handed_on_as_it_is(speed: str) -> None:
    """`--speed` goes unchanged to the local Fargate, which reads it."""
    assert parsed("up", "--speed", speed)["speed"] == speed


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--speed", "slow", "no speed: give fast, real, or a factor"),
        ("--speed", "0", "no speed: give fast, real, or a factor"),
        ("--speed", "11", "no speed: give fast, real, or a factor"),
        ("--port", "0", "no port: give a number from 1 to 65535"),
        ("--port", "65536", "no port: give a number from 1 to 65535"),
        ("--port", "http", "no port: give a number from 1 to 65535"),
        ("--host", "localhost", "no IPv4 address"),
        ("--runtime", "podman", "'podman' is no runtime: give process, docker, auto"),
        ("--agent-flavor", "public", "invalid choice: 'public' (choose from "),
        ("--seed", "x", "invalid int"),
    ],
)
def test_wrong_value_is_refused_at_once(option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong value ends the command with 2 and what would be right, before anything is started."""
    with pytest.raises(SystemExit) as refused:
        commands.main(["up", option, value])
    assert refused.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["up", "demo"])
def test_the_agent_is_a_choice(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help says how to bring another agent."""
    with pytest.raises(SystemExit):
        parsed(command, "--help")
    assert "AGENT_BINARY=" in capsys.readouterr().out


def test_the_flavor_is_the_stacks() -> None:
    """The staged agent's flavor is the AgentFlavor of the stack, which a parameter of a test overrides."""
    assert LocalCloud().parameters["AgentFlavor"] == "spec"
    assert LocalCloud(agent_flavor="sockerless").parameters["AgentFlavor"] == "sockerless"
    assert LocalCloud(parameters={"AgentFlavor": "sockerless"}).parameters["AgentFlavor"] == "sockerless"


def test_slow_tasks_get_time() -> None:
    """With a slower pace the stack waits longer for a task to start."""
    patience = {
        speed: LocalCloud(speed=speed).parameters["StartTimeoutSeconds"] for speed in ("fast", "0.2", "real", "2")
    }
    assert patience == {"fast": "60", "0.2": "60", "real": "300", "2": "600"}
    chosen = LocalCloud(speed="real", parameters={"StartTimeoutSeconds": "5"})
    assert chosen.parameters["StartTimeoutSeconds"] == "5"
