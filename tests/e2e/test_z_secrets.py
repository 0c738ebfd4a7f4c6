"""Last of its directory, by its name: what the whole run has left behind holds no token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import pytest
from typer.main import get_command

from core.model.agent import AgentVariable
from core.model.state import State
from local.cloud.environment import isolated_environment, read_environment
from reach.agent import client as agent_client
from reach.app import app
from tests.e2e.artefacts import artefacts, found, plant
from tests.e2e.queues import DEAD_LETTER_QUEUES
from tests.e2e.stack import IMAGE, PATIENCE, Stack

ROOT: Final = Path(__file__).parents[2]
MARK: Final = "\n#### reach "
ONE_AFTER_THE_OTHER: Final = f"""
import json, sys
from reach.app import main
for command in json.loads(sys.argv[1]):
    print({MARK!r} + " ".join(command[:2]), flush=True)
    main(command)
"""
"""One process for all commands: each start of Python would take longer than what the command does."""
OF_THE_SECRET: Final = "5ec" + "0" * 61
"""The container that has a secret."""

FEWEST = 5
"""Tokens below which these tests would show little."""


@pytest.fixture(scope="module", autouse=True)
def _some_lives(stack: Stack) -> None:
    """Something to find also when this file runs alone: some lives, and one event that nobody can handle."""
    for number in range(FEWEST - len(stack.tokens)):
        stack.start(f"{number:064x}", injection="init-container" if number else "efs", cmd=["sleep", "600"])
        stack.reaches(f"{number:064x}", State.AGENT_HEALTHY)
    if not any(token in json.dumps(stack.queues.dead_letters()) for token in stack.tokens):
        unreadable = "f" * 64
        stack.start(unreadable)
        record = stack.reaches(unreadable, State.AGENT_HEALTHY)
        stack.overwrite(unreadable, state="dancing")
        stack.ecs.stop_task(task=record.task_arn)
        stack.eventually(lambda: stack.dead_events_of(unreadable), lambda: "its events are kept")


@pytest.fixture(scope="module")
def tokens(stack: Stack, _some_lives: None) -> set[str]:
    """Every token of the run: those seen in items, and those that ECS still shows of tasks."""
    arns = [task["arn"] for task in stack.fargate.tasks()]
    shown: set[str] = set()
    for start in range(0, len(arns), 100):
        for task in stack.ecs.describe_tasks(tasks=arns[start : start + 100])["tasks"]:
            shown.update(of_overrides(task["overrides"]))
    assert shown & stack.tokens  # what is searched for is the real thing
    found = shown | stack.tokens
    assert len(found) >= FEWEST
    assert {len(token) for token in found} == {64}
    return found


def of_overrides(overrides: dict[str, Any]) -> Iterator[str]:
    """The tokens in the overrides of a task."""
    for container in overrides.get("containerOverrides", ()):
        for variable in container.get("environment", ()):
            if variable["name"] == AgentVariable.TOKEN:
                yield variable["value"]


@pytest.fixture(scope="module")
def secret(stack: Stack, _some_lives: None) -> str:
    """The value of a secret that a container has got."""
    value = f"canary-{token_hex(16)}"
    made = stack.cloud.client("secretsmanager").create_secret(Name=f"canary/{token_hex(4)}", SecretString=value)
    stack.start(OF_THE_SECRET, secrets={"CANARY": made["ARN"]})
    agent = stack.client.wait_until_healthy(OF_THE_SECRET, PATIENCE)
    ran = agent_client.run(agent.address, agent.token, ["sh", "-c", "echo $CANARY"])
    assert ran.stdout.decode().startswith(value)
    return value


@pytest.fixture(scope="module")
def canaries(stack: Stack, tokens: set[str], secret: str) -> set[str]:
    """What must stand nowhere; after a life that every command of `reach` has looked at, too."""
    return {*tokens, *stack.tokens, secret}


@pytest.fixture(scope="module")
def shown(stack: Stack, secret: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command of `reach` prints or writes about live and ended containers."""
    events = tmp_path_factory.mktemp("events")
    path = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    environment = isolated_environment({**read_environment(stack.cloud.layout.env), "PYTHONPATH": path})
    of = OF_THE_SECRET
    commands: tuple[tuple[str, ...], ...] = (
        ("start", "--output", "json", "--for", "ended", IMAGE, "sh", "-c", "echo working"),
        ("ps", "--all"),
        ("inspect", of),
        ("why", of, "--output", "json"),
        ("wait", of),
        ("logs", of),
        ("exec", of, "--", "true"),
        ("doctor", "--output", "json"),
        ("stage-agent", "--to", "s3-files", "--list"),
        ("events", "record", "--out", str(events)),
        ("events", "replay", str(events), "--output", "json"),
        ("stop", of, "--wait"),
        ("attach", of),
    )
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps(commands)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    printed = {command: text for command, _, text in (one.partition("\n") for one in done.stdout.split(MARK)[1:])}
    assert len(printed) == len(commands)
    printed["errors"] = done.stderr
    printed["the files of reach events record"] = "".join(file.read_text() for file in events.iterdir())
    assert {name for command in commands for name in command[:2]} >= set(every_command())
    return printed


