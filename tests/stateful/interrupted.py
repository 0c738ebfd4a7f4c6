"""Ports whose next call of a kind goes wrong, or waits while another invocation runs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from tests.exploration.faults import Fault, error_of

OPERATIONS: Final = {
    "load": "GetItem",
    "load_many": "BatchGetItem",
    "save": "PutItem",
    "run": "RunTask",
    "stop": "StopTask",
    "describe": "DescribeTasks",
    "find": "ListTasks",
    "send": "SendMessage",
    "put": "PutParameter",
    "erase": "DeleteParameter",
}
"""The methods of the ports that may go wrong."""


class Died(BaseException):
    """The invocation ends here. No `except Exception` may catch it."""


class Way(StrEnum):
    """What becomes of a call."""

    THROTTLED = "is throttled"
    LOST_BEFORE = "gets no answer, and has no effect"
    LOST_AFTER = "takes effect, and gets no answer"
    REPEATED = "is repeated by the SDK"
    DIES_BEFORE = "is not made: the invocation dies"
    DIES_AFTER = "is the invocation's last"


_FAULTS: Final = {
    Way.THROTTLED: Fault.THROTTLED,
    Way.LOST_BEFORE: Fault.LOST_BEFORE,
    Way.LOST_AFTER: Fault.LOST_AFTER,
}

Meanwhile = Callable[[], None]


class Interruptions:
    """What the next calls meet, by method: each once, in the order in which it was set."""

    def __init__(self) -> None:
        self._next: dict[str, list[Way | Meanwhile]] = {}

    def set(self, method: str, what: Way | Meanwhile) -> None:
        """The next call of that method meets this."""
        self._next.setdefault(method, []).append(what)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._next.clear()

    def call(self, method: str, effect: Callable[[], Any]) -> Any:
        """One call."""
        waiting = self._next.get(method)
        what = waiting.pop(0) if waiting else None
        if what is None:
            return effect()
        if not isinstance(what, Way):
            what()
            return effect()
        if what in {Way.THROTTLED, Way.LOST_BEFORE}:
            raise error_of(_FAULTS[what], OPERATIONS[method])
        if what is Way.DIES_BEFORE:
            raise Died
        effect()
        if what is Way.REPEATED:
            return effect()
        if what is Way.DIES_AFTER:
            raise Died
        raise error_of(_FAULTS[what], OPERATIONS[method])


class Interrupted:
    """A port that is reached through them."""

    def __init__(self, port: Any, interruptions: Interruptions) -> None:
        self._port, self._interruptions = port, interruptions

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name not in OPERATIONS:
            return method
        return lambda *given, **named: self._interruptions.call(name, lambda: method(*given, **named))
