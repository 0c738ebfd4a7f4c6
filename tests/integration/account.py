"""The stack in an account of moto's: what template.yaml would have made, and what ECS would have said and shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import md5
from typing import Any, Final

from core.adapters.dynamodb import DynamoStore
from core.model.instants import format_instant
from core.model.record import Record
from tests.contract.table import create_containers_table
from tests.factories import CONTAINER_ID, event
from tests.integration.functions import Function
from tests.moto_aws import REGION, client, task_of
from tests.template import Resolved, load_template

TEMPLATE: Final = load_template()
TABLE: Final = "containers"
LOG_GROUP: Final = "/tasks"
HOST: Final = "127.0.0.1"
"""Where the agents of tests listen: the address that every task gets, because moto's own lead nowhere."""

_SERVICES: Final = ("dynamodb", "ecs", "sqs", "ssm", "logs", "ec2")
_RUNNING: Final = event("task-running")["detail"]
_TASK_ID: Final = _RUNNING["taskArn"].rpartition("/")[2]
_ADDRESS: Final = "10.0.1.47"


class _Stack(Resolved):
    """The template in this account: what functions refer to is there under other names than its logical id."""

    def __init__(self, template: Mapping[str, Any], queue_url: str, **parameters: str) -> None:
        super().__init__(template, **{"AWS::Region": REGION, **parameters})
        self._made = {"ContainersTable": TABLE, "ProbeQueue": queue_url}

    def reference(self, name: str) -> str:
        return self._made.get(name) or super().reference(name)


class Account:
    """One stack with one cluster, and its functions."""

    def __init__(self, template: Mapping[str, Any] = TEMPLATE, **parameters: str) -> None:
        """`parameters` of the stack; those without which nothing can be started have values here."""
        self.dynamodb, self.ecs, self.sqs, self.ssm, self.logs, ec2 = map(client, _SERVICES)
        create_containers_table(self.dynamodb, TABLE)
        self._queue = self.sqs.create_queue(QueueName="probes")["QueueUrl"]
        self.cluster = self.ecs.create_cluster(clusterName="default")["cluster"]["clusterArn"]
        self.logs.create_log_group(logGroupName=LOG_GROUP)
        usual = {
            "TaskSubnets": ec2.describe_subnets()["Subnets"][0]["SubnetId"],
            "TaskSecurityGroups": ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"],
            "AgentImage": "agent:1",
            "ExecutionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "TaskLogGroup": LOG_GROUP,
            "AgentNetworks": f"{HOST}/32,10.0.0.0/8,2600:1f18:2c1e:5b00::/56",
        }
        stack = _Stack(template, self._queue, **{**usual, **parameters})
        self.port = stack.reference("AgentPort")
        self.store = DynamoStore(TABLE, self.dynamodb)
        self.start, self.stop, self.task_state, self.agent_health, self.reconcile = (
            Function(stack, template, f"{name}Function")
            for name in ("StartContainer", "StopContainer", "TaskState", "AgentHealth", "Reconcile")
        )

    def record(self, container_id: str = CONTAINER_ID) -> Record:
        """What the table says of a container."""
        record = self.store.load(container_id)
        assert record is not None
        return record

    def put(self, record: Record) -> None:
        """A record as an earlier function would have left it."""
        self.store.save(replace(record, revision=1))

    def falls_due(self, check_at: datetime, container_id: str = CONTAINER_ID) -> None:
        """As if the time of the reconciler's next look had come: nothing here waits for it."""
        self.dynamodb.update_item(
            TableName=TABLE,
            Key={"container_id": {"S": container_id}},
            UpdateExpression="SET check_at = :at",
            ExpressionAttributeValues={":at": {"S": format_instant(check_at)}},
        )

    def forgets(self, container_id: str) -> None:
        """As if the item had never been written, or its time to live were over."""
        self.dynamodb.delete_item(TableName=TABLE, Key={"container_id": {"S": container_id}})

    def started(self, **members: Any) -> str:
        """`events/start-container.json` is carried out, and ECS has come as far as RUNNING: the task's ARN."""
        answer = self.start({**event("start-container"), **members})
        assert "error" not in answer, answer
        self.shows(answer["task_arn"])
        return str(answer["task_arn"])

    def shows(self, task_arn: str, **members: Any) -> None:
        """What DescribeTasks shows from now on: a newer version, in which the task is at `HOST`."""
        task = task_of(task_arn)
        for name, value in {"version": task.version + 2, **members}.items():
            setattr(task, name, value)
        [interface] = task.attachments
        [address] = [one for one in interface["details"] if one["name"] == "privateIPv4Address"]
        address["value"] = HOST

    def told(self, name: str, task_arn: str) -> Any:
        """TaskStateFunction gets the file of `events/`, which is about this task now, at `HOST`."""
        return self.tells(event(name), task_arn)

    def tells(self, document: dict[str, Any], task_arn: str) -> Any:
        """The same with a document that was changed."""
        return self.task_state(_renamed(document, task_arn))

    def probes(self) -> dict[str, Any]:
        """What SQS would hand AgentHealthFunction now, in the shape of `events/agent-health.json`."""
        [shape] = event("agent-health")["Records"]
        messages = self.sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        return {
            "Records": [
                {
                    **shape,
                    "messageId": one["MessageId"],
                    "receiptHandle": one["ReceiptHandle"],
                    "body": one["Body"],
                    "md5OfBody": one["MD5OfBody"],
                }
                for one in messages
            ]
        }

    def probe_of(self, name: str) -> dict[str, Any]:
        """The file of `events/`, whose agent is at `HOST` and at the port of the stack."""
        document = event(name)
        for one in document["Records"]:
            one["body"] = one["body"].replace(f"{_ADDRESS}:9111", f"{HOST}:{self.port}")
            one["md5OfBody"] = md5(one["body"].encode(), usedforsecurity=False).hexdigest()
        return document


def _renamed(document: dict[str, Any], task_arn: str) -> dict[str, Any]:
    """A document of `events/` about this task, at `HOST`."""
    text = json.dumps(document)
    text = text.replace(_TASK_ID, task_arn.rpartition("/")[2]).replace(_ADDRESS, HOST)
    result: dict[str, Any] = json.loads(text)
    return result
