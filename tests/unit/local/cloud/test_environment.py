"""What processes of the local cloud may know, and `.local/env`."""

import os
import subprocess
from pathlib import Path

import pytest

from local.cloud.environment import (
    COMMANDS,
    isolated_environment,
    published_environment,
    read_environment,
    upper_snake_case,
    write_environment,
)
from reach import __version__


@pytest.mark.parametrize(
    ("output", "variable"),
    [
        ("ContainersTableName", "CONTAINERS_TABLE_NAME"),
        ("ProbeQueueUrl", "PROBE_QUEUE_URL"),
        ("TaskStateFunctionArn", "TASK_STATE_FUNCTION_ARN"),
        ("ProberSecurityGroupId", "PROBER_SECURITY_GROUP_ID"),
    ],
)
def test_outputs_become_variables(output: str, variable: str) -> None:
    """An output of the stack is exported in UPPER_SNAKE_CASE."""
    assert upper_snake_case(output) == variable


def test_environment_is_read_back(tmp_path: Path) -> None:
    """Every value that is written is read back, whatever characters it holds."""
    values = {"PLAIN": "a", "URL": "https://x/?a=b#c", "HARD": 'it\'s "$HOME" = `x`'}
    write_environment(tmp_path / "env", values)
    assert read_environment(tmp_path / "env") == values


def test_shell_reads_the_environment(tmp_path: Path) -> None:
    """A POSIX shell that reads the file has the values, unexpanded."""
    file = tmp_path / "env"
    write_environment(file, {"HARD": 'it\'s "$HOME" = `x`'})
    done = subprocess.run(["sh", "-c", f'. {file} && printf %s "$HARD"'], capture_output=True, text=True, check=True)
    assert done.stdout == 'it\'s "$HOME" = `x`'


def test_a_shell_that_reads_it_has_reach(tmp_path: Path) -> None:
    """The command of this checkout comes before any other one, and works in any directory."""
    write_environment(tmp_path / "env", {})
    commands = ". ./env && command -v reach && reach --version"
    done = subprocess.run(["sh", "-c", commands], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{COMMANDS / 'reach'}\nreach {__version__}\n"


def test_endpoints_and_outputs_are_published() -> None:
    """The endpoints, credentials, region and every output are exported (contract.md 9)."""
    values = published_environment("http://aws", "http://ecs", {"DashboardUrl": "https://d"})
    assert values["AWS_ENDPOINT_URL"] == "http://aws"
    assert values["AWS_ENDPOINT_URL_ECS"] == "http://ecs"
    assert values["DASHBOARD_URL"] == "https://d"
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"} <= values.keys()


def test_callers_credentials_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile, a session or an endpoint of the caller reaches no process of the local cloud."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "SAM_CLI_CONFIG", "PYTHONPATH"):
        monkeypatch.setenv(name, "the caller's")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the caller's")
    environment = isolated_environment({"EXTRA": "given"})
    assert "the caller's" not in environment.values()
    assert environment["EXTRA"] == "given"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
