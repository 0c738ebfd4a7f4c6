"""Client tokens of RunTask: the same request again is the same tasks again.

A token is known per cluster, for 24 hours or until an hour after its last task stopped, whichever is sooner; a
request that was answered with failures is remembered with them, a request that was refused is not.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from local.fargate.api.errors import AwsError
from local.fargate.task import Task

_LONGEST: Final = timedelta(hours=24)
_AFTER_THE_LAST: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Launched:
    """The outcome of a request."""

    fingerprint: str
    at: datetime
    tasks: tuple[Task, ...]
    failures: tuple[dict[str, str], ...]

    def forgotten(self, now: datetime) -> bool:
        """Whether ECS would take the token for a new one."""
        stopped = [task.stopped_at for task in self.tasks]
        ended = max((instant for instant in stopped if instant is not None), default=None)
        over = ended is not None and None not in stopped and now - ended > _AFTER_THE_LAST
        return over or now - self.at > _LONGEST


class ClientTokens:
    """The tokens that are known, by cluster."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Launched] = {}

    def recall(self, cluster: str, request: dict[str, Any], now: datetime) -> Launched | None:
        """The outcome of the same request before. Raises `ConflictException` when it had other parameters."""
        key = (cluster, request.get("clientToken", ""))
        known = self._seen.get(key)
        if known is None or known.forgotten(now):
            return None
        if known.fingerprint != _fingerprint(request):
            raise AwsError(
                "ConflictException",
                "The request could not be processed due to conflicts. The provided clientToken is already in use "
                "with a different RunTask request.",
                resourceIds=[task.arn for task in known.tasks],
            )
        return known

    def remember(
        self, cluster: str, request: dict[str, Any], now: datetime, tasks: list[Task], failures: list[dict[str, str]]
    ) -> None:
        """Keeps the outcome of a request that has a token."""
        if token := request.get("clientToken"):
            self._seen[cluster, token] = Launched(_fingerprint(request), now, tuple(tasks), tuple(failures))


def _fingerprint(request: dict[str, Any]) -> str:
    text = json.dumps({key: value for key, value in request.items() if key != "clientToken"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
