"""What these tests rest on: a function has the environment and the permissions that template.yaml gives it, no more."""

from __future__ import annotations

import copy
import sys
from typing import Any

import pytest

from core.model.errors import ConfigurationError
from tests.factories import event
from tests.integration.account import TEMPLATE, Account


def without(variable: str | None = None, action: str | None = None) -> dict[str, Any]:
    """The template, in which ReconcileFunction lacks one of them."""
    template: dict[str, Any] = copy.deepcopy(TEMPLATE)
    if variable is not None:
        del template["Resources"]["ReconcileFunction"]["Properties"]["Environment"]["Variables"][variable]
    for policy in template["Resources"]["ReconcileRole"]["Properties"]["Policies"]:
        for statement in policy.get("PolicyDocument", {}).get("Statement", []):
            if isinstance(statement["Action"], list):
                statement["Action"] = [one for one in statement["Action"] if one != action]
            elif statement["Action"] == action:
                statement["Effect"] = "Deny"
    return template


def test_a_variable_that_the_template_lacks_is_missed(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment of the tests has."""
    account = Account(without(variable="CLUSTER_ARN"))
    monkeypatch.setenv("CLUSTER_ARN", account.cluster)
    with pytest.raises(ConfigurationError, match="CLUSTER_ARN"):
        account.reconcile(event("reconcile-leaks"))


def test_an_action_that_the_role_lacks_is_refused(aws: None) -> None:
    """As IAM refuses it: the job says so in its report, and ends."""
    report = Account(without(action="ecs:ListTasks")).reconcile(event("reconcile-leaks"))
    assert (report["errors"], report["stopped"]) == ({"CallFailed": 1}, "failed")


def test_no_two_functions_share_a_module(account: Account) -> None:
    """Nor a client or a setting: each has a process of its own in Lambda. What was imported before is there again."""
    import handlers

    before = sys.modules["handlers"]
    account.reconcile(event("reconcile"))
    account.start(event("start-container-refused"))
    loaded = [set(map(id, function.modules.values())) for function in (account.reconcile, account.start)]
    assert all(loaded)
    assert not loaded[0] & loaded[1]
    assert sys.modules["handlers"] is before is handlers
