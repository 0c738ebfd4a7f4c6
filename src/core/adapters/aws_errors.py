"""botocore's exceptions -> `CallFailed`: the one place where AWS's error codes are read (architecture.md 4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)

from core.diagnosis import diagnose_call
from core.model.errors import CallFailed

_SERVER_ERROR: Final = HTTPStatus.INTERNAL_SERVER_ERROR
_NEVER_SENT: Final = (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)
"""No connection was made, or nothing was asked: such a call cannot have taken effect."""


@contextmanager
def translated(operation: str, *, single: bool = False) -> Iterator[None]:
    """Raises `CallFailed` for whatever botocore raises inside.

    `uncertain` is set when no answer came, or a server error: the call may have taken effect all the same. `single`
    says that the client makes one attempt: then a call that was never sent has certainly had no effect, while one that
    the SDK repeated may have had it before.
    """
    try:
        yield
    except ClientError as exc:
        error = exc.response.get("Error", {})
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code, message = error.get("Code", "Unknown"), error.get("Message", "")
        raise _failed(operation, code, message, uncertain=status >= _SERVER_ERROR, status=status) from exc
    except BotoCoreError as exc:
        certain = single and isinstance(exc, _NEVER_SENT)
        unreached = isinstance(exc, ConnectTimeoutError | EndpointConnectionError)
        raise _failed(operation, type(exc).__name__, str(exc), uncertain=not certain, unreached=unreached) from exc


def _failed(  # noqa: PLR0913 - what is known of a failed call, one argument each
    operation: str, code: str, message: str, *, uncertain: bool, unreached: bool = False, status: int = 0
) -> CallFailed:
    diagnosis = diagnose_call(code, message, status)
    return CallFailed(
        operation,
        code,
        message,
        cause=diagnosis.cause,
        remedy=diagnosis.remedy,
        transient=diagnosis.transient,
        uncertain=uncertain,
        unreached=unreached,
    )
