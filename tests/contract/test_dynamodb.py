"""What only the real adapter can show: the table's definition, keys left out, outages, and secrets in errors."""

from __future__ import annotations

import json
import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from core.adapters.clients import reach_client
from core.adapters.dynamodb import DynamoStore
from core.client import Reachable, ReachClient
from core.model.errors import CallFailed, ContainerNotFound
from core.model.failure import Cause
from core.ports import RevisionConflict
from tests.contract.conftest import DynamoTable, client_of
from tests.factories import ADDRESS, CONTAINER_ID, TOKEN, at, pending
from tests.fakes import SettableClock
from tests.records import failed, healthy

if TYPE_CHECKING:
    from collections.abc import Callable


BACKEND_PAGE = Path(__file__).parents[2] / "docs" / "backend.md"


class Stingy:
    """A client whose BatchGetItem answers at most so many keys a call, as DynamoDB does when it throttles."""

    def __init__(self, client: Any, most: int) -> None:
        self._client = client
        self._most = most
        self.calls = 0

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """Answers for the first keys and leaves the others out."""
        self.calls += 1
        ((name, wanted),) = RequestItems.items()
        now, later = wanted["Keys"][: self._most], wanted["Keys"][self._most :]
        answer: dict[str, Any] = {"Responses": {name: []}}
        if now:
            answer = self._client.batch_get_item(RequestItems={name: {**wanted, "Keys": now}})
        return {**answer, "UnprocessedKeys": {name: {**wanted, "Keys": later}} if later else {}}


def test_the_table_forgets_by_expires_at(dynamo: DynamoTable) -> None:
    """The template's TTL is on the attribute that the record sets."""
    answer = dynamo.client.describe_time_to_live(TableName=dynamo.name)["TimeToLiveDescription"]
    assert answer["AttributeName"] == "expires_at"
    assert answer["TimeToLiveStatus"] in ("ENABLED", "ENABLING")


def test_reads_are_strongly_consistent(dynamo: DynamoTable) -> None:
    """A stale item would revive the address and the token of an earlier generation."""
    asked: dict[str, dict[str, Any]] = {}

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        asked[model.name] = params

    dynamo.client.meta.events.register("provide-client-params.dynamodb", note)
    dynamo.store.load(CONTAINER_ID)
    dynamo.store.load_many([CONTAINER_ID])
    assert asked["GetItem"]["ConsistentRead"] is True
    assert asked["BatchGetItem"]["RequestItems"][dynamo.name]["ConsistentRead"] is True
    for consistent in (False, True):
        dynamo.store.load(CONTAINER_ID, consistent=consistent)
        dynamo.store.load_some([CONTAINER_ID], consistent=consistent)
        assert asked["GetItem"]["ConsistentRead"] is consistent, "where the caller tells an old item by itself"
        assert asked["BatchGetItem"]["RequestItems"][dynamo.name]["ConsistentRead"] is consistent


def test_keys_left_out_are_asked_for_again(dynamo: DynamoTable) -> None:
    """After the pauses given, in their order, until all are there."""
    records = {record.container_id: record for record in (pending(container_id=f"{n:064x}") for n in range(8))}
    for record in records.values():
        dynamo.store.save(record)
    pauses: list[float] = []
    client: Any = Stingy(dynamo.client, most=3)
    store = DynamoStore(dynamo.name, client, sleep=pauses.append, pauses=(1, 2, 4))
    assert store.load_many(records).records == records
    assert (client.calls, pauses) == (3, [1, 2])


def test_some_names_the_keys_that_were_left_out(dynamo: DynamoTable) -> None:
    """One call and no pause: the caller has others to read meanwhile."""
    ids = [f"{n:064x}" for n in range(5)]
    for one in ids:
        dynamo.store.save(pending(container_id=one))
    client: Any = Stingy(dynamo.client, most=3)
    loaded = DynamoStore(dynamo.name, client).load_some(ids, consistent=False)
    assert ([*loaded.records], loaded.unprocessed, client.calls) == (ids[:3], tuple(ids[3:]), 1)


def test_waits_read_again_what_was_left_out(dynamo: DynamoTable) -> None:
    """Each container's outcome comes, however few keys an answer has."""
    ids = [f"{n:064x}" for n in range(8)]
    for one in ids:
        dynamo.store.save(healthy(container_id=one, revision=1))
    client: Any = Stingy(dynamo.client, most=3)
    found = dict(ReachClient(DynamoStore(dynamo.name, client), SettableClock(at(40))).wait_many(ids, timeout=30))
    assert {one: outcome.address for one, outcome in found.items() if isinstance(outcome, Reachable)} == dict.fromkeys(
        ids, ADDRESS
    )


