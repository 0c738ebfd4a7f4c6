"""The composition root: who may perform what, and what is made when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, ReadOutput, Relaunch, SendProbe, StopTask
from core.model.errors import ConfigurationError
from handlers.app import MAY_PERFORM, App
from tests.factories import SETTINGS
from tests.unit.test_template import FUNCTIONS, granted

CALLS: dict[type[Action], set[str]] = {
    SendProbe: {"sqs:SendMessage"},
    DescribeTask: {"ecs:DescribeTasks"},
    StopTask: {"ecs:StopTask"},
    # A claim is for the launch that follows it.
    ClaimLaunch: {"ecs:RunTask"},
    Relaunch: {"ecs:DescribeTasks", "ecs:ListTasks", "ecs:RunTask", "ecs:TagResource", "iam:PassRole"},
    EraseToken: {"ssm:DeleteParameter"},
    ReadOutput: {"logs:GetLogEvents"},
}
"""The calls to AWS that performing an action makes, beside the table."""


def test_every_action_has_its_calls() -> None:
    """A new one is compared with the roles too, and is some function's."""
    assert set(CALLS) == set(get_args(Action)) == set().union(*MAY_PERFORM.values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_perform_what_its_role_allows(function: str) -> None:
    """No action fails for want of a permission, and none is left undone that a role would allow."""
    role = granted(f"{function.removesuffix('Function')}Role")
    allowed = {action for action, calls in CALLS.items() if calls <= role}
    assert allowed == MAY_PERFORM[function]


def test_every_function_has_its_row() -> None:
    """As the template names them."""
    assert MAY_PERFORM.keys() == FUNCTIONS.keys()


def test_no_port_is_made_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client costs a tenth of a second of a cold start."""
    made: list[Any] = []
    monkeypatch.setattr(App, "settings", replace(SETTINGS, task_log_group="/tasks"))
    monkeypatch.setattr("handlers.app._client", lambda service, _: made.append(service))
    app = App("TaskStateFunction")
    assert made == []
    assert app.output is not None
    assert app.store is app.store
    assert made == ["logs", "dynamodb"]


@pytest.mark.parametrize(("port", "variable"), [("queue", "PROBE_QUEUE_URL"), ("definitions", "CLUSTER_ARN")])
def test_a_setting_that_a_port_needs_is_named(monkeypatch: pytest.MonkeyPatch, port: str, variable: str) -> None:
    """By the port that is made first."""
    monkeypatch.setattr("handlers.app._client", lambda *_: None)
    monkeypatch.setattr(App, "settings", replace(SETTINGS, cluster_arn=None))
    with pytest.raises(ConfigurationError, match=variable):
        getattr(App("ReconcileFunction"), port)


def test_tokens_are_random_hex_of_the_right_length() -> None:
    """Spec, testing: uniqueness, correct length, hex encoding."""
    tokens = {App("StartContainerFunction").new_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {64}
    assert all(bytes.fromhex(token) for token in tokens)
