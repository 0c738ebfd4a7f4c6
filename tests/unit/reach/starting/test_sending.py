from __future__ import annotations

from typing import Any

import pytest

from core.client import ReachClient
from core.model.errors import CallFailed
from core.model.failure import ErrorCode
from core.model.record import Record
from reach import FunctionRefused
from reach.stack.functions import PAUSES
from reach.starting.request import Request, request_of
from reach.starting.sending import send
from tests.factories import CONTAINER_ID, at, pending
from tests.fakes import MemoryStore, SettableClock
from tests.records import exited, healthy

LOST = CallFailed("Invoke", "ReadTimeoutError", "no answer", uncertain=True)
THROTTLED = CallFailed("Invoke", "TooManyRequestsException", "rate exceeded", transient=True)
DENIED = CallFailed("Invoke", "AccessDeniedException", "not allowed")
RUNNING = FunctionRefused(ErrorCode.ALREADY_RUNNING, "it runs")
ANSWER = {"container_id": CONTAINER_ID}
OPTIONS: dict[str, Any] = {"image": "alpine", "cmd": ["true"]}
GIVEN = request_of(None, {**OPTIONS, "container_id": CONTAINER_ID})
FRESH = request_of(None, OPTIONS)


class Function:
    """Answers in this order; what is an exception is raised. `items`: the table."""

    def __init__(self, *answers: Exception | dict[str, Any], items: tuple[Record, ...] = ()) -> None:
        self.clock = SettableClock(at(0))
        self._store = MemoryStore(*items)
        self._answers = list(answers)
        self.sent: list[dict[str, Any]] = []

    @property
    def client(self) -> ReachClient:
        return ReachClient(self._store, self.clock)

    def start(self, document: dict[str, Any]) -> dict[str, Any]:
        self.sent.append(document)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_an_answer() -> None:
    """One send, no pause."""
    function = Function(ANSWER)
    assert send(function, GIVEN, function.clock) == ANSWER
    assert (function.sent, function.clock.now()) == ([{**GIVEN.document, "generation": 1}], at(0))


@pytest.mark.parametrize("failed", [LOST, THROTTLED], ids=lambda one: one.code)
def test_no_answer(failed: CallFailed) -> None:
    """The same request is sent again, after a pause: it is the same task, or what became of it."""
    function = Function(failed, failed, ANSWER)
    assert send(function, GIVEN, function.clock) == ANSWER
    assert function.sent == [{**GIVEN.document, "generation": 1}] * 3
    assert function.clock.now() == at(sum(PAUSES[:2]))


@pytest.mark.parametrize(
    ("request_", "items", "generation"),
    [
        (FRESH, (), 1),
        (GIVEN, (), 1),
        (GIVEN, (exited(generation=2),), 3),
        (GIVEN, (healthy(),), 2),
        (GIVEN, (pending(),), 1),
        (request_of(None, {**OPTIONS, "container_id": CONTAINER_ID, "generation": 7}), (exited(),), 7),
    ],
)
def test_the_generation(request_: Request, items: tuple[Record, ...], generation: int) -> None:
    """Each send names it: one above the item's, that of a start that died, or the one that the request names."""
    function = Function(LOST, ANSWER, items=items)
    send(function, request_, function.clock)
    assert [one["generation"] for one in function.sent] == [generation, generation]


def test_never_an_answer() -> None:
    """It ends, and says that the container may run."""
    function = Function(*[LOST] * 9)
    with pytest.raises(CallFailed, match="no answer") as failed:
        send(function, GIVEN, function.clock)
    assert failed.value.uncertain
    assert len(function.sent) == len(PAUSES) + 1


@pytest.mark.parametrize(("answers", "uncertain"), [([DENIED], False), ([LOST, DENIED], True)])
def test_a_call_that_is_refused(answers: list[Exception], uncertain: bool) -> None:
    """It is not repeated. The one before it may have started the container all the same."""
    function = Function(*answers)
    with pytest.raises(CallFailed, match="not allowed") as failed:
        send(function, GIVEN, function.clock)
    assert failed.value.uncertain is uncertain


@pytest.mark.parametrize("answers", [[RUNNING], [LOST, RUNNING]])
def test_a_container_that_ran_before(answers: list[Exception]) -> None:
    """It is another start's, whether an answer was lost or not."""
    function = Function(*answers, items=(healthy(),))
    with pytest.raises(FunctionRefused, match="it runs"):
        send(function, GIVEN, function.clock)


def test_a_refusal_after_a_lost_answer() -> None:
    """Any other one is what it says."""
    refused = FunctionRefused(ErrorCode.LAUNCH_FAILED, "no capacity")
    function = Function(LOST, refused)
    with pytest.raises(FunctionRefused, match="no capacity"):
        send(function, GIVEN, function.clock)
