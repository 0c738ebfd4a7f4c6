from __future__ import annotations

import json
import re
from typing import Any

import pytest
from rich.console import Console

from core.model.errors import CallFailed
from core.model.failure import Cause
from core.model.record import Record
from reach.app import main
from reach.commands import start as command
from reach.stack.functions import PAUSES
from tests.factories import ADDRESS, CONTAINER_ID, TOKEN
from tests.records import exited, failed, healthy, resolved
from tests.unit.reach.commands.test_containers import SHORT, Shell
from tests.unit.reach.deployment import Deployment

SERVE = ["python:3.13-slim", "python", "-m", "http.server"]
GIVEN = ["start", "--id", CONTAINER_ID]


def run(shell: Shell, code: int, *arguments: str) -> tuple[str, str]:
    """Both outputs of a command that ends so, without the token."""
    assert main(arguments) == code
    shown = shell.readouterr()
    assert TOKEN not in shown.out + shown.err
    return shown.out, shown.err


def test_a_start_that_becomes_healthy(deployment: Deployment, capsys: Shell) -> None:
    """Standard output has id and address; standard error the whole id at once, and each phase when it has ended."""
    deployment.next = [resolved(), healthy()]
    out, err = run(capsys, 0, *GIVEN, *SERVE)
    assert out == f"{CONTAINER_ID}  {ADDRESS}\n"
    head, *phases = err.splitlines()
    assert head == f"{CONTAINER_ID}  python:3.13-slim"
    assert [one.partition(":")[0] for one in phases][-2:] == ["address", "agent"]
    [request] = deployment.invoked
    assert request == {"container_id": CONTAINER_ID, "image": SERVE[0], "cmd": SERVE[1:], "generation": 1}


def test_json(deployment: Deployment, capsys: Shell) -> None:
    """The one document is that of `inspect`, whatever came of it."""
    deployment.next = [healthy()]
    assert json.loads(run(capsys, 0, *GIVEN, "--output", "json", *SERVE)[0])["agent_address"] == ADDRESS
    deployment.put(exited())
    deployment.next = [failed(generation=2)]
    assert json.loads(run(capsys, 1, *GIVEN, "--output", "json", *SERVE)[0])["error"]["code"] == "AgentUnreachable"


def test_detach(deployment: Deployment, capsys: Shell) -> None:
    """The id alone, a new one, after the function's answer; in JSON the answer."""
    out, _ = run(capsys, 0, "start", "-d", *SERVE)
    assert re.fullmatch(r"[0-9a-f]{64}\n", out)
    assert out.strip() == deployment.invoked[0]["container_id"]
    answer = json.loads(run(capsys, 0, *GIVEN, "--detach", "--output", "json", *SERVE)[0])
    assert (answer["container_id"], answer["state"], answer["generation"]) == (CONTAINER_ID, "pending", 1)


