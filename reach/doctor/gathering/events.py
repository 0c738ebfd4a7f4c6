"""The rule, its target, and the queues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from reach.doctor.asking import Aws
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Events, Given, Queue
from reach.doctor.knowledge import Document, NotAsked, NotKnown, fact
from reach.doctor.reads import FUNCTION_POLICY, METRIC, QUEUE, RULE, TARGETS

QUEUES: Final = ("TaskEventDeadLetterQueue", "ProbeDeadLetterQueue", "ProbeQueue")
"""By logical id."""
_WINDOW: Final = timedelta(minutes=15)
"""SQS may report a queue that was idle late (operations.md "Alarms")."""


def gather(aws: Aws, stack: Deployed, _: Given) -> Events:
    """Asks about the rule that the stack's output names, and about the queues by their logical ids."""
    rule = stack.outputs.get("TaskStateRuleName", "")
    function = stack.outputs.get("TaskStateFunctionArn", "")
    return Events(
        rule=fact(lambda: aws.ask(RULE, Name=rule) if rule else None),
        targets=fact(lambda: _targets(aws, rule)),
        policy=fact(lambda: aws.ask(FUNCTION_POLICY, FunctionName=function) if function else None),
        queues={name: fact(partial(_queue, aws, stack, name)) for name in QUEUES},
    )


def _targets(aws: Aws, rule: str) -> list[Document]:
    answer = aws.ask(TARGETS, Rule=rule) if rule else None
    return answer["Targets"] if answer else []


def _queue(aws: Aws, stack: Deployed, logical: str) -> Queue:
    url = stack.resources.value.get(logical)
    if url is None:
        raise NotKnown(NotAsked(f"the stack has no {logical}"))
    answer = aws.ask(QUEUE, QueueUrl=url, AttributeNames=["All"])
    return Queue(url, answer and answer["Attributes"], fact(lambda: _age(aws, url.rpartition("/")[2])))


def _age(aws: Aws, name: str) -> float | None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    points = aws.ask(
        METRIC,
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=now - _WINDOW,
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max(points, key=lambda one: one["Timestamp"])["Maximum"] if points else None
