"""The ways in which one AWS call fails, as a client of AWS sees them. Pure data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final

LAMBDA_ATTEMPTS: Final = 3
"""Of an asynchronous invocation: the first, and MaximumRetryAttempts of TaskStateFunction."""
SETTLE_ATTEMPTS: Final = 8
"""`core.control.settle.ATTEMPTS`: with so many conflicts in a row the function gives up."""


class Kind(StrEnum):
    """What becomes of a request."""

    THROTTLED = "throttled"
    FAILED = "failed"
    """Status 500, and nothing was done."""
    DENIED = "denied"
    UNSENT = "unsent"
    """The connection is closed before the request takes effect."""
    UNANSWERED = "unanswered"
    """It takes effect, and the connection is closed instead of an answer."""
    CONFLICT = "conflict"
    """Another writer came first, so the condition of a write does not hold."""


@dataclass(frozen=True, slots=True)
class Way:
    """`attempts`: how many attempts of a call are met, None for all that the SDK makes. `calls`: how many in a row."""

    name: str
    kind: Kind
    attempts: int | None = None
    calls: int = 1


WAYS: Final = (
    *(Way(str(kind), kind) for kind in Kind),
    Way("conflict until given up", Kind.CONFLICT, calls=SETTLE_ATTEMPTS),
    Way("denied until given up", Kind.DENIED, calls=LAMBDA_ATTEMPTS),
)
ONCE: Final = tuple(
    Way(f"{kind} once", kind, attempts=1) for kind in (Kind.THROTTLED, Kind.FAILED, Kind.UNSENT, Kind.UNANSWERED)
)
"""For calls that the SDK makes again: the next attempt succeeds."""


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One call of a function, as its first request shows it. `ordinal`: of this operation, for the same container."""

    function: str
    operation: str
    """`dynamodb:PutItem`."""
    ordinal: int
    conditional: bool
    """A write with a condition."""

    @property
    def action(self) -> tuple[str, str]:
        """The function, and what it does."""
        return self.function, self.operation

    def fails(self, way: Way) -> bool:
        """Whether it can fail in this way."""
        if way.kind is Kind.CONFLICT:
            return self.conditional
        # Lambda repeats this function alone, and gives up.
        return way.kind is not Kind.DENIED or way.calls == 1 or self.function == "TaskState"


_CODES: Final = {
    Kind.THROTTLED: (HTTPStatus.BAD_REQUEST, "ThrottlingException", "Rate exceeded"),
    Kind.DENIED: (HTTPStatus.BAD_REQUEST, "AccessDeniedException", "User is not authorized to perform this action"),
    Kind.CONFLICT: (HTTPStatus.BAD_REQUEST, "ConditionalCheckFailedException", "The conditional request failed"),
    Kind.FAILED: (HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError", "The service failed"),
}
_CODES_OF: Final = {
    ("dynamodb", Kind.THROTTLED): "ProvisionedThroughputExceededException",
    ("sqs", Kind.THROTTLED): "RequestThrottled",
    ("ecs", Kind.FAILED): "ServerException",
    ("sqs", Kind.FAILED): "InternalFailure",
    ("logs", Kind.FAILED): "ServiceUnavailableException",
}


def answer(service: str, kind: Kind) -> tuple[HTTPStatus, bytes]:
    """The service's error: status, and body of the JSON protocols."""
    status, code, message = _CODES[kind]
    code = _CODES_OF.get((service, kind), code)
    return status, json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": message}).encode()
