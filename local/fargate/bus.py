"""The default event bus of the local AWS, as EventBridge treats an event of its own service: match, then invoke.

PutEvents refuses the source `aws.ecs`, so this does what the bus would: it asks the bus for its rules, lets the bus
test each pattern, and invokes the targets asynchronously. Synchronous (boto3): called from worker threads.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError, HTTPClientError

log: Final = logging.getLogger("local.fargate")
_FRESH_SECONDS: Final = 1.0
_TRANSIENT_STATUS: Final = 500
_TRANSIENT_CODES: Final = frozenset({"ThrottlingException", "TooManyRequestsException"})


@dataclass(frozen=True, slots=True)
class Rule:
    """An enabled rule with a pattern, and the ARNs of its Lambda targets."""

    name: str
    pattern: str
    functions: tuple[str, ...]


class Bus(Protocol):
    """Where events go."""

    def send(self, event: dict[str, Any]) -> list[str]:
        """Invokes every target whose rule matches: their ARNs. Raises `DeliveryFailed`."""


class DeliveryFailed(Exception):
    """A call was refused, or failed at every attempt."""


class NoBus:
    """For a server without an AWS endpoint: events are only recorded."""

    def send(self, event: dict[str, Any]) -> list[str]:  # noqa: ARG002 - the protocol's signature
        """Nobody listens."""
        return []


class EventBus:
    """The bus at an AWS endpoint. `sleep` takes seconds; `session` is a boto3 Session."""

    def __init__(
        self,
        session: Any,
        endpoint: str,
        *,
        attempts: int = 5,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events = session.client("events", endpoint_url=endpoint)
        self._lambda = session.client("lambda", endpoint_url=endpoint)
        self._attempts = attempts
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._rules: tuple[Rule, ...] = ()
        self._fresh_until = -1.0

    def send(self, event: dict[str, Any]) -> list[str]:
        """Each call is retried on its own, so that no target is invoked again for the sake of another."""
        text = json.dumps(event, separators=(",", ":"))
        invoked: list[str] = []
        for rule in self._current_rules():
            matched = self._patiently(self._events.test_event_pattern, EventPattern=rule.pattern, Event=text)
            for function in rule.functions if matched["Result"] else ():
                self._patiently(self._lambda.invoke, FunctionName=function, InvocationType="Event", Payload=text)
                invoked.append(function)
        return invoked

    def _current_rules(self) -> tuple[Rule, ...]:
        with self._lock:
            if self._clock() >= self._fresh_until:
                self._rules = self._patiently(self._load_rules)
                self._fresh_until = self._clock() + _FRESH_SECONDS
            return self._rules

    def _load_rules(self) -> tuple[Rule, ...]:
        pages = self._events.get_paginator("list_rules").paginate()
        return tuple(
            Rule(rule["Name"], rule["EventPattern"], self._functions(rule["Name"]))
            for page in pages
            for rule in page["Rules"]
            if rule.get("State", "ENABLED").startswith("ENABLED") and rule.get("EventPattern")
        )

    def _functions(self, rule: str) -> tuple[str, ...]:
        arns = [target["Arn"] for target in self._events.list_targets_by_rule(Rule=rule)["Targets"]]
        for arn in arns:
            if ":lambda:" not in arn:
                log.warning("rule %s: its target %s is no Lambda function and gets nothing", rule, arn)
        return tuple(arn for arn in arns if ":lambda:" in arn)

    def _patiently(self, call: Callable[..., Any], **parameters: str) -> Any:
        """Repeats a call that may succeed later, with doubling pauses. Raises `DeliveryFailed`."""
        for attempt in range(1, self._attempts + 1):
            try:
                return call(**parameters)
            except (HTTPClientError, ClientError) as exc:
                if attempt == self._attempts or not _transient(exc):
                    raise DeliveryFailed(f"{type(exc).__name__}: {exc}") from exc
                self._sleep(0.1 * 2**attempt)
        raise AssertionError("the loop above returns or raises")


def _transient(error: HTTPClientError | ClientError) -> bool:
    if isinstance(error, HTTPClientError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= _TRANSIENT_STATUS or error.response["Error"]["Code"] in _TRANSIENT_CODES
