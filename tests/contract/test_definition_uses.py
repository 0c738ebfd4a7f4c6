"""What every table says about task definitions (`core.ports.Store.definition_uses`), on the fake and on the engines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.model.families import DefinitionUse
from core.model.state import ENDS
from core.storage.item import to_item
from tests.factories import DEFINITION, at, pending
from tests.records import exited, failed, healthy, resolved

if TYPE_CHECKING:
    from tests.contract.conftest import Table


def test_every_item_that_names_a_definition_is_a_use(table: Table) -> None:
    """Over several pages, in any order; an item without a definition is none."""
    records = [resolved(), healthy(), failed(), exited(3), *(resolved() for _ in range(7))]
    for index, record in enumerate(records):
        arn = f"{DEFINITION}{index}"
        named = replace(record, container_id=f"{index:064x}", revision=1, task_definition_arn=arn)
        table.store.save(replace(named, updated_at=at(index)))
    table.store.save(pending(container_id="f" * 64))

    uses = {use.task_definition_arn: use for use in table.store.definition_uses()}

    assert uses == {
        f"{DEFINITION}{index}": DefinitionUse(f"{DEFINITION}{index}", record.state in ENDS, at(index))
        for index, record in enumerate(records)
    }


def test_an_empty_table_has_no_uses(table: Table) -> None:
    """Nothing is an answer."""
    assert list(table.store.definition_uses()) == []


def test_a_use_is_seen_as_soon_as_it_is_saved(table: Table) -> None:
    """The newest state of each item, and of each item one."""
    table.store.save(resolved(revision=1))
    assert [use.ended for use in table.store.definition_uses()] == [False]
    table.store.save(exited(revision=2))
    assert [use.ended for use in table.store.definition_uses()] == [True]


def test_an_item_that_cannot_be_loaded_is_a_use(table: Table) -> None:
    """Another version's item keeps its definition, and hides no other's."""
    table.put_item({**to_item(resolved()), "state": "dancing", "schema": 2, "updated_at": "soon"})
    table.put_item({"container_id": "a" * 64, "task_definition_arn": 7})
    assert list(table.store.definition_uses()) == [DefinitionUse(DEFINITION, ended=False, updated_at=None)]
