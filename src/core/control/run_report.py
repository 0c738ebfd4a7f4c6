"""What one run of a background job did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.model.errors import CallFailed, ReachError, RunStopped
from core.model.failure import Cause
from core.ports import Observer


@dataclass(slots=True)
class RunReport:
    """`counts` by name, `errors` by kind. `stopped` says why work was left for the next run, None if none was.

    It is `throttled`, `time`, `limit` (`core.control.rate_limit`) or `failed`: a call that the whole run needs.
    """

    observer: Observer = field(repr=False)
    counts: dict[str, float]
    errors: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None

    def failed(self, error: ReachError, kind: str | None = None) -> None:
        """The run goes on without what failed. By default the kind is the class of the error."""
        self.errors[kind or type(error).__name__] += 1
        self.observer.failed(error)

    @contextmanager
    def until_stopped(self) -> Iterator[None]:
        """Ends the run when the rate limit does, and with the first call that fails inside."""
        try:
            yield
        except RunStopped as stopped:
            self.stopped = stopped.why
        except CallFailed as error:
            self.failed(error)
            self.stopped = "throttled" if error.cause is Cause.THROTTLED else "failed"
