"""The containers table on DynamoDB, through the SDK's low-level client, which brings its own retries and time-outs.

It has one item per container. Those of task definitions are in `core.adapters.registrations` and `.start_times`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from core.adapters.aws_errors import translated
from core.adapters.dynamodb_values import deserialized, serialized
from core.model.errors import CallFailed, UnreadableRecord
from core.model.failure import Cause
from core.model.families import DefinitionUse
from core.model.instants import format_instant
from core.model.record import Record
from core.ports import Loaded, RevisionConflict
from core.storage.item import USE_ATTRIBUTES, definition_use, from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PaginatorConfigTypeDef

WATCH_INDEX: Final = "watch-index"
BATCH_GET_LIMIT: Final = 100
"""Keys per BatchGetItem call."""
PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds before each repetition for unprocessed keys of BatchGetItem: AWS asks for exponential backoff."""
REGISTRATION: Final = "definition/"
"""How the keys of items begin that are no container's."""


class DynamoStore:
    """`core.ports.Store` on one table, with the key `container_id` and the index `watch-index`.

    Reads are strongly consistent unless the caller can tell an old item: one would show the address and the token of an
    earlier generation.
    Writes replace the item under a condition on `revision`.
    """

    def __init__(
        self,
        table_name: str,
        client: DynamoDBClient,
        *,
        sleep: Callable[[float], None] = time.sleep,
        pauses: Sequence[float] = PAUSES,
        page_size: int | None = None,
    ) -> None:
        """`client` is the SDK's `dynamodb` client. `page_size`: the items that one Query or Scan reads.

        By default 100 where the caller may stop in between, and else 1 MB, DynamoDB's most.
        """
        self._table = table_name
        self._client = client
        self._sleep = sleep
        self._pauses = tuple(pauses)
        self._page: PaginatorConfigTypeDef = {"PageSize": page_size or BATCH_GET_LIMIT}
        self._large_page: PaginatorConfigTypeDef = {"PageSize": page_size} if page_size else {}

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """GetItem: 1 RRU for each 4 KB of the item, half of it eventually consistent."""
        with translated("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=_key(container_id), ConsistentRead=consistent)
        return _record(answer["Item"]) if "Item" in answer else None

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """BatchGetItem, 100 keys a call. Raises `CallFailed` if keys are still unprocessed after the last pause."""
        keys = [_key(container_id) for container_id in dict.fromkeys(container_ids)]
        starts = range(0, len(keys), BATCH_GET_LIMIT)
        return _loaded(item for start in starts for item in self._batch(keys[start : start + BATCH_GET_LIMIT]))

    def load_some(self, container_ids: Iterable[str], *, consistent: bool) -> Loaded:
        """BatchGetItem, once: the price of each item is that of `load`. Unprocessed keys are the caller's to repeat."""
        keys = [_key(container_id) for container_id in dict.fromkeys(container_ids)]
        answer = self._batch_get({self._table: {"Keys": keys, "ConsistentRead": consistent}})
        left = (answer.get("UnprocessedKeys") or {}).get(self._table, {"Keys": []})["Keys"]
        loaded = _loaded(answer["Responses"].get(self._table, ()))
        return replace(loaded, unprocessed=tuple(key["container_id"]["S"] for key in left))

    def load_all(self) -> Loaded:
        """Scan, strongly consistent, in pages of 1 MB: 1 RRU for each 4 KB of the table. Raises `CallFailed`."""
        with translated("Scan"):
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._table, ConsistentRead=True, PaginationConfig=self._large_page
            )
            items = [item for page in pages for item in page["Items"]]
        return _loaded(item for item in items if not item["container_id"]["S"].startswith(REGISTRATION))

    def save(self, record: Record) -> None:
        """PutItem on condition that the item has not changed since `record` was read.

        Raises `UnreadableRecord` instead of `RevisionConflict` when this version cannot read the winning item.
        """
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(container_id)"}
        if record.revision > 1:
            condition = {
                "ConditionExpression": "revision = :previous",
                "ExpressionAttributeValues": {":previous": serialized(record.revision - 1)},
            }
        item = {name: serialized(value) for name, value in to_item(record).items()}
        with translated("PutItem"):
            try:
                self._client.put_item(
                    TableName=self._table, Item=item, ReturnValuesOnConditionCheckFailure="ALL_OLD", **condition
                )
            except self._client.exceptions.ConditionalCheckFailedException as exc:
                # Removed from the exception, because the item holds the token and exceptions are logged.
                winner = cast("dict[str, Any]", exc.response).pop("Item", None)
                raise RevisionConflict(record.container_id, _record(winner) if winner else None) from exc

    def due(self, shard: str, until: datetime) -> Iterator[str]:
        """Query of the sparse index, page by page as the caller iterates. Raises `CallFailed` while iterating."""
        with translated("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=WATCH_INDEX,
                KeyConditionExpression="watch = :shard AND check_at <= :until",
                ExpressionAttributeValues={":shard": {"S": shard}, ":until": {"S": format_instant(until)}},
                PaginationConfig=self._page,
            )
            for page in pages:
                for item in page["Items"]:
                    yield item["container_id"]["S"]

    def scheduled(self) -> Iterator[str]:
        """Scan of the sparse index, in pages of 1 MB: 0.5 RRU for each 4 KB of it. Raises `CallFailed` while iterating.

        A Query would need the number of shards, which an operator may change: a wrong one would hide containers.
        """
        with translated("Scan"):
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._table, IndexName=WATCH_INDEX, PaginationConfig=self._large_page
            )
            for page in pages:
                for item in page["Items"]:
                    yield item["container_id"]["S"]

    def definition_uses(self) -> Iterator[DefinitionUse]:
        """Scan, strongly consistent, page by page: 1 RRU for each 4 KB of the table. Raises `CallFailed`."""
        with translated("Scan"):
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._table,
                ConsistentRead=True,
                ProjectionExpression=", ".join(f"#{name}" for name in USE_ATTRIBUTES),
                # `state` is one of DynamoDB's reserved words.
                ExpressionAttributeNames={f"#{name}": name for name in USE_ATTRIBUTES},
                PaginationConfig=self._page,
            )
            for page in pages:
                for item in page["Items"]:
                    use = definition_use({name: deserialized(value) for name, value in item.items()})
                    if use is not None:
                        yield use

    def _batch(self, keys: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The items of at most 100 keys. Unprocessed keys (throttling, 16 MB) are requested again."""
        wanted: dict[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for pause in (*self._pauses, None):
            answer = self._batch_get(wanted)
            yield from answer["Responses"].get(self._table, ())
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return
            if pause is not None:
                self._sleep(pause)
        left = len(wanted[self._table]["Keys"])
        raise CallFailed(
            "BatchGetItem",
            "UnprocessedKeys",
            f"{left} of {len(keys)} keys were left out of {len(self._pauses) + 1} answers.",
            cause=Cause.THROTTLED,
            transient=True,
        )

    def _batch_get(self, wanted: dict[str, Any]) -> Any:
        with translated("BatchGetItem"):
            return self._client.batch_get_item(RequestItems=wanted)


def _key(container_id: str) -> dict[str, Any]:
    return {"container_id": {"S": container_id}}


def _record(item: Mapping[str, Any]) -> Record:
    return from_item({name: deserialized(value) for name, value in item.items()})


def _loaded(items: Iterable[Mapping[str, Any]]) -> Loaded:
    records: dict[str, Record] = {}
    unreadable: list[UnreadableRecord] = []
    for item in items:
        try:
            record = _record(item)
        except UnreadableRecord as exc:
            unreadable.append(exc)
        else:
            records[record.container_id] = record
    return Loaded(records, tuple(unreadable))
