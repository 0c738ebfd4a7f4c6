"""The containers table in memory, spoken to as boto3's low-level client: fast enough for a hundred thousand items.

The real adapter, `core.adapters.dynamodb`, works on it, with DynamoDB's pages and conditional writes. It knows the
requests that the adapter makes, and refuses any other. Items are kept as JSON, a tenth of the memory of objects.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from botocore.exceptions import ClientError

PAGE_BYTES: Final = 2**20
"""Of one Query or Scan at most (DynamoDB Developer Guide, "Paginating table query results")."""
INDEX_ENTRY_BYTES: Final = 240
"""About: the keys of the table and of `watch-index`, and 100 bytes that DynamoDB adds."""

Item = Mapping[str, Mapping[str, Any]]

_CONDITIONS: Final[Mapping[str, Callable[[Item, Item], bool]]] = {
    "attribute_not_exists(container_id)": lambda old, _: not old,
    "revision = :previous": lambda old, values: bool(old) and old.get("revision") == values[":previous"],
    "attribute_not_exists(container_id) OR held_until < :now": lambda old, values: (
        not old or old["held_until"]["S"] < values[":now"]["S"]
    ),
}
_DUE: Final = "watch = :shard AND check_at <= :until"


class ConditionalCheckFailedException(ClientError):
    """As boto3 makes it of DynamoDB's refusal."""


class _Exceptions:
    ConditionalCheckFailedException = ConditionalCheckFailedException


@dataclass(slots=True)
class Table:
    """The client of one table, whatever it is called. `calls`: what was sent, by operation; a page is a call."""

    calls: Counter[str] = field(default_factory=Counter)
    exceptions: Any = _Exceptions
    _items: dict[str, str] = field(default_factory=dict)
    _index: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By shard: `check_at` and id, in order."""

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> dict[str, Any]:  # noqa: ARG002, N803
        """GetItem. Every read shows the last write."""
        self.calls["GetItem"] += 1
        item = self.item(Key["container_id"]["S"])
        return {"Item": item} if item else {}

    def put_item(
        self,
        *,
        TableName: str,  # noqa: ARG002, N803
        Item: Item,  # noqa: N803
        ConditionExpression: str | None = None,  # noqa: N803
        ExpressionAttributeValues: Item | None = None,  # noqa: N803
        ReturnValuesOnConditionCheckFailure: str = "NONE",  # noqa: N803
    ) -> dict[str, Any]:
        """PutItem. Raises `ConditionalCheckFailedException` with the old item, where that is asked for."""
        self.calls["PutItem"] += 1
        name = Item["container_id"]["S"]
        old = self.item(name)
        if ConditionExpression and not _CONDITIONS[ConditionExpression](old, ExpressionAttributeValues or {}):
            code, message = "ConditionalCheckFailedException", "The conditional request failed"
            answer: Any = {"Error": {"Code": code, "Message": message}}
            if old and ReturnValuesOnConditionCheckFailure == "ALL_OLD":
                answer["Item"] = old
            raise ConditionalCheckFailedException(answer, "PutItem")
        self._schedule(name, old, Item)
        self._items[name] = json.dumps(Item)
        return {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        """BatchGetItem, of at most 100 keys."""
        self.calls["BatchGetItem"] += 1
        [(table, wanted)] = RequestItems.items()
        if len(wanted["Keys"]) > 100:  # noqa: PLR2004 - DynamoDB's own limit
            raise ValueError("BatchGetItem takes 100 keys")
        found = [self.item(key["container_id"]["S"]) for key in wanted["Keys"]]
        return {"Responses": {table: [item for item in found if item]}, "UnprocessedKeys": {}}

    def get_paginator(self, operation: str) -> _Pages:
        """Of `query` on the index, and of `scan` on the table and on the index."""
        return _Pages({"query": self._query, "scan": self._scan}[operation])

    def item(self, name: str) -> dict[str, Any]:
        """The item of that key; empty for none."""
        text = self._items.get(name)
        return json.loads(text) if text else {}

    def _query(self, size: int | None, parameters: Mapping[str, Any]) -> Iterator[list[Item]]:
        if parameters["KeyConditionExpression"] != _DUE:
            raise ValueError(f"this table does not know {parameters['KeyConditionExpression']}")
        values = parameters["ExpressionAttributeValues"]
        shard, until = values[":shard"]["S"], values[":until"]["S"]
        most = size or PAGE_BYTES // INDEX_ENTRY_BYTES
        last: tuple[str, str] = ("", "")
        while True:
            self.calls["Query"] += 1
            entries = self._index.get(shard, [])
            begin = bisect_right(entries, last)
            page = entries[begin : min(begin + most, bisect_right(entries, (until, "\uffff")))]
            yield [_entry(shard, one) for one in page]
            if len(page) < most:
                return
            last = page[-1]

    def _scan(self, size: int | None, parameters: Mapping[str, Any]) -> Iterator[list[Item]]:
        if "IndexName" in parameters:
            entries = [_entry(shard, one) for shard in sorted(self._index) for one in tuple(self._index[shard])]
            yield from self._scanned(entries, size or PAGE_BYTES // INDEX_ENTRY_BYTES)
            return
        shown = parameters.get("ExpressionAttributeNames", {}).values()
        rest = iter(tuple(self._items))
        while True:
            self.calls["Scan"] += 1
            page: list[Item] = []
            length = 0
            for name in islice(rest, size):
                page.append({key: value for key, value in self.item(name).items() if not shown or key in shown})
                length += len(self._items[name])
                if size is None and length >= PAGE_BYTES:
                    break
            yield page
            if (len(page) < size) if size else length < PAGE_BYTES:
                return

    def _scanned(self, entries: Sequence[Item], size: int) -> Iterator[list[Item]]:
        for begin in range(0, len(entries) + 1, size):
            self.calls["Scan"] += 1
            yield list(entries[begin : begin + size])

    def _schedule(self, name: str, old: Item, new: Item) -> None:
        """Brings the sparse index up to date; an entry whose key does not change stays where it is."""
        before, after = (_key(item, name) for item in (old, new))
        if before == after:
            return
        if before is not None:
            entries = self._index[before[0]]
            del entries[bisect_left(entries, before[1])]
        if after is not None:
            insort(self._index.setdefault(after[0], []), after[1])


@dataclass(frozen=True, slots=True)
class _Pages:
    pages: Callable[[int | None, Mapping[str, Any]], Iterator[list[Item]]]

    def paginate(self, PaginationConfig: Mapping[str, int] | None = None, **parameters: Any) -> Iterator[Any]:  # noqa: N803
        """Each page is read when it is asked for."""
        for items in self.pages((PaginationConfig or {}).get("PageSize"), parameters):
            yield {"Items": items}


def _key(item: Item, name: str) -> tuple[str, tuple[str, str]] | None:
    if "watch" not in item or "check_at" not in item:
        return None
    return item["watch"]["S"], (item["check_at"]["S"], name)


def _entry(shard: str, one: tuple[str, str]) -> Item:
    return {"watch": {"S": shard}, "check_at": {"S": one[0]}, "container_id": {"S": one[1]}}
