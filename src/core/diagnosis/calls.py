"""Diagnoses a refused call: by AWS's text first, by the class of the exception last."""

from collections.abc import Iterable, Sequence

from core.diagnosis.names import without_names
from core.diagnosis.order import CALLS, RUN_FAILURES
from core.diagnosis.row import Row, one_line


def diagnose_call(code: str, message: str, status: int = 0) -> Row:
    """Why a call failed. `code` is AWS's error code or the class name of botocore's exception. Never raises.

    A code may carry the service's prefix (`com.amazonaws.ecs#ClientException`) or a URL behind a colon. `status` is the
    answer's HTTP status, 0 without an answer: it tells AWS's failures from the caller's where no row knows the code.
    """
    return _first(CALLS, (code.rpartition("#")[2].partition(":")[0].strip(), str(status)), message)


def diagnose_run_failure(reason: str, detail: str | None) -> Row:
    """Why RunTask answered with `failures` instead of a task: `failures[].reason` and `.detail`. Never raises."""
    return _first(RUN_FAILURES, (reason.strip(),), f"{reason} {detail or ''}")


def _first(rows: Iterable[Row], codes: Sequence[str], message: str) -> Row:
    """The last row of each table always matches."""
    words = without_names(one_line(message))
    return next(
        row for row in rows if any(map(row.has_code, codes)) or row.found_in(words) or not (row.codes or row.pattern)
    )
