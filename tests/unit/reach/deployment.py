"""A deployed stack: its table on moto, its outputs, and its functions that start and stop.

moto's CloudFormation does not load without packages that nothing else here needs, and its Lambda runs containers.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError, ReadTimeoutError

from core.adapters.dynamodb import DynamoStore
from core.control.start import start_container
from core.control.stop import stop_container
from core.model.errors import Refused
from core.model.record import Record
from core.storage.item import to_item
from reach.options import PATIENCE, Patience, aws_client
from reach.stack.outputs import DEFAULT_NAME, START, STOP, TABLE
from tests.contract.table import create_containers_table
from tests.moto_aws import client
from tests.world import World

TABLE_NAME: Final = "containers"
STOP_ARN: Final = "arn:aws:lambda:us-east-1:123456789012:function:stop"
START_ARN: Final = "arn:aws:lambda:us-east-1:123456789012:function:start"
OUTPUTS: Final = {TABLE: TABLE_NAME, START: START_ARN, STOP: STOP_ARN}

_serialize = TypeSerializer().serialize


class Deployment:
    """A stack with containers. `stacks`: name -> outputs. `function_error`: what the functions die of.

    `world`: what the functions work on, beside the table. `lost`: for each invocation whose answer is lost, whether its
    work is done. `next`: the records that are written while a command sleeps, one for each time. `logs`: a client in
    place of moto's.
    """

    def __init__(self) -> None:
        create_containers_table(client("dynamodb"), TABLE_NAME)
        self.stacks = {DEFAULT_NAME: OUTPUTS}
        self.function_error: str | None = None
        self.world = World()
        self.lost: list[bool] = []
        self.invoked: list[dict[str, Any]] = []
        self.next: list[Record] = []
        self.logs: Any = None

    def sleep(self) -> None:
        """Something happens meanwhile."""
        if self.next:
            self.put(self.next.pop(0))

    def put(self, *records: Record, **more: Any) -> None:
        """Writes items as they are, without a condition; `more` are attributes that a record cannot have."""
        for record in records:
            item = {name: _serialize(value) for name, value in {**to_item(record), **more}.items()}
            client("dynamodb").put_item(TableName=TABLE_NAME, Item=item)

    def client(self, service: str, *, profile: str | None, region: str | None, patience: Patience = PATIENCE) -> Any:
        """As `reach.options.aws_client`."""
        match service:
            case "cloudformation":
                return FakeCloudFormation(self.stacks)
            case "lambda":
                return FakeLambda(self)
            case "logs" if self.logs is not None:
                return self.logs
            case _:
                return aws_client(service, profile=profile, region=region, patience=patience)


@dataclass(frozen=True)
class FakeCloudFormation:
    """DescribeStacks of one stack. An unknown one is a ValidationError, in the words of CloudFormation."""

    stacks: Mapping[str, Mapping[str, str]]
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    status: str = "CREATE_COMPLETE"

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
        return {
            "Stacks": [
                {
                    "StackName": StackName,
                    "StackStatus": self.status,
                    **{name: one for name, one in members.items() if one},
                }
            ]
        }


@dataclass(frozen=True)
class FakeLambda:
    """Lambda with the two functions of a deployment: each runs what the deployed one runs."""

    deployment: Deployment

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        deployment, request = self.deployment, json.loads(Payload)
        deployment.invoked.append(request)
        if deployment.function_error:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(deployment.function_error.encode())}
        lost = deployment.lost.pop(0) if deployment.lost else None
        answer = _answer(deployment, FunctionName, request) if lost is not False else {}
        if lost is not None:
            raise ReadTimeoutError(endpoint_url="lambda")
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def _answer(deployment: Deployment, function: str, request: Any) -> dict[str, Any]:
    """As the handlers spell it."""
    ports = deployment.world.having(store=DynamoStore(TABLE_NAME, client("dynamodb")))
    try:
        if function == STOP_ARN:
            record = stop_container(ports, request)
            return {**record.ref._asdict(), "state": record.state}
        assert function == START_ARN
        record = start_container(ports, request, f"start-{len(deployment.invoked)}")
    except Refused as refused:
        return {"error": refused.failure.as_document()}
    tasks = {"task_arn": record.task_arn, "task_definition_arn": record.task_definition_arn}
    return {**record.ref._asdict(), "state": record.state, **tasks}
