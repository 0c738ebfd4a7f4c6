"""How long the starts of a task definition take, in an item of the containers table."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from core.adapters.aws_errors import translated
from core.adapters.dynamodb import REGISTRATION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT: Final = timedelta(days=30)
"""From the last write on: then DynamoDB's time to live removes the item."""


class DynamoStartTimes:
    """Implements `core.ports.StartTimes`: `definition/<family>/start`, with `seconds`. No container has such a key."""

    def __init__(self, table_name: str, client: DynamoDBClient) -> None:
        self._table = table_name
        self._client = client

    def usual(self, family: str) -> float | None:
        """GetItem, eventually consistent: 0.5 RRU."""
        with translated("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=_key(family), ConsistentRead=False)
        return float(answer["Item"]["seconds"]["N"]) if "Item" in answer else None

    def learn(self, family: str, seconds: float, now: datetime) -> None:
        """PutItem, without a condition: 1 WRU. Of two at once, one teaches nothing."""
        item = {
            **_key(family),
            "seconds": {"N": f"{seconds:.1f}"},
            "expires_at": {"N": str(int((now + KEPT).timestamp()))},
        }
        with translated("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)


def _key(family: str) -> dict[str, dict[str, str]]:
    return {"container_id": {"S": f"{REGISTRATION}{family}/start"}}
