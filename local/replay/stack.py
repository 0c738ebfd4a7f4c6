"""Recorded events into the deployed stack, as the bus brings them: the rule is asked, then the function invoked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from core.adapters.dynamodb import DynamoStore
from core.machine.next_actions import next_actions
from core.machine.task_documents import NotOurs, observe_event
from core.model.errors import MalformedEvent
from core.model.facts import TaskObserved
from core.model.policy import Policy
from core.model.record import Record
from core.ports import RevisionConflict, Store
from local.cloud.clients import aws_client
from local.replay.offline import UNKNOWN, instant_of, pending
from local.replay.reading import Found
from local.replay.step import Outcome, Step, described, differences, new_transitions, task_of

_ENDPOINT: Final = "AWS_ENDPOINT_URL"


@dataclass(frozen=True, slots=True)
class Rule:
    """The stack's rule: what it is called, what it matches, and whose tasks of which cluster that are."""

    name: str
    pattern: str
    prefix: str
    cluster_arn: str


@dataclass(slots=True, kw_only=True)
class Deployed:
    """Invokes TaskStateFunction, and reads the item before and after. `events` and `functions` are boto3's clients.

    Without `wait` it is invoked as the bus does, and nothing is known of the answer. With `create` a container that
    has no item gets a `pending` one first.
    """

    rule: Rule
    function: str
    events: Any
    functions: Any
    store: Store
    wait: bool = True
    create: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    policy: Policy = field(default_factory=Policy)
    _ids: dict[str, None] = field(default_factory=dict, init=False)

    def records(self) -> Mapping[str, Record]:
        """By container id, as they are now."""
        loaded = {container_id: self.store.load(container_id) for container_id in self._ids}
        return {container_id: record for container_id, record in loaded.items() if record is not None}

    def feed(self, found: Found) -> Step:
        """What the stack makes of this event. Raises `ClientError` when the stack refuses to be asked."""
        seen: dict[str, Any] = {"origin": found.origin, "task": task_of(found.document)}
        if found.problem is not None:
            return Step(**seen, outcome=Outcome.MALFORMED, why=found.problem)
        text = json.dumps(found.document, separators=(",", ":"))
        try:
            matched = self.events.test_event_pattern(EventPattern=self.rule.pattern, Event=text)["Result"]
        except ClientError as error:
            return Step(**seen, outcome=Outcome.MALFORMED, why=f"The bus does not take it: {error}")
        if not matched:
            return Step(**seen, outcome=Outcome.WITHHELD, why=f"the rule {self.rule.name} does not match it")
        fact = self._fact(found.document)
        if fact is not None:
            seen |= {**fact.ref._asdict(), "at": fact.at}
            self._ids[fact.ref.container_id] = None
            if self.create:
                self._ensure(fact)
        return self._invoke(text, seen)

    def _fact(self, event: Any) -> TaskObserved | None:
        try:
            fact = observe_event(event, prefix=self.rule.prefix, at=UNKNOWN)
        except MalformedEvent:
            return None  # the function says so itself
        return None if isinstance(fact, NotOurs) else instant_of(fact, event)

    def _ensure(self, fact: TaskObserved) -> None:
        """The item is as young as the replay: the reconciler would end one that has been pending since the capture."""
        if self.store.load(fact.ref.container_id) is None:
            begun = replace(fact, at=self.clock(), created_at=None)
            try:
                self.store.save(pending(begun, self.policy))
            except RevisionConflict:
                return  # it has one by now

    def _invoke(self, text: str, seen: Mapping[str, Any]) -> Step:
        container_id = seen.get("container_id")
        if not self.wait:
            self.functions.invoke(FunctionName=self.function, InvocationType="Event", Payload=text)
            return Step(**seen, outcome=Outcome.SENT)
        before = self.store.load(container_id) if container_id else None
        answer = self.functions.invoke(FunctionName=self.function, Payload=text)
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            outcome = Outcome.MALFORMED if payload.get("errorType") == MalformedEvent.__name__ else Outcome.FAILED
            return Step(**seen, outcome=outcome, why=f"{payload.get('errorType')}: {payload.get('errorMessage')}")
        after = self.store.load(container_id) if container_id else None
        if payload.get("ignored") is not None or before is None or after is None:
            state = after.state.value if after else None
            return Step(**seen, outcome=Outcome.IGNORED, state=state, why=payload.get("ignored"))
        return self._changed(before, after, seen)

    def _changed(self, before: Record, after: Record, seen: Mapping[str, Any]) -> Step:
        """Others write too: a prober that answered in between is in the same step."""
        transitions = new_transitions(before, after)
        return Step(
            **seen,
            outcome=Outcome.MOVED if transitions else Outcome.LEARNT,
            state=after.state.value,
            transitions=transitions,
            changes=differences(before, after),
            owed=tuple(described(action) for action in next_actions(after, self.policy)),
        )


def deployed(values: Mapping[str, str], *, wait: bool, create: bool) -> Deployed:
    """The stack that `.local/env` describes. Raises `KeyError` for a value that it lacks, and what boto3 raises."""
    endpoint = values[_ENDPOINT]
    events = aws_client("events", endpoint)
    rule = events.describe_rule(Name=values["TASK_STATE_RULE_NAME"])
    return Deployed(
        rule=read_rule(rule["Name"], rule["EventPattern"]),
        function=values["TASK_STATE_FUNCTION_ARN"],
        events=events,
        functions=aws_client("lambda", endpoint),
        store=DynamoStore(values["CONTAINERS_TABLE_NAME"], aws_client("dynamodb", endpoint)),
        wait=wait,
        create=create,
    )


def read_rule(name: str, pattern: str) -> Rule:
    """The rule of template.yaml, from its pattern. Raises `KeyError` or `IndexError` for another one."""
    detail = json.loads(pattern)["detail"]
    return Rule(name, pattern, detail["startedBy"][0]["prefix"].rstrip("/"), detail["clusterArn"][0])
