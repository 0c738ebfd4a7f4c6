"""botocore's exceptions -> `CallFailed`: the one place where AWS's error codes are read (architecture.md 4)."""

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
"""The call was not sent, so it cannot have taken effect."""


@contextmanager
def translated(operation: str, *, single: bool = False) -> Iterator[None]:
    """Raises `CallFailed` for every exception of botocore inside.

    `uncertain` is set without an answer and on a server error: the call may have taken effect. `single` says that the
    client makes one attempt. Then a call that was not sent certainly had no effect; a repeated one may have had it
    before.
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
