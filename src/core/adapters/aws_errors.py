"""botocore's exceptions -> `CallFailed`: the one place where AWS's error codes are read (architecture.md 4)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from botocore import exceptions

from core.diagnosis import Row, diagnose_call
from core.model.errors import CallFailed, DefinitionGone

_UNREACHED: Final = (exceptions.ConnectTimeoutError, exceptions.EndpointConnectionError)
_NEVER_SENT: Final = (
    *_UNREACHED,
    exceptions.NoCredentialsError,
    exceptions.ParamValidationError,
    exceptions.ProxyConnectionError,
)
"""The call was not sent, so it cannot have taken effect."""
_REFUSALS: Final = frozenset({"ClientException", "InvalidParameterException"})
"""ECS has used both for RunTask with the texts of `_GONE`."""
_GONE: Final = re.compile(
    r"task ?definition (is inactive|not found|does not exist)|unable to describe task ?definition|delete_in_progress",
    re.IGNORECASE,
)


@contextmanager
def translated(operation: str, *, single: bool = False) -> Iterator[None]:
    """Raises `CallFailed` for every exception of botocore inside.

    `uncertain` is set without an answer and on a server error: the call may have taken effect. `single` says that the
    client makes one attempt. Then a call that was not sent certainly had no effect; a repeated one may have had it
    before.
    """
    try:
        yield
    except exceptions.ClientError as exc:
        error = exc.response.get("Error", {})
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code, message = error.get("Code", "Unknown"), error.get("Message", "")
        uncertain = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        raise failed_call(operation, code, message, diagnose_call(code, message, status), uncertain=uncertain) from exc
    except exceptions.BotoCoreError as exc:
        code, message = type(exc).__name__, str(exc)
        uncertain = not (single and isinstance(exc, _NEVER_SENT))
        unreached, diagnosis = isinstance(exc, _UNREACHED), diagnose_call(code, message)
        raise failed_call(operation, code, message, diagnosis, uncertain=uncertain, unreached=unreached) from exc


def failed_call(  # noqa: PLR0913 - what is known of a failed call, one argument each
    operation: str, code: str, message: str, diagnosis: Row, *, uncertain: bool, unreached: bool = False
) -> CallFailed:
    """The error of a call: `DefinitionGone` where RunTask found no task definition."""
    gone = operation == "RunTask" and code in _REFUSALS and _GONE.search(message)
    kind = DefinitionGone if gone else CallFailed
    return kind(
        operation,
        code,
        message,
        cause=diagnosis.cause,
        remedy=diagnosis.remedy,
        transient=diagnosis.transient,
        uncertain=uncertain,
        unreached=unreached,
    )
