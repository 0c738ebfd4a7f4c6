"""The default event bus of the local AWS, as EventBridge treats an event of an AWS service: match, then invoke.

PutEvents refuses the source `aws.ecs`, so this does the bus's part: it lists the rules, has EventBridge test each
pattern, and invokes the targets asynchronously. Synchronous (boto3): called from worker threads.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError, HTTPClientError

from local.fargate.resources import Clients

log: Final = logging.getLogger("local.fargate")
_ATTEMPTS: Final = 5
_FRESH_SECONDS: Final = 1.0
_TRANSIENT_STATUS: Final = 500
_TRANSIENT_CODES: Final = frozenset({"ThrottlingException", "TooManyRequestsException"})


class Rule(NamedTuple):
    """An enabled rule with a pattern, and the ARNs of its Lambda targets."""

    pattern: str
    functions: tuple[str, ...]


class DeliveryFailed(Exception):
    """A call was refused, or failed at every attempt."""


class EventBus:
    """Sends events to the targets of the rules that match, which it reads at most once a second."""

    def __init__(self, clients: Clients) -> None:
        self._events = clients("events")
        self._lambda = clients("lambda")
        self._lock = threading.Lock()
        self._rules: tuple[Rule, ...] = ()
        self._fresh_until = -1.0

    def send(self, event: dict[str, Any]) -> list[str]:
        """Invokes every target of each rule that matches: their ARNs. Raises `DeliveryFailed`.

        Each call is retried by itself, so that no target is invoked again because another failed.
        """
        text = json.dumps(event, separators=(",", ":"))
        invoked: list[str] = []
        for rule in self._current_rules():
            matched = _retried(self._events.test_event_pattern, EventPattern=rule.pattern, Event=text)
            for function in rule.functions if matched["Result"] else ():
                _retried(self._lambda.invoke, FunctionName=function, InvocationType="Event", Payload=text)
                invoked.append(function)
        return invoked

    def _current_rules(self) -> tuple[Rule, ...]:
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                self._rules = _retried(self._load_rules)
                self._fresh_until = time.monotonic() + _FRESH_SECONDS
            return self._rules

    def _load_rules(self) -> tuple[Rule, ...]:
        pages = self._events.get_paginator("list_rules").paginate()
        return tuple(
            Rule(rule["EventPattern"], self._functions(rule["Name"]))
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


def _retried(call: Callable[..., Any], **parameters: str) -> Any:
    """Repeats a call that may succeed later, with doubling pauses. Raises `DeliveryFailed`."""
    attempt = 1
    while True:
        try:
            return call(**parameters)
        except (HTTPClientError, ClientError) as exc:
            if attempt == _ATTEMPTS or not _transient(exc):
                raise DeliveryFailed(f"{type(exc).__name__}: {exc}") from exc
        time.sleep(0.1 * 2**attempt)
        attempt += 1


def _transient(error: HTTPClientError | ClientError) -> bool:
    if isinstance(error, HTTPClientError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= _TRANSIENT_STATUS or error.response["Error"]["Code"] in _TRANSIENT_CODES
