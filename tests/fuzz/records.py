"""Records of each stage of a life, which take a fact that was read, and can be stored afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from core.client.inspection import inspected
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.model.facts import Fact, TaskObserved
from core.model.record import Record
from core.storage.item import from_item, to_item
from tests.factories import POLICY, pending
from tests.records import exited, failed, healthy, resolved, running


def apply_to_all(fact: Fact) -> None:
    """Every record takes it or says why not, and can be stored."""
    for record in (pending(), running(), resolved(), healthy(), failed(), exited()):
        own = replace(record, container_id=fact.ref.container_id, generation=fact.ref.generation)
        arn = fact.task_arn if isinstance(fact, TaskObserved) and own.task_arn is not None else own.task_arn
        apply_to(replace(own, task_arn=arn), fact)


def apply_to(record: Record, fact: Fact) -> None:
    """With and without what a stack may add."""
    for policy in (POLICY, replace(POLICY, reads_output=True, early_probe=True)):
        after = apply(record, fact, policy)
        if not isinstance(after, Stale):
            assert from_item(stored(after)) == after
            next_actions(after, policy)
            inspected(after)


def stored(record: Record) -> dict[str, Any]:
    """The item as DynamoDB gives it back."""
    serialize, deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize
    return {name: deserialize(serialize(value)) for name, value in to_item(record).items()}
