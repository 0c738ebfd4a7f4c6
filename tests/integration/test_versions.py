"""A stack that is updated: the items, messages and requests of the version before, and what a newer one has written."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from core.client.reach_client import ReachClient
from core.launch.parse import parse_start_request
from core.model.errors import UnreadableRecord
from core.model.state import State
from core.storage.item import from_item
from tests.factories import CONTAINER_ID, event
from tests.golden.items import GOLDEN_FILE, older_items
from tests.integration.account import TABLE, Account
from tests.moto_aws import task_of

VERSIONS = older_items()
FIRST = next(iter(VERSIONS))
REQUEST = json.loads((GOLDEN_FILE.parent / "older_start_request.json").read_text())
"""Every member that the first version took, as its parser took them."""


class Left:
    """An item that a newer version wrote, and a task that runs for it: both have to be as they were."""

    def __init__(self, account: Account) -> None:
        self.task = account.started()
        account.falls_due(account.record().created_at - timedelta(days=1))
        account.dynamodb.update_item(
            TableName=TABLE,
            Key={"container_id": {"S": CONTAINER_ID}},
            UpdateExpression="SET #schema = :newer, colour = :blue",
            ExpressionAttributeNames={"#schema": "schema"},
            ExpressionAttributeValues={":newer": {"N": "2"}, ":blue": {"S": "blue"}},
        )
        self._account = account
        self._before = self._seen()

    def _seen(self) -> Any:
        item = self._account.dynamodb.get_item(TableName=TABLE, Key={"container_id": {"S": CONTAINER_ID}})["Item"]
        tasks = self._account.ecs.list_tasks(startedBy=f"sockerless/{CONTAINER_ID}/1")["taskArns"]
        return item, tasks, task_of(self.task).desired_status

    def check(self) -> None:
        assert self._seen() == self._before
        assert self._account.probes() == {"Records": []}


@pytest.fixture
def left(account: Account) -> Left:
    return Left(account)


@pytest.mark.parametrize("name", ["task-running", "task-stopped"])
def test_an_event_about_a_newer_item_is_an_error(account: Account, left: Left, name: str) -> None:
    """Lambda repeats it and keeps it in the dead-letter queue, from where it can be sent again after the update."""
    with pytest.raises(UnreadableRecord, match="schema is 2, and this version reads 1"):
        account.told(name, left.task)
    left.check()


def test_a_probe_of_a_newer_item_is_delivered_again(account: Account, left: Left) -> None:
    """Nothing is connected to, and no verdict is written."""
    with pytest.raises(UnreadableRecord, match="schema is 2"):
        account.agent_health(account.probe_of("agent-health"))
    left.check()


@pytest.mark.parametrize("call", ["start", "stop"])
def test_a_backends_call_about_a_newer_item_is_an_error(account: Account, left: Left, call: str) -> None:
    """No second task is started, and none is stopped."""
    with pytest.raises(UnreadableRecord, match="schema is 2"):
        getattr(account, call)(event(f"{call}-container"))
    left.check()


def test_the_reconciler_counts_a_newer_item_and_goes_on(account: Account, left: Left) -> None:
    """It is due, so each run counts it (the alarm of ReconcileErrors), and another container is looked after."""
    other = "a" * 64
    account.started(container_id=other)
    account.falls_due(account.record(other).created_at - timedelta(days=1), other)
    report = account.reconcile(event("reconcile"))
    assert (report["healed"], report["errors"]) == (1, {"UnreadableRecord": 1})
    assert account.record(other).state is State.ENI_RESOLVED
    account.probes()
    left.check()


def test_the_task_of_a_newer_item_is_not_leaked(account: Account, left: Left) -> None:
    """Its record may want it."""
    task_of(left.task).created_at -= timedelta(hours=1)
    report = account.reconcile(event("reconcile-leaks"))
    assert (report["leaked"], report["errors"]) == (0, {"UnreadableRecord": 1})
    left.check()


def test_a_client_says_that_it_cannot_read_a_newer_item(account: Account, left: Left) -> None:
    """It guesses at no address. In a list, the others are there."""
    with pytest.raises(UnreadableRecord, match="schema is 2"):
        ReachClient(account.store, clock=None).get(CONTAINER_ID)  # type: ignore[arg-type]  # nothing waits
    left.check()


@pytest.mark.parametrize(
    ("version", "name"),
    [(FIRST, "pending"), (FIRST, "eni-resolved"), *((version, "agent-healthy") for version in VERSIONS)],
)
def test_functions_end_what_an_older_version_began(account: Account, version: str, name: str) -> None:
    """ECS's event ends it, and the reconciler and the client read it before."""
    record = from_item(VERSIONS[version][name])
    account.put(record)
    assert account.reconcile(event("reconcile"))["errors"] == {}
    if account.record().state.ended:  # it is of another day, so ECS has forgotten its task
        return
    assert account.task_state(event("task-stopped"))["state"] == "stopped"
    assert account.record().stop is not None


def test_an_ended_container_of_an_older_version_starts_again(account: Account) -> None:
    """As the next generation."""
    account.put(from_item(VERSIONS[FIRST]["stopped"]))
    assert account.start(event("start-container"))["generation"] == 2


def test_a_message_of_every_version_is_understood(account: Account) -> None:
    """The message has had one shape from the first version on; another member of a newer one changes nothing."""
    account.put(from_item(VERSIONS[FIRST]["agent-healthy"]))
    document = account.probe_of("agent-health")
    [record] = document["Records"]
    old = json.loads(record["body"])
    assert old.keys() == {"container_id", "generation", "address"}
    record["body"] = json.dumps({**old, "colour": "blue"})
    assert account.agent_health(document) == {"batchItemFailures": []}


def test_a_request_of_the_first_version_is_understood() -> None:
    """Members are added, never changed: each is taken as it was sent."""
    assert as_sent(parse_start_request(REQUEST).model_dump(mode="json"), REQUEST) == REQUEST


def as_sent(taken: Any, sent: Any) -> Any:
    """What was taken, without the members that the one who sent it did not know."""
    match sent:
        case dict():
            return {name: as_sent(taken[name], one) for name, one in sent.items()}
        case list():
            return [as_sent(*both) for both in zip(taken, sent, strict=True)]
        case _:
            return taken
