"""The backend's client, put together: the one place where `core.client` meets DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.adapters.clock import SystemClock
from core.adapters.dynamodb import DynamoStore
from core.client import ReachClient

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def reach_client(table_name: str, dynamodb: DynamoDBClient) -> ReachClient:
    """A `ReachClient` of the stack whose output `ContainersTableName` is `table_name`.

    `dynamodb` is boto3's client of that name. docs/backend.md has the policy of its role.
    """
    return ReachClient(DynamoStore(table_name, dynamodb), SystemClock())
