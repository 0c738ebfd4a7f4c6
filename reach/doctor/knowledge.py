"""A fact that is known, or not: why not, and which permission is lacking.

`Fact[T]` is what gathering hands to the checks. Its `value` raises `NotKnown` when AWS did not answer. So a check reads
as if all were known, and whoever runs it turns `NotKnown` into "could not check".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

T = TypeVar("T")
Document: TypeAlias = Mapping[str, Any]
"""A part of AWS's answer, as boto3 spells it."""


@dataclass(frozen=True, slots=True)
class NotAsked:
    """No answer. `permission`: the IAM action that is denied, None when the reason is another."""

    why: str
    permission: str | None = None

    @property
    def value(self) -> NoReturn:
        """Raises `NotKnown`."""
        raise NotKnown(self)


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """AWS's answer, or what follows from it."""

    value: T


Fact: TypeAlias = Known[T] | NotAsked


class NotKnown(Exception):
    """A check or a gatherer needs a fact that is not known."""

    def __init__(self, reason: NotAsked) -> None:
        super().__init__(reason.why)
        self.reason = reason


def fact(gather: Callable[[], T]) -> Fact[T]:
    """What `gather` returns, or why it is not known."""
    try:
        return Known(gather())
    except NotKnown as unknown:
        return unknown.reason
