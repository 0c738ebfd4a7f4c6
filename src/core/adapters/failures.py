"""botocore's exceptions -> `CallFailed`: the one place where AWS's error codes are read (house style, habit 8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from core.diagnosis import diagnose_call
from core.errors import CallFailed

_SERVER_ERROR: Final = HTTPStatus.INTERNAL_SERVER_ERROR


@contextmanager
def translated(operation: str, *, once: bool = False) -> Iterator[None]:
    """Raises `CallFailed` for whatever botocore raises inside.

    `uncertain` is set when no answer came, or a server error: the call may have taken effect all the same. With
    `once`, for a call that must not take effect twice, also when the SDK repeated it: the first try may have.
    """
    try:
        yield
    except ClientError as exc:
        error = exc.response.get("Error", {})
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code, message = error.get("Code", "Unknown"), error.get("Message", "")
        repeated = once and exc.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
        raise _failed(operation, code, message, uncertain=repeated or status >= _SERVER_ERROR, status=status) from exc
    except BotoCoreError as exc:
        raise _failed(operation, type(exc).__name__, str(exc), uncertain=True) from exc


def _failed(operation: str, code: str, message: str, *, uncertain: bool, status: int = 0) -> CallFailed:
    diagnosis = diagnose_call(code, message, status)
    return CallFailed(
        operation,
        code,
        message,
        cause=diagnosis.cause,
        remedy=diagnosis.remedy,
        transient=diagnosis.transient,
        uncertain=uncertain,
    )
