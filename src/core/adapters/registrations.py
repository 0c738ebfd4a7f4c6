"""Which start registers a task definition: a short-lived item of the containers table for each family."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from core.adapters.aws_errors import translated
from core.adapters.dynamodb import REGISTRATION
from core.model.instants import format_instant
from core.ports import Turn

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEASE: Final = timedelta(seconds=20)
"""Longer than a call and a pause of `core.control.run_task`. After it, a start that holds the turn counts as dead."""
RECENT: Final = timedelta(seconds=10)
"""A registration counts as new for so long: another start's RunTask may have failed before ECS showed it everywhere."""
KEPT: Final = timedelta(hours=1)


class DynamoRegistrations:
    """Implements `core.ports.Registrations`: an item for each family decides which start registers it.

    Its key, `definition/<family>`, cannot be a container's id, and it has no `watch`, so readers of containers do not
    find it. DynamoDB's time to live removes it.
    """

    def __init__(self, table_name: str, client: DynamoDBClient) -> None:
        self._table = table_name
        self._client = client

    def claim(self, family: str, now: datetime) -> Turn:
        """PutItem, unless another start holds the turn: 1 WRU. A refusal returns the item."""
        with translated("PutItem"):
            try:
                self._client.put_item(
                    **self._item(family, now + LEASE),
                    ConditionExpression="attribute_not_exists(container_id) OR held_until < :now",
                    ExpressionAttributeValues={":now": {"S": format_instant(now)}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as refused:
                held = cast("dict[str, Any]", refused.response).get("Item", {})
                return Turn.DONE if held.get("registered", {}).get("BOOL") else Turn.ANOTHERS
        return Turn.OURS

    def extend(self, family: str, now: datetime) -> None:
        """PutItem with a later `held_until`."""
        with translated("PutItem"):
            self._client.put_item(**self._item(family, now + LEASE))

    def done(self, family: str, now: datetime) -> None:
        """PutItem with `registered`."""
        with translated("PutItem"):
            self._client.put_item(**self._item(family, now + RECENT, registered=True))

    def release(self, family: str, now: datetime) -> None:
        """PutItem with a `held_until` in the past."""
        with translated("PutItem"):
            self._client.put_item(**self._item(family, now - LEASE))

    def _item(self, family: str, held_until: datetime, *, registered: bool = False) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": {
                "container_id": {"S": f"{REGISTRATION}{family}"},
                "held_until": {"S": format_instant(held_until)},
                "registered": {"BOOL": registered},
                "expires_at": {"N": str(int((held_until + KEPT).timestamp()))},
            },
        }
