"""The composition root: who may perform what, and what is made when."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from botocore.config import Config

from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, ReadOutput, Relaunch, SendProbe, StopTask
from core.model.errors import ConfigurationError
from handlers.app import MAY_PERFORM, App
from tests.factories import SETTINGS
from tests.template import load_template
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


def clients(monkeypatch: pytest.MonkeyPatch, app: App) -> list[tuple[str, dict[str, Any]]]:
    """Every client of a function: its service, and the options of its configuration."""
    made: list[tuple[str, dict[str, Any]]] = []

    def client(service: str, config: Config) -> SimpleNamespace:
        made.append((service, vars(config)))
        return SimpleNamespace(exceptions=None)

    monkeypatch.setattr("handlers.app._client", client)
    monkeypatch.setattr(App, "settings", replace(SETTINGS, task_log_group="/tasks", probe_queue_url="queue"))
    unused = App.__new__(App)
    vars(unused).update({name: value for name, value in vars(app).items() if name not in App.__dict__})
    for port in ("store", "registrations", "start_times", "definitions", "vault", "queue", "output", "ecs"):
        getattr(unused, port)
    unused.ecs._single()  # type: ignore[attr-defined]
    return made


def longest(config: dict[str, Any]) -> float:
    """Seconds of one call that is never answered. Before its nth repetition botocore waits 2 ** (n - 1) s at most."""
    attempts = config["retries"]["total_max_attempts"]
    pauses = sum(min(2**number, 20) for number in range(attempts - 1))
    return float(attempts * max(config["connect_timeout"], config["read_timeout"]) + pauses)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_client_gives_up_before_its_function_has_to_end(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """A service that does not answer is an error with its name then, and what else the record needs is done."""
    [module] = load_template()["Resources"][function]["Properties"]["Handler"].split(".handler")[:1]
    made = clients(monkeypatch, import_module(module).app)
    timeout = load_template()["Resources"][function]["Properties"]["Timeout"]

    assert {service: longest(config) for service, config in made if longest(config) >= timeout} == {}
    assert {service for service, _ in made} >= {"dynamodb", "ecs", "ssm", "sqs"}


def test_the_reconciler_repeats_no_call_but_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does can wait for the next minute, and the rate belongs to the starts."""
    made = clients(monkeypatch, import_module("handlers.reconcile").app)

    repeated = {service for service, config in made if config["retries"]["total_max_attempts"] > 1}
    assert repeated == {"dynamodb"}


def test_tokens_are_random_hex_of_the_right_length() -> None:
    """Spec, testing: uniqueness, correct length, hex encoding."""
    tokens = {App("StartContainerFunction").new_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {64}
    assert all(bytes.fromhex(token) for token in tokens)
