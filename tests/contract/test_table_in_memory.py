"""The table in memory of the benchmarks against the contract of the engines, through the real adapter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from bench.table import Table
from core.adapters.dynamodb import DynamoStore
from core.adapters.registrations import DynamoRegistrations
from core.ports import Turn
from tests.contract.test_definition_uses import (  # noqa: F401 - the same tests, on this table
    test_a_use_is_seen_as_soon_as_it_is_saved,
    test_an_empty_table_has_no_uses,
    test_an_item_that_cannot_be_loaded_is_a_use,
    test_every_item_that_names_a_definition_is_a_use,
)
from tests.contract.test_store import (  # noqa: F401
    test_a_container_is_created_once,
    test_a_write_replaces_the_whole_item,
    test_absent_is_absent,
    test_all_are_loaded,
    test_an_unknown_container_is_none,
    test_an_unknown_state_is_left_alone,
    test_an_update_needs_an_item,
    test_many_are_loaded_at_once,
    test_one_unreadable_item_hides_no_other,
    test_only_the_next_revision_is_written,
    test_the_due_come_in_order,
    test_the_due_differ_by_milliseconds,
    test_the_due_of_another_shard_are_not_shown,
    test_the_scheduled_are_those_with_a_next_check,
    test_the_time_to_live_is_a_number,
    test_what_is_owed_nothing_leaves_the_index,
    test_what_is_saved_is_loaded,
)
from tests.factories import at


class TableInMemory:
    """As the other tables of the contract; pages of three."""

    def __init__(self) -> None:
        self.client = Table()
        self.store = DynamoStore("containers", cast("Any", self.client), page_size=3)

    def item(self, container_id: str) -> dict[str, Any] | None:
        found = self.client.item(container_id)
        return {name: TypeDeserializer().deserialize(value) for name, value in found.items()} or None

    def put_item(self, item: Mapping[str, Any]) -> None:
        self.client.put_item(
            TableName="containers", Item={name: TypeSerializer().serialize(value) for name, value in item.items()}
        )


@pytest.fixture
def table() -> TableInMemory:
    return TableInMemory()


def test_one_start_registers_at_a_time() -> None:
    """The turn of a registration is a conditional write, too."""
    registrations = DynamoRegistrations("containers", cast("Any", Table()))
    assert registrations.claim("family", at(0)) is Turn.OURS
    assert registrations.claim("family", at(1)) is Turn.ANOTHERS
    registrations.done("family", at(2))
    assert registrations.claim("family", at(3)) is Turn.DONE
    assert registrations.claim("family", at(3) + timedelta(hours=1)) is Turn.OURS
