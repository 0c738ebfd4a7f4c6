"""From ECS's event to the function: the rule, its target, the queues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from reach.doctor.deployed import Deployed
from reach.doctor.facts import Events, Queue
from reach.doctor.findings import Finding, ok, wrong
from reach.doctor.knowledge import NotAsked
from reach.showing.words import duration

_RULE: Final = "TaskStateRuleName"
_FUNCTION: Final = "TaskStateFunctionArn"
_LATE: Final = 300
"""Seconds after which a waiting probe is late, as ProbesWaitAlarm has it."""
_DEPLOY: Final = "sam deploy. If it says that there are no changes: console: CloudFormation, Detect drift"


def rule(stack: Deployed, events: Events) -> Iterator[Finding]:
    """The rule is there and enabled, and selects the events of this cluster's tasks of ours."""
    name, found = stack.outputs.get(_RULE), events.rule.value
    if found is None:
        yield wrong("There is no rule {rule}, so no event arrives.", _DEPLOY, rule=name)
        return
    if not found["State"].startswith("ENABLED"):
        yield wrong(
            "The rule {rule} is {state}, so no event arrives.",
            "aws events enable-rule --name {rule}",
            rule=name,
            state=found["State"],
        )
        return
    detail = json.loads(found.get("EventPattern", "{}")).get("detail", {})
    cluster = stack.arn("ecs", f"cluster/{stack.parameter('ClusterName')}")
    prefix = [{"prefix": f"{stack.parameter('StartedByPrefix')}/"}]
    if detail.get("clusterArn") != [cluster] or detail.get("startedBy") != prefix:
        yield wrong(
            "The rule {rule} selects {clusters} and {prefixes}, and not {cluster} and {prefix}.",
            _DEPLOY,
            rule=name,
            clusters=detail.get("clusterArn"),
            prefixes=detail.get("startedBy"),
            cluster=cluster,
            prefix=prefix,
        )
    else:
        yield ok("{rule}", rule=name)


def target(stack: Deployed, events: Events) -> Iterator[Finding]:
    """The rule's target is TaskStateFunction, with a dead-letter queue."""
    if events.rule.value is None:
        return
    name, function = stack.outputs.get(_RULE), stack.outputs.get(_FUNCTION)
    found = next((one for one in events.targets.value if one["Arn"] == function), None)
    if found is None:
        yield wrong(
            "{function} is no target of the rule {rule}, so no event arrives.", _DEPLOY, function=function, rule=name
        )
    elif "DeadLetterConfig" not in found:
        yield wrong(
            "The target of the rule {rule} has no dead-letter queue: what it misses is lost.", _DEPLOY, rule=name
        )
    else:
        yield ok("{function}", function=function)


def invocation(stack: Deployed, events: Events) -> Iterator[Finding]:
    """EventBridge may invoke TaskStateFunction for the rule."""
    name, function, found = stack.outputs.get(_RULE, ""), stack.outputs.get(_FUNCTION), events.policy.value
    statements = json.loads(found["Policy"])["Statement"] if found else []
    if any(_lets_rule_in(one, name) for one in statements):
        yield ok("{function}", function=function)
    else:
        yield wrong(
            "EventBridge may not invoke {function} for the rule {rule}, so no event arrives.",
            "aws lambda add-permission --function-name {function} --statement-id task-state --action "
            "lambda:InvokeFunction --principal events.amazonaws.com --source-arn "
            + stack.arn("events", f"rule/{name}"),
            function=function,
            rule=name,
        )


def dead_events(_: Deployed, events: Events) -> Iterator[Finding]:
    """The dead-letter queue of the events is there, takes EventBridge's, and is empty."""
    logical = "TaskEventDeadLetterQueue"
    queue = events.queues[logical].value
    if queue.attributes is None:
        yield _gone(logical, queue)
    elif "events.amazonaws.com" not in queue.attributes.get("Policy", ""):
        yield wrong("EventBridge may not send to {queue}: what it cannot deliver is lost.", _DEPLOY, queue=queue.url)
    else:
        yield _depth(
            queue,
            logical,
            "aws sqs receive-message --queue-url {queue}; invoke the function with it, or delete it "
            "(docs/operations.md, Dead-letter queues)",
        )


def dead_probes(_: Deployed, events: Events) -> Iterator[Finding]:
    """The dead-letter queue of the probes is there and empty."""
    logical = "ProbeDeadLetterQueue"
    queue = events.queues[logical].value
    if queue.attributes is None:
        yield _gone(logical, queue)
    else:
        mend = f"aws sqs start-message-move-task --source-arn {queue.attributes['QueueArn']}, or purge-queue"
        yield _depth(queue, logical, mend + " (read the log of AgentHealthFunction first)")


def probe_queue(_: Deployed, events: Events) -> Iterator[Finding]:
    """The probe queue is there, and hands what fails to its dead-letter queue."""
    queue = events.queues["ProbeQueue"].value
    if queue.attributes is None:
        yield _gone("ProbeQueue", queue)
    elif "RedrivePolicy" not in queue.attributes:
        yield wrong(
            "{queue} has no dead-letter queue: a probe that fails is tried for an hour.", _DEPLOY, queue=queue.url
        )
    else:
        yield ok("{count} waiting", count=int(queue.attributes["ApproximateNumberOfMessages"]))


def waiting_probes(stack: Deployed, events: Events) -> Iterator[Finding]:
    """No probe waits for more than five minutes."""
    queue = events.queues["ProbeQueue"].value
    if queue.attributes is None:
        return
    age = queue.age.value
    if age is None or age <= _LATE:
        yield ok("{age}", age="none" if age is None else duration(age))
    else:
        yield wrong(
            "A probe has waited for {age}: there are too few probers.",
            "sam deploy --parameter-overrides ProberMaximumConcurrency=... with more than "
            f"{stack.parameter('ProberMaximumConcurrency')} (docs/operations.md, Capacity)",
            age=duration(age),
        )


def _depth(queue: Queue, logical: str, mend: str) -> Finding:
    waiting = int((queue.attributes or {})["ApproximateNumberOfMessages"])
    if not waiting:
        return ok("{queue} is empty", queue=logical)
    age = queue.age.value if not isinstance(queue.age, NotAsked) else None
    oldest = f", the oldest for {duration(age)}" if age else ""
    return wrong(f"{{count}} waiting in {{queue}}{oldest}.", mend, count=waiting, queue=queue.url)


def _gone(logical: str, queue: Queue) -> Finding:
    return wrong("{name} is gone: {queue}.", _DEPLOY, name=logical, queue=queue.url)


def _lets_rule_in(statement: dict[str, Any], rule: str) -> bool:
    """Lambda spells the key `AWS:SourceArn`, whatever was asked for."""
    source = {key.lower(): value for key, value in statement.get("Condition", {}).get("ArnLike", {}).items()}
    service = statement.get("Principal", {}).get("Service")
    return (
        statement["Effect"] == "Allow"
        and service == "events.amazonaws.com"
        and str(source.get("aws:sourcearn", "")).endswith(f"/{rule}")
    )
