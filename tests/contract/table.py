"""The containers table for tests, made from the definition in template.yaml that goes to AWS."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_CREATED_WITH = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


class _Reader(yaml.SafeLoader):
    """Reads past CloudFormation's short forms (`!Ref`), of which the table's definition has none."""


_Reader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def create_containers_table(client: DynamoDBClient, name: str) -> None:
    """Creates the template's `ContainersTable` under `name`: keys, index and time to live."""
    properties = _properties()
    client.create_table(TableName=name, **{key: properties[key] for key in _CREATED_WITH})
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])


@cache
def _properties() -> dict[str, Any]:
    """Read once: the template is long."""
    template = yaml.load(_TEMPLATE.read_text(), Loader=_Reader)  # noqa: S506 - a SafeLoader
    properties: dict[str, Any] = template["Resources"]["ContainersTable"]["Properties"]
    return properties
