"""The address of a task that runs, put into the table and sent to the queue."""

import json
import os
from datetime import UTC, datetime

import boto3

TABLE, QUEUE = os.environ["TABLE"], os.environ["QUEUE"]
dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")


def handler(event, _):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103 - as short as one writes it
    task = event["detail"]
    _, name, generation = task["startedBy"].split("/")
    details = {one["name"]: one["value"] for one in task["attachments"][0]["details"]}
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    item = {
        "container_id": {"S": name},
        "schema": {"N": "1"},
        "state": {"S": "eni-resolved"},
        "generation": {"N": generation},
        "revision": {"N": "2"},
        "task_version": {"N": "1"},
        "keep_alive": {"BOOL": False},
        "image": {"S": task["containers"][0]["image"]},
        "agent_address": {"S": details["privateIPv4Address"] + ":9111"},
        "created_at": {"S": task["createdAt"]},
        "updated_at": {"S": now},
        "timings": {"M": {"started": {"S": task["startedAt"]}, "resolved": {"S": now}}},
    }
    dynamodb.put_item(TableName=TABLE, Item=item)
    sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps(item))
