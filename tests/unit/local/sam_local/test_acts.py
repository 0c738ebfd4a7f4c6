"""What the acts of `sam-local` demand of answers and items."""

from __future__ import annotations

from typing import Any

import pytest

from local import event_files
from local.sam_local.acts import ABSENT, ACTS, Act, Scene, at
from local.sam_local.invoke import FUNCTIONS
from tests.template import load_template

SCENE = Scene(container_id="c" * 64, task_arn="arn:task", agent_address="10.0.0.9:9111")


def fulfilled(wanted: dict[str, Any]) -> dict[str, Any]:
    """A document in which every path has its value."""
    document: dict[str, Any] = {}
    for path, value in wanted.items():
        *folders, name = path.split(".")
        inside = document
        for folder in folders:
            inside = inside.setdefault(folder, {})
        if value is not ABSENT:
            inside[name] = value
    return document


def test_every_function_has_an_act() -> None:
    """Those of the template, each once, with a file that is there."""
    deployed = {
        name for name, one in load_template()["Resources"].items() if one["Type"] == "AWS::Serverless::Function"
    }
    assert {f"{act.function}Function" for act in ACTS} == deployed == {f"{name}Function" for name in FUNCTIONS}
    assert [act.file for act in ACTS if not (event_files.EVENTS / f"{act.file}.json").exists()] == []


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.function)
def test_what_was_announced_is_right(act: Act) -> None:
    """More than was announced may be there."""
    answer, item = fulfilled(dict(act.answers(SCENE))), fulfilled(dict(act.leaves(SCENE)))
    assert act.wrong(SCENE, {**answer, "more": 1}, {**item, "more": 1}) == []


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.function)
def test_everything_else_is_told(act: Act) -> None:
    """Each answer and each attribute that differs or is missing is named, with what it is."""
    wrong = act.wrong(SCENE, {}, {"agent_address": "10.6.6.6:9111"})
    announced = {path for path, value in act.answers(SCENE).items() if value is not ABSENT}
    assert {line.split()[1] for line in wrong if line.startswith("answer: ")} == announced
    assert [line for line in wrong if line.startswith("item: state is None, not ")]
    assert act.wrong(SCENE, "no object", {}) != []


def test_a_path_leads_through_objects() -> None:
    """What is not an object has nothing inside."""
    assert at({"stop": {"code": "UserInitiated"}}, "stop.code") == "UserInitiated"
    assert at({"stop": "text"}, "stop.code") is ABSENT
    assert at({}, "stop.code") is ABSENT
