"""Everything that a run of the stack has written down, as text by where it lies: what a secret is looked for in."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from core.model.state import ENDS
from tests.e2e import logs
from tests.e2e.queues import DEAD_LETTER_QUEUES
from tests.e2e.stack import Stack


def found(written: Mapping[str, str], secrets: Collection[str]) -> dict[str, list[str]]:
    """Where secrets stand, and the ends of those: the secrets themselves are not for a test's output either."""
    seen = {where: [f"...{one[-4:]}" for one in secrets if one in text] for where, text in written.items()}
    return {where: ends for where, ends in seen.items() if ends}


def artefacts(stack: Stack) -> dict[str, str]:
    """Of the deployed stack and of the local cloud; without what the item of a live container is for, its token.

    Dead letters are without ECS's overrides, which hold the token in ECS's own words.
    """
    cloud = stack.cloud
    written = {f"logs of {group}": "\n".join(logs.messages(cloud, group)) for group in logs.groups(cloud)}
    written |= {f"file {path}": path.read_text(errors="replace") for path in logs.files(cloud)}
    written["answers"] = "\n".join(stack.answers)
    written["items"] = "\n".join(_items(stack))
    written["metrics"] = "\n".join(_pages(stack, "cloudwatch", "list_metrics", "Metrics"))
    written["task definitions"] = "\n".join(_definitions(stack))
    written["parameters"] = "\n".join(_pages(stack, "ssm", "describe_parameters", "Parameters"))
    for queue in DEAD_LETTER_QUEUES:
        written[queue] = json.dumps([_without_overrides(letter) for letter in stack.queues.dead_letters(queue)])
    return written


def _items(stack: Stack) -> Iterator[str]:
    table = stack.cloud.outputs["ContainersTableName"]
    for page in stack.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            document = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
            if document.get("state") not in ENDS:
                document.pop("agent_token", None)
            yield json.dumps(document, default=str)


def _definitions(stack: Stack) -> Iterator[str]:
    for page in stack.ecs.get_paginator("list_task_definitions").paginate():
        for arn in page["taskDefinitionArns"]:
            yield json.dumps(stack.ecs.describe_task_definition(taskDefinition=arn), default=str)


def _pages(stack: Stack, service: str, operation: str, members: str) -> Iterator[str]:
    for page in stack.cloud.client(service).get_paginator(operation).paginate():
        yield from (json.dumps(one, default=str) for one in page[members])


def _without_overrides(letter: dict[str, Any]) -> dict[str, Any]:
    copy = deepcopy(letter)
    copy.get("requestPayload", {}).get("detail", {}).pop("overrides", None)
    return copy


def plant(stack: Stack, secret: str) -> set[str]:
    """Writes it wherever AWS takes a text. Where `artefacts` has to show it then."""
    cloud = stack.cloud
    group = logs.groups(cloud)[0]
    cloud.client("logs").create_log_stream(logGroupName=group, logStreamName="planted")
    line = {"timestamp": 1764000000000, "message": json.dumps({"planted": secret})}
    cloud.client("logs").put_log_events(logGroupName=group, logStreamName="planted", logEvents=[line])
    metric = {"MetricName": "Planted", "Value": 1, "Dimensions": [{"Name": "token", "Value": secret}]}
    cloud.client("cloudwatch").put_metric_data(Namespace="SockerlessReach", MetricData=[metric])
    stack.ecs.register_task_definition(
        family="sockerless-planted",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "main", "image": "planted", "environment": [{"name": "T", "value": secret}]}],
    )
    item = {"container_id": "planted", "state": "stopped", "agent_token": secret}
    cloud.client("dynamodb").put_item(
        TableName=cloud.outputs["ContainersTableName"], Item={name: {"S": value} for name, value in item.items()}
    )
    for queue in DEAD_LETTER_QUEUES:
        stack.queues.send(queue, {"planted": secret})
    file = cloud.layout.logs / "planted.log"
    file.write_text(secret)
    stack.answers.append(secret)
    return {f"logs of {group}", f"file {file}", "metrics", "task definitions", "items", "answers", *DEAD_LETTER_QUEUES}
