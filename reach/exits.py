"""The exit codes of the commands that work with a deployed stack, and the error that each one stands for."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from core.model.errors import CallFailed, ContainerNotFound, ReachError, WaitTimeout
from reach import FunctionRefused, NotFound, Refused, TimedOut, Unreachable


class Exit(IntEnum):
    """What a script reads. `AGENT` is of `exec` and `attach`, whose other codes are the command's, as with Docker."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CALL_FAILED = 4
    TIMEOUT = 124
    AGENT = 125
    INTERRUPTED = 130


_OF_ERRORS: Final[tuple[tuple[type[Exception], Exit], ...]] = (
    (NotFound, Exit.NOT_FOUND),
    (Unreachable, Exit.AGENT),
    (FunctionRefused, Exit.FAILED),
    (TimedOut, Exit.TIMEOUT),
    (Refused, Exit.USAGE),
    (ContainerNotFound, Exit.NOT_FOUND),
    (CallFailed, Exit.CALL_FAILED),
    (WaitTimeout, Exit.TIMEOUT),
    (ReachError, Exit.FAILED),
)
_GONE: Final = "check the stack (--stack, or the variables that .local/env exports), --region and --profile."
_NO_ANSWER: Final = (
    "check the network, the proxy (HTTPS_PROXY) and --region; and AWS_ENDPOINT_URL, where it is set. Then try again."
)
_NO_LAPTOP_CLOUD: Final = (
    "make up, then . .local/env; for AWS open a shell without .local/env: it sets AWS_ENDPOINT_URL."
)
_NOT_AWS: Final = (
    "check AWS_ENDPOINT_URL and the endpoint_url of the AWS configuration, the proxy (HTTPS_PROXY), and whether the "
    "network wants a login."
)
_LOOPBACK: Final = re.compile(r"endpoint URL: \"https?://(localhost|127\.[\d.]+|\[::1\])[:/\"]")


def code_of(error: Exception) -> int:
    """The exit code of an error that a command did not handle: the most specific one wins, 2 is of all others."""
    return next((code for kind, code in _OF_ERRORS if isinstance(error, kind)), Exit.USAGE)


def text_of(error: Exception) -> str:
    """What standard error shows: the error, and what to do."""
    remedy = remedy_of(error) if isinstance(error, CallFailed) else ""
    return f"{error}\nWhat to do: {remedy}" if remedy else str(error)


def remedy_of(failed: CallFailed) -> str:
    """Of its diagnosis, which is about tasks and functions; the operator's where it failed on the way from here."""
    if failed.code == "ResourceNotFoundException":
        return _GONE
    if failed.code == "NotAws":
        return _NOT_AWS
    from core.diagnosis.rows.request_rows import NO_ANSWER  # noqa: PLC0415 - brings all tables

    if NO_ANSWER.has_code(failed.code):
        return _NO_LAPTOP_CLOUD if _LOOPBACK.search(failed.message) else _NO_ANSWER
    return failed.remedy