def every_command() -> Iterator[str]:
    """The names of all commands that are no other names of others."""
    groups = [get_command(app)]
    for group in groups:
        for name, command in getattr(group, "commands", {}).items():
            if not command.hidden:
                yield name
                groups.append(command)


def test_the_functions_were_read(stack: Stack, canaries: set[str]) -> None:
    """CloudWatch Logs of every function, their answers, and the files of the local cloud hold what was looked at."""
    written = artefacts(stack)
    assert len([where for where in written if where.startswith("logs of ")]) == 5
    arns = {task["arn"] for task in stack.fargate.tasks()}
    for where in ("answers", "items", "task definitions"):
        assert written[where], where
    assert any(arn in written["answers"] for arn in arns)
    assert any(arn in text for where, text in written.items() if where.startswith("logs of ") for arn in arns)
    files = {where.rpartition("/")[2] for where in written if where.startswith("file ")}
    assert files >= {"ministack.log", "fargate.log", "sam-deploy.log", "main.log"}


def test_nothing_that_was_written_holds_a_secret(stack: Stack, canaries: set[str]) -> None:
    """Logs, metrics, answers, items, task definitions, dead letters, files: no token and no value of a secret.

    Backends read the token from the item of a live container, with the rights for it.
    """
    assert found(artefacts(stack), canaries) == {}


def test_no_command_of_reach_shows_a_secret(stack: Stack, canaries: set[str], shown: dict[str, str]) -> None:
    """Whether a container lives or has ended; only `inspect --show-token` does, which says so."""
    assert OF_THE_SECRET[:12] in shown["ps --all"]
    assert "sockerless" in shown["the files of reach events record"]
    assert found(shown, canaries) == {}


def test_dead_letters_hold_tokens_only_in_ecs_own_words(stack: Stack, tokens: set[str]) -> None:
    """The one exception: an event that nobody could handle is kept as ECS sent it, overrides and all."""
    overrides = [
        letter["requestPayload"]["detail"].get("overrides")
        for letter in stack.queues.dead_letters()
        if "requestPayload" in letter
    ]
    assert found({"overrides": json.dumps(overrides)}, tokens) != {}
    assert found({"the rest": artefacts(stack)[DEAD_LETTER_QUEUES[0]]}, tokens) == {}


def test_a_secret_that_is_planted_is_found(stack: Stack) -> None:
    """Wherever a text can be written: what finds nothing has looked."""
    planted = f"planted-{token_hex(16)}"
    places = plant(stack, planted)
    assert found(artefacts(stack), {planted}).keys() == places
