"""The exit codes of the commands that work with a deployed stack, and the error that each one stands for."""

from __future__ import annotations

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


def code_of(error: Exception) -> int:
    """The exit code of an error that a command did not handle: the most specific one wins, 2 is of all others."""
    return next((code for kind, code in _OF_ERRORS if isinstance(error, kind)), Exit.USAGE)


def text_of(error: Exception) -> str:
    """What standard error shows: the error, and what to do. A failed call of AWS brings its diagnosis' remedy.

    Not where AWS does not know the table or the function: the diagnosis is about tasks.
    """
    if not isinstance(error, CallFailed):
        return str(error)
    remedy = _GONE if error.code == "ResourceNotFoundException" else error.remedy
    return f"{error}\nWhat to do: {remedy}" if remedy else str(error)
