"""The error answers of the ECS API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from local.fargate.rules import Violation


class AwsError(Exception):
    """An error answer of the ECS API: `code` is the exception's name in the service model."""

    def __init__(self, code: str, message: str, *, status: int = 400, **members: Sequence[str]) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members

    def body(self) -> dict[str, Any]:
        return {"__type": self.code, "message": self.message, **self.members}


def refuse(code: str, violations: Iterable[Violation]) -> None:
    """Raises the first of these as `AwsError`, in ECS's own words where they are known; none of them is no error."""
    first = next(iter(violations), None)
    if first is not None:
        raise AwsError(code, first.refusal)


def throttled() -> AwsError:
    """The answer of every operation whose token bucket is empty."""
    return AwsError("ThrottlingException", "Rate exceeded")
