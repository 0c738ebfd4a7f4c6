from __future__ import annotations

import copy
import json
from string import ascii_letters, digits
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.machine.task_documents import observe_event
from core.model.facts import TaskObserved
from reach.recording.redaction import REDACTED, redacted
from tests.factories import START, event

SECRET = st.text(ascii_letters + digits, min_size=6, max_size=30).map("§{}§".format)
"""Marked, so that it cannot be there by chance."""
NAME = st.text(ascii_letters, min_size=1, max_size=20)
OVERRIDE = st.fixed_dictionaries(
    {"name": NAME},
    optional={
        "environment": st.lists(st.fixed_dictionaries({"name": NAME, "value": SECRET}), max_size=4),
        "command": st.lists(SECRET, max_size=4),
    },
)
TELLING = st.sampled_from(["agentToken", "API_KEY", "db_password", "clientSecret", "AWS_SECRET_ACCESS_KEY"])
DEEP = st.recursive(SECRET | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(NAME, inner), max_leaves=6)


def overridden(overrides: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    one = event("task-stopped")
    return {**one, "detail": {**one["detail"], "overrides": {"containerOverrides": overrides}, **members}}


def secrets_of(overrides: list[dict[str, Any]]) -> list[str]:
    pairs = [pair["value"] for one in overrides for pair in one.get("environment", [])]
    return pairs + [argument for one in overrides for argument in one.get("command", [])]


@given(st.lists(OVERRIDE, max_size=4))
def test_no_value_of_an_override_survives(overrides: list[dict[str, Any]]) -> None:
    """Neither a variable's value nor an argument of a command is anywhere in what is written."""
    written = json.dumps(redacted(overridden(overrides)), ensure_ascii=False)
    assert "§" not in written


@given(st.lists(OVERRIDE, max_size=4))
def test_names_survive(overrides: list[dict[str, Any]]) -> None:
    """Which container was overridden, and which variables it was given, tells the story; so does the number."""
    kept = redacted(overridden(overrides))["detail"]["overrides"]["containerOverrides"]
    assert [one["name"] for one in kept] == [one["name"] for one in overrides]
    for before, after in zip(overrides, kept, strict=True):
        assert before.keys() == after.keys()
        names = [pair["name"] for pair in before.get("environment", [])]
        assert [pair["name"] for pair in after.get("environment", [])] == names
        assert len(after.get("command", [])) == len(before.get("command", []))


@given(TELLING, DEEP)
def test_nothing_under_a_telling_name_survives(name: str, value: Any) -> None:
    """TOKEN, SECRET, PASSWORD and KEY hide what is below them, wherever they are and however deep it goes."""
    one = event("task-running")
    leaky = {**one, name: value, "detail": {**one["detail"], "members": [{name: value}]}}
    assert "§" not in json.dumps(redacted(leaky), ensure_ascii=False)


@given(TELLING, SECRET)
def test_pairs_of_a_telling_name_are_hidden_anywhere(name: str, value: str) -> None:
    """Details of an attachment are pairs too."""
    one = overridden([], attachments=[{"type": "other", "details": [{"name": name, "value": value}]}])
    [pair] = redacted(one)["detail"]["attachments"][0]["details"]
    assert pair == {"name": name, "value": REDACTED}


@given(st.lists(OVERRIDE, min_size=1, max_size=4))
def test_reasons_quote_no_value(overrides: list[dict[str, Any]]) -> None:
    """ECS's texts may repeat what it was given; the rest of the text stays."""
    quoted = "cannot start: " + ", ".join(secrets_of(overrides))
    one = overridden(overrides, stoppedReason=quoted)
    one["detail"]["containers"] = [{"name": "main", "reason": quoted}]
    detail = redacted(one)["detail"]
    assert "§" not in json.dumps(detail, ensure_ascii=False)
    assert detail["stoppedReason"].startswith("cannot start: ")


@given(st.lists(OVERRIDE, max_size=3))
def test_redacting_twice_changes_nothing(overrides: list[dict[str, Any]]) -> None:
    """What the local Fargate has redacted already can be recorded like everything else."""
    once = redacted(overridden(overrides))
    assert redacted(once) == once


@pytest.mark.parametrize(
    "name", ["task-running", "task-stopped", "task-failed-agent-missing", "task-running-guardduty"]
)
def test_the_machine_reads_the_same(name: str) -> None:
    """A redacted event replays as the original does: the fact in it has not changed."""
    original = event(name)
    before = copy.deepcopy(original)
    fact = observe_event(redacted(original), prefix="sockerless", at=START)
    assert isinstance(fact, TaskObserved)
    assert fact == observe_event(original, prefix="sockerless", at=START)
    assert original == before


@pytest.mark.parametrize("document", [None, 7, "text", [], {}, {"detail": None}, {"environment": None}])
def test_anything_can_be_redacted(document: Any) -> None:
    """Any other document comes back as it is."""
    assert redacted(document) == document
