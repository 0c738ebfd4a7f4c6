"""The operators' command: containers of a deployed stack, their events and their agents."""

__version__ = "0.1.0"


class Refused(Exception):
    """The command did nothing. The message says why, and what to do."""


class NotFound(Refused):
    """What the command names is not there: no such container, no such stack."""


class FunctionRefused(Refused):
    """A function's answer was a refusal. `code` is that of its `error` (contract.md 4)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TimedOut(Refused):
    """What the command waited for did not come in time."""


class Unreachable(Refused):
    """The agent did not run the command: the container has none that answers, or it refused."""