def test_every_option_is_a_member(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """Options come before the image. What follows it is the container's, as for `docker run`."""
    environment.setenv("HERE", "yes")
    given = [
        *("-e", "A=1", "--env", "HERE", "--entrypoint", "sh", "-u", "1000:1000", "-w", "/app", "-l", "team=x"),
        *("--cpus", "0.5", "-m", "1g", "--stop-timeout", "10", "--ulimit", "nofile=1024:2048", "--read-only"),
        *("--cap-add", "SYS_PTRACE", "--platform", "linux/arm64", "--capacity", "spot-first"),
        *("--secret", "DB=arn:aws:ssm:us-east-1:123456789012:parameter/db", "--token-delivery", "ssm"),
        *("--injection", "image", "--health-timeout", "30", "--start-timeout", "120", "--max-lifetime", "3600"),
    ]
    out, _ = run(capsys, 0, "start", "--dry-run", *given, "alpine", "--", "-c", "exit 0", "--detach")
    document = json.loads(out)
    assert re.fullmatch("[0-9a-f]{64}", document.pop("container_id"))
    assert document == {
        "image": "alpine",
        "entrypoint": ["sh"],
        "cmd": ["-c", "exit 0", "--detach"],
        "environment": {"A": "1", "HERE": "yes"},
        "secrets": {"DB": "arn:aws:ssm:us-east-1:123456789012:parameter/db"},
        "working_dir": "/app",
        "user": "1000:1000",
        "labels": {"team": "x"},
        "limits": {"nano_cpus": 500_000_000, "memory_bytes": 2**30},
        "platform": "ARM64",
        "ulimits": [{"name": "nofile", "soft": 1024, "hard": 2048}],
        "stop_timeout": 10,
        "read_only_root": True,
        "cap_add": ["SYS_PTRACE"],
        "injection": "image",
        "token_delivery": "ssm",
        "health_timeout": 30,
        "start_timeout": 120,
        "capacity": "spot-first",
        "max_lifetime": 3600,
    }
    assert deployment.invoked == []


def test_variables_of_files(capsys: Shell, tmp_path: Any, environment: pytest.MonkeyPatch) -> None:
    """`--env` wins over `--env-file`."""
    file = tmp_path / "env"
    file.write_text("# both\nA=file\nB=file\n")
    out, _ = run(capsys, 0, "start", "--dry-run", "-e", "A=option", "--env-file", str(file), "alpine", "true")
    assert json.loads(out)["environment"] == {"A": "option", "B": "file"}


def test_a_request_file(deployment: Deployment, capsys: Shell) -> None:
    """Its id counts, and options win over its members."""
    deployment.next = [healthy()]
    out, _ = run(capsys, 0, "start", "--request", "events/start-container.json", "-e", "MORE=1")
    assert out == f"{CONTAINER_ID}  {ADDRESS}\n"
    assert deployment.invoked[0]["environment"] == {"GREETING": "hello", "MORE": "1"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "There is nothing to start"),
        (["alpine"], "A command is needed"),
        (["--id", "4f5c", "alpine", "true"], "container_id: must be 64 lowercase hexadecimal characters"),
        (["-e", "SOCKERLESS_AGENT_TOKEN=x", "alpine", "true"], "environment.SOCKERLESS_AGENT_TOKEN: is set for the"),
        (["--stop-timeout", "500", "alpine", "true"], "stop_timeout: must be from 0 to 120"),
        (["--cpus", "x", "alpine", "true"], "--cpus x is not a number of CPUs"),
        (["--request", "absent.json"], "absent.json cannot be read"),
        (["--capacity", "cheap", "alpine", "true"], "cheap"),
        (["--name", "web", "alpine", "true"], "--name"),
    ],
)
def test_a_wrong_command_line_is_2(deployment: Deployment, capsys: Shell, arguments: list[str], says: str) -> None:
    """It is refused with the member's path or the option, before AWS is called."""
    out, err = run(capsys, 2, "start", *arguments)
    assert says in " ".join(err.split())
    assert (out, deployment.invoked) == ("", [])


def test_a_failure_is_1(deployment: Deployment, capsys: Shell) -> None:
    """With all that `reach why` shows, on standard error."""
    deployment.next = [resolved(), failed()]
    out, err = run(capsys, 1, *GIVEN, *SERVE)
    assert out == ""
    assert "━━━━" in err
    assert "AgentUnreachable\nBecause: The agent at" in err
    assert "What to do: Check that the security group lets TCP 9111 in." in err


@pytest.mark.parametrize(("ended", "code"), [(exited(0), 0), (exited(3), 1), (exited(stop=None), 1)])
def test_a_job_that_was_quicker_than_its_agent(deployment: Deployment, capsys: Shell, ended: Record, code: int) -> None:
    """It was started: what it exited with counts."""
    deployment.next = [ended]
    out, err = run(capsys, code, *GIVEN, *SERVE)
    assert out == (f"{CONTAINER_ID}  exit code 0\n" if code == 0 else "")
    assert ("ran and ended with" in err) is (code != 0)


