"""What is promised of start times (`core.ports.StartTimes`), on the fake and on the engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.adapters.start_times import KEPT, DynamoStartTimes
from tests.factories import at
from tests.fakes import MemoryStartTimes

if TYPE_CHECKING:
    from core.ports import StartTimes
    from tests.contract.conftest import DynamoTable, Table

FAMILY = "sockerless-0123456789abcdef0123456789abcdef"


def on(table: Table) -> StartTimes:
    client = getattr(table, "client", None)
    return MemoryStartTimes(otherwise=None) if client is None else DynamoStartTimes(table.name, client)  # type: ignore[attr-defined]


def test_what_was_learnt_last_is_usual(table: Table) -> None:
    """Of each family its own, to a tenth of a second."""
    times = on(table)
    assert times.usual(FAMILY) is None
    times.learn(FAMILY, 31.0, at(0))
    times.learn(FAMILY, 29.5, at(1))
    assert (times.usual(FAMILY), times.usual(FAMILY + "0")) == (29.5, None)


def test_it_is_forgotten_after_a_month_and_is_no_container(dynamo: DynamoTable) -> None:
    """DynamoDB's time to live removes the item, and no reader of containers finds it."""
    DynamoStartTimes(dynamo.name, dynamo.client).learn(FAMILY, 29.5, at(0))
    [item] = dynamo.client.scan(TableName=dynamo.name)["Items"]
    assert int(item["expires_at"]["N"]) == int((at(0) + KEPT).timestamp())
    loaded = dynamo.store.load_all()
    assert (loaded.records, loaded.unreadable, list(dynamo.store.definition_uses())) == ({}, (), [])