def test_keys_left_out_for_good_are_an_outage(dynamo: DynamoTable) -> None:
    """Some records instead of all would look as if the others did not exist."""
    pauses: list[float] = []
    client: Any = Stingy(dynamo.client, most=0)
    store = DynamoStore(dynamo.name, client, sleep=pauses.append, pauses=(1, 2))
    with pytest.raises(CallFailed, match="1 of 1 keys were left out of 3 answers") as caught:
        store.load_many([CONTAINER_ID])
    assert (caught.value.transient, caught.value.cause) == (True, Cause.THROTTLED)
    assert (client.calls, pauses) == (3, [1, 2])


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("GetItem", lambda store: store.load(CONTAINER_ID)),
        ("PutItem", lambda store: store.save(pending())),
        ("Query", lambda store: list(store.due("a", at(0)))),
        ("BatchGetItem", lambda store: store.load_many([CONTAINER_ID])),
        ("Scan", lambda store: list(store.definition_uses())),
        ("Scan", lambda store: list(store.scheduled())),
        ("Scan", lambda store: store.load_all()),
    ],
)
def test_a_missing_table_is_named(dynamo: DynamoTable, operation: str, call: Callable[[DynamoStore], object]) -> None:
    """Every call says which operation failed, with AWS's code, also where it fails while iterating."""
    with pytest.raises(CallFailed, match=f"{operation} failed with ResourceNotFoundException") as caught:
        call(DynamoStore("no-such-table", dynamo.client))
    assert (caught.value.operation, caught.value.transient) == (operation, False)


def test_no_answer_may_pass() -> None:
    """Where nobody listens, the same call may succeed later."""
    client = client_of("dynamodb", "http://127.0.0.1:1")
    with pytest.raises(CallFailed, match="GetItem failed with EndpointConnectionError") as caught:
        DynamoStore("containers", client).load(CONTAINER_ID)
    assert caught.value.transient is True


@pytest.mark.parametrize(
    ("code", "status"), [("ProvisionedThroughputExceededException", 400), ("InternalServerError", 500)]
)
def test_throttling_and_server_errors_may_pass(code: str, status: int) -> None:
    """AWS's own trouble is transient, with its code kept."""
    client = client_of("dynamodb", "http://127.0.0.1:1")
    with Stubber(client) as answers:
        answers.add_client_error("put_item", code, "try again", http_status_code=status)
        with pytest.raises(CallFailed) as caught:
            DynamoStore("containers", client).save(pending())
    assert (caught.value.code, caught.value.transient) == (code, True)


def test_a_conflict_shows_no_token(dynamo: DynamoTable) -> None:
    """The winner's item comes inside botocore's error; it is handed over and taken out of the chain."""
    dynamo.store.save(pending())
    with pytest.raises(RevisionConflict) as caught:
        dynamo.store.save(pending())
    cause = caught.value.__cause__
    assert caught.value.current == pending()
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(cause))


def test_the_backend_reads_the_table(dynamo: DynamoTable) -> None:
    """The whole way of a backend: a table name and a client give the address and the token."""
    dynamo.store.save(healthy(revision=1))
    agent = reach_client(dynamo.name, dynamo.client).wait_until_healthy(CONTAINER_ID, timeout=0)
    assert (agent.address, agent.token) == (ADDRESS, TOKEN)


def test_the_backend_calls_what_its_policy_allows(dynamo: DynamoTable) -> None:
    """docs/backend.md names the operations that the client needs, each with the table or its index, and no other."""
    dynamo.store.save(healthy(revision=1))
    client = reach_client(dynamo.name, dynamo.client)
    [policy] = re.findall(r"```json\n(.*?)```", BACKEND_PAGE.read_text(), re.DOTALL)
    allowed = {
        (action.removeprefix("dynamodb:"), one["Resource"].partition("CONTAINERS_TABLE/index/")[2] or None)
        for one in json.loads(policy)["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        if action.startswith("dynamodb:")
    }
    called: set[tuple[str, str | None]] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        called.add((model.name, params.get("IndexName")))

    dynamo.client.meta.events.register("provide-client-params.dynamodb", note)
    assert client.get(CONTAINER_ID) == healthy(revision=1)
    assert client.list().records == {CONTAINER_ID: healthy(revision=1)}
    assert called == allowed - {("Scan", None)}
    assert client.list(ended=True) == client.get_many([CONTAINER_ID]) == client.list()
    assert called == allowed


def test_the_backend_has_the_wall_clock(dynamo: DynamoTable) -> None:
    """An item that expired in 1970 is gone, though DynamoDB has not removed it."""
    dynamo.store.save(failed(revision=1, expires_at=1))
    with pytest.raises(ContainerNotFound):
        reach_client(dynamo.name, dynamo.client).get(CONTAINER_ID)
