"""Last of its directory, by its name: what the whole run has left behind holds no token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.model.agent import AgentVariable
from core.model.state import State
from tests.e2e import logs
from tests.e2e.queues import DEAD_LETTER_QUEUES
from tests.e2e.stack import Stack

FEWEST = 5
"""Tokens below which these tests would show little."""


@pytest.fixture(scope="module", autouse=True)
def _some_lives(stack: Stack) -> None:
    """Something to find also when this file runs alone: some lives, and one event that nobody can handle."""
    for number in range(FEWEST - len(stack.tokens)):
        stack.start(f"{number:064x}", injection="init-container" if number else "efs", cmd=["sleep", "600"])
        stack.reaches(f"{number:064x}", State.AGENT_HEALTHY)
    if not tokens_in(json.dumps(stack.queues.dead_letters()), stack.tokens):
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


def tokens_in(text: str, tokens: set[str]) -> list[str]:
    """The ends of those found: the tokens themselves are not for a test's output either."""
    return [f"...{token[-4:]}" for token in tokens if token in text]


def test_the_functions_log_no_token(stack: Stack, tokens: set[str]) -> None:
    """CloudWatch Logs of every function hold ARNs of tasks, so they were really read, and no token."""
    assert len(logs.groups(stack.cloud)) == 5
    text = "\n".join(logs.messages(stack.cloud))
    assert any(task["arn"] in text for task in stack.fargate.tasks())
    assert tokens_in(text, tokens) == []


def test_the_functions_answer_no_token(stack: Stack, tokens: set[str]) -> None:
    """Backends read the token from the item, with the rights for it."""
    text = "\n".join(stack.answers)
    assert any(task["arn"] in text for task in stack.fargate.tasks())
    assert tokens_in(text, tokens) == []


def test_the_local_cloud_logs_no_token(stack: Stack, tokens: set[str]) -> None:
    """Neither the processes of the local cloud nor the containers write one down."""
    found = list(logs.files(stack.cloud))
    names = {path.name for path in found}
    assert names >= {"ministack.log", "fargate.log", "sam-deploy.log", "main.log"}
    assert {str(path): seen for path in found if (seen := tokens_in(read(path), tokens))} == {}


def test_dead_letters_hold_tokens_only_in_ecs_own_words(stack: Stack, tokens: set[str]) -> None:
    """The one exception: an event that nobody could handle is kept as ECS sent it, overrides and all."""
    kept = [message for queue in DEAD_LETTER_QUEUES for message in stack.queues.dead_letters(queue)]
    assert tokens_in(json.dumps(kept), tokens) != []
    for message in kept:
        message.get("requestPayload", {}).get("detail", {}).pop("overrides", None)
    assert tokens_in(json.dumps(kept), tokens) == []


def read(path: Path) -> str:
    return path.read_text(errors="replace")