def test_a_start_that_waits_for_the_end(deployment: Deployment, capsys: Shell) -> None:
    """Any exit code is the end that was awaited, and is printed."""
    deployment.next = [healthy(), exited(3)]
    assert run(capsys, 0, *GIVEN, "--for", "ended", *SERVE)[0] == f"{CONTAINER_ID}  exit code 3\n"


def test_the_time_is_over_is_124(deployment: Deployment, capsys: Shell) -> None:
    """The container goes on."""
    assert "was still pending after 5.0 s" in run(capsys, 124, *GIVEN, "--timeout", "5", *SERVE)[1]


def test_a_container_that_runs_is_1(deployment: Deployment, capsys: Shell) -> None:
    """The function's refusal, with what to do."""
    deployment.put(healthy())
    out, err = run(capsys, 1, *GIVEN, *SERVE)
    assert out == ""
    assert f"Container {CONTAINER_ID} is agent-healthy in generation 1. Stop it first" in err


def test_a_launch_that_aws_refuses_is_1(deployment: Deployment, capsys: Shell) -> None:
    """The container has failed, and is explained as such."""
    error = CallFailed("RunTask", "AccessDeniedException", "no", cause=Cause.PERMISSION, remedy="Allow it.")
    deployment.world.ecs.refusals["run"] = [error]
    _, err = run(capsys, 1, *GIVEN, *SERVE)
    assert "LaunchFailed (permission)\nBecause: RunTask failed with AccessDeniedException: no" in err


def test_an_older_failure_is_not_taken_for_it(deployment: Deployment, capsys: Shell) -> None:
    """The request was refused, and nothing was written: the item is of the generation before."""
    deployment.put(failed())
    _, err = run(capsys, 1, *GIVEN, "--injection", "s3-files", *SERVE)
    assert "S3_FILES_FILE_SYSTEM_ARN" in err
    assert "AgentUnreachable" not in err


def test_an_answer_that_is_lost(deployment: Deployment, capsys: Shell) -> None:
    """The start is sent again, whether it was carried out or not: there is one task."""
    deployment.lost = [False, True]
    deployment.next = []
    out, _ = run(capsys, 0, *GIVEN, "-d", *SERVE)
    assert out == f"{CONTAINER_ID}\n"
    assert len(deployment.invoked) == 3
    assert len(deployment.world.ecs.tasks) == 1


def test_answers_that_never_come_are_4(deployment: Deployment, capsys: Shell) -> None:
    """The id is said, because its container may run."""
    deployment.lost = [False] * (len(PAUSES) + 1)
    _, err = run(capsys, 4, "start", *SERVE)
    container = deployment.invoked[0]["container_id"]
    assert f"{container} may have been started. What to do: reach why {container[:12]}" in err


def test_no_function_is_3(deployment: Deployment, capsys: Shell) -> None:
    """An older template, or another stack."""
    deployment.stacks = {"sockerless-reach": {"ContainersTableName": "containers"}}
    assert "has no output StartContainerFunctionArn" in run(capsys, 3, "start", *SERVE)[1]


@pytest.mark.parametrize("answered", [True, False])
def test_interrupted_is_130(
    deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch, answered: bool
) -> None:
    """The container goes on, or may: its id and how to stop it are said."""

    def interrupt(*_: Any) -> Any:
        raise KeyboardInterrupt

    environment.setattr(command, "awaited" if answered else "send", interrupt)
    out, err = run(capsys, 130, *GIVEN, *SERVE)
    assert out == ""
    assert f"{CONTAINER_ID} {'goes on' if answered else 'may have been started'}" in err
    assert f"reach stop {SHORT}" in err


def test_a_person_sees_what_is_next(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """On a terminal, and on standard error."""
    environment.setattr(Console, "is_terminal", True)
    environment.setenv("TERM", "xterm")
    deployment.next = [healthy()]
    out, err = run(capsys, 0, *GIVEN, *SERVE)
    assert out == f"{CONTAINER_ID}  {ADDRESS}\n"
    assert f"reach exec {SHORT} -- sh" in err
    assert "agent-healthy" in err
