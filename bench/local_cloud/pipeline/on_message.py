"""GET /health of an agent until it answers, then its address put into the table as one that answers."""

import http.client
import json
import os
import time
from datetime import UTC, datetime

import boto3

TABLE = os.environ["TABLE"]
FIRST, PACE, LONGEST = 0.05, 0.1, 1.0  # the prober's pauses (core.probe.prober)
dynamodb = boto3.client("dynamodb")


def handler(event, _):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103 - as short as one writes it
    for record in event["Records"]:
        item = json.loads(record["body"])
        began = time.monotonic()
        while not answers(item["agent_address"]["S"]):
            time.sleep(min(max(FIRST, PACE * (time.monotonic() - began)), LONGEST))
        now = {"S": datetime.now(UTC).isoformat(timespec="milliseconds")}
        timings = {"M": {**item["timings"]["M"], "healthy": now}}
        healthy = {"state": {"S": "agent-healthy"}, "revision": {"N": "3"}, "agent_token": {"S": "0" * 64}}
        dynamodb.put_item(TableName=TABLE, Item={**item, **healthy, "updated_at": now, "timings": timings})


def answers(address: str) -> bool:  # noqa: D103 - as above
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
