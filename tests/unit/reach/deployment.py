"""A deployed stack: its table on moto, its outputs, and its function that stops.

moto's CloudFormation does not load without packages that nothing else here needs, and its Lambda runs containers.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from core.adapters.dynamodb import DynamoStore
from core.control.stop import stop_container
from core.model.errors import Refused
from core.model.record import Record
from core.storage.item import to_item
from reach.options import aws_client
from reach.stack.outputs import DEFAULT_NAME, STOP, TABLE
from tests.contract.table import create_containers_table
from tests.moto_aws import client
from tests.world import PortsInMemory, World

TABLE_NAME: Final = "containers"
STOP_ARN: Final = "arn:aws:lambda:us-east-1:123456789012:function:stop"
OUTPUTS: Final = {TABLE: TABLE_NAME, STOP: STOP_ARN}

_serialize = TypeSerializer().serialize


class Deployment:
    """A stack with containers. `stacks`: name -> outputs. `stop_error`: what the function that stops dies of."""

    def __init__(self) -> None:
        create_containers_table(client("dynamodb"), TABLE_NAME)
        self.stacks = {DEFAULT_NAME: OUTPUTS}
        self.stop_error: str | None = None

    def put(self, *records: Record, **more: Any) -> None:
        """Writes items as they are, without a condition; `more` are attributes that a record cannot have."""
        for record in records:
            item = {name: _serialize(value) for name, value in {**to_item(record), **more}.items()}
            client("dynamodb").put_item(TableName=TABLE_NAME, Item=item)

    def client(self, service: str, *, profile: str | None, region: str | None) -> Any:
        """As `reach.options.aws_client`."""
        match service:
            case "cloudformation":
                return FakeCloudFormation(self.stacks)
            case "lambda":
                store = DynamoStore(TABLE_NAME, client("dynamodb"))
                return StopFunction(World().having(store=store), self.stop_error)
            case _:
                return aws_client(service, profile=profile, region=region)


@dataclass(frozen=True)
class FakeCloudFormation:
    """DescribeStacks of one stack. An unknown one is a ValidationError, in the words of CloudFormation."""

    stacks: Mapping[str, Mapping[str, str]]
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if StackName not in self.stacks:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            answer: Any = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(answer, "DescribeStacks")
        shown = [{"OutputKey": name, "OutputValue": value} for name, value in self.stacks[StackName].items()]
        given = self.parameters.get(StackName, {})
        parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
        # CloudFormation leaves a member out where a stack has none.
        members = {"Outputs": shown, "Parameters": parameters}
        return {"Stacks": [{"StackName": StackName, **{name: one for name, one in members.items() if one}}]}


@dataclass
class StopFunction:
    """Lambda, as far as it has one function: runs what the deployed one runs. `error`: a function error instead."""

    ports: PortsInMemory
    error: str | None = None

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert FunctionName == STOP_ARN
        if self.error:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(self.error.encode())}
        try:
            record = stop_container(self.ports, json.loads(Payload))
            answer: dict[str, Any] = {**record.ref._asdict(), "state": record.state}
        except Refused as refused:
            answer = {"error": refused.failure.as_document()}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}
