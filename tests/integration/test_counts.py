"""What the SDK sends for an ordinary life, by function: a change that adds a request fails here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

from core.model.state import State
from tests.factories import event
from tests.integration import functions
from tests.integration.account import Account
from tests.integration.agents import agent_of
from tests.integration.test_life import backend

Sent = Counter[str]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Sent]:
    """Calls something: the requests that it made, by operation."""
    counted: Sent = Counter()
    make_call = functions._make_api_call

    def counting(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        counted[operation] += 1
        return make_call(client, operation, parameters)

    monkeypatch.setattr(functions, "_make_api_call", counting)  # the functions' calls go through it
    monkeypatch.setattr(BaseClient, "_make_api_call", counting)  # the backend's

    def during(work: Callable[[], Any]) -> Sent:
        counted.clear()
        work()
        return Counter(counted)

    return during


def test_a_life_sends_this_and_no_more(account: Account, sent: Callable[[Callable[[], Any]], Sent]) -> None:
    """A warm start, RUNNING, the agent's answer, the stop, and the events of the end."""
    account.started(container_id="e" * 64)  # registers the definition
    assert sent(lambda: account.start(event("start-container"))) == Counter(["PutItem", "RunTask", "GetItem"])
    [task] = [one for one in account.ecs.list_tasks(cluster=account.cluster)["taskArns"] if _is_new(account, one)]
    account.shows(task)
    running = sent(lambda: account.told("task-running", task))
    assert running == Counter(["GetItem", "PutItem", "SendMessage"])
    probes = account.probes()
    with agent_of(task):
        # An agent that takes long is read again every five seconds.
        answered = sent(lambda: account.agent_health(probes))
        assert (answered["PutItem"], sorted(answered)) == (1, ["BatchGetItem", "PutItem"])
        waited = sent(lambda: backend(account).wait_until_healthy(event("stop-container")["container_id"], timeout=0))
        assert waited == Counter(["GetItem"])
        assert sent(lambda: account.stop(event("stop-container"))) == Counter(["GetItem", "PutItem", "StopTask"])
    ended = event("task-stopped-by-user")
    for version, (status, writes) in enumerate({"STOPPING": 0, "DEPROVISIONING": 1, "STOPPED": 0}.items(), start=4):
        document = _at(ended, status, version)
        assert sent(lambda document=document: account.tells(document, task)) == Counter(GetItem=1, PutItem=writes)  # type: ignore[misc]
    assert account.record().state is State.STOPPED


def _is_new(account: Account, task: str) -> bool:
    [shown] = account.ecs.describe_tasks(cluster=account.cluster, tasks=[task])["tasks"]
    return "e" * 64 not in shown["startedBy"]


def _at(ended: dict[str, Any], status: str, version: int) -> dict[str, Any]:
    """The event of an earlier version: without what ECS does not show by then."""
    detail = {**ended["detail"], "version": version, "lastStatus": status}
    if status == "STOPPING":
        del detail["executionStoppedAt"]
        running = [{**one, "lastStatus": "RUNNING"} for one in detail["containers"]]
        detail["containers"] = [{key: one[key] for key in one if key != "exitCode"} for one in running]
    if status != "STOPPED":
        del detail["stoppedAt"]
    return {**ended, "detail": detail}
