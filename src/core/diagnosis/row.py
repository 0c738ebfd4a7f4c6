"""The answers of a diagnosis, and the shape of a row in its tables."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import eq
from typing import Final

from core.model.failure import Cause

MAX_SEARCHED: Final = 2048
"""Characters of a text that are searched: ECS itself ends a container's reason at 1,024, and patterns stay fast."""


class Actor(StrEnum):
    """Who must act before the container can run. With `aws`, wait, and start it again."""

    USER = "user"
    OPERATOR = "operator"
    AWS = "aws"


class Place(StrEnum):
    """Where a text stood: the task's stoppedReason, or a text about one container.

    A text about a container is its `reason`, or the container runtime's complaint in its output
    (`core.control.perform`). `other` is a container that ECS added (GuardDuty's sidecar): its texts count last, and
    only when the start failed.
    """

    TASK = "task"
    MAIN = "main"
    INIT = "init"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a task stopped.

    `summary` is one line; `detail` holds ECS's own words and the runtime's, whole; `remedy` is never empty.
    `start_failed`: ECS or the runtime blames the start, so an exit code that is present is not the container's own
    (contract.md 2). `transient`: the same start may succeed later.
    """

    cause: Cause
    summary: str
    detail: str
    remedy: str
    transient: bool
    actor: Actor
    start_failed: bool


def never_ran(exit_code: int | None) -> bool:
    """Without an exit code, the container never ran or has not ended."""
    return exit_code is None


def failed(exit_code: int | None) -> bool:
    """The container ended with an error."""
    return exit_code not in {None, 0}


def exited(code: int) -> Callable[[int | None], bool]:
    """A predicate for this exit code."""
    return partial(eq, code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table: texts of one meaning, and why they are written. It is itself the diagnosis of a call.

    It matches if the code is one of `codes`, or `pattern` occurs in a text from `where`, by default from anywhere. A
    row with neither always matches. `main_exit` and `init_exit` must accept the containers' exit codes too.
    `codes` are stopCodes or classes of exceptions, with blanks between them. `pattern` is a regular expression that
    ignores case. It searches texts without names (`core.diagnosis.names`), and matches beginnings of words, because ECS
    cuts long texts.
    """

    remedy: str
    cause: Cause = Cause.UNKNOWN
    summary: str = ""
    codes: str = ""
    pattern: str = ""
    where: Place | None = None
    main_exit: Callable[[int | None], bool] | None = None
    init_exit: Callable[[int | None], bool] | None = None
    may_pass: bool = False
    actor: Actor = Actor.OPERATOR
    start_failed: bool = False

    @property
    def transient(self) -> bool:
        """The same start or call may succeed later. What AWS has to repair always may."""
        return self.may_pass or self.actor is Actor.AWS

    def has_code(self, code: str | None) -> bool:
        """Case does not matter."""
        return code is not None and code.casefold() in self.codes.casefold().split()

    def found_in(self, text: str) -> bool:
        """`re` compiles a pattern on first use and caches it, because most invocations diagnose nothing."""
        return bool(self.pattern and re.search(self.pattern, text, re.IGNORECASE))


start_row = partial(Row, start_failed=True)
"""A row for a text that ECS or the runtime writes only when the start failed."""


def status(codes: str) -> str:
    """A pattern for an HTTP status: it follows the word, with no other number in between."""
    return rf"(status|\bhttp|api error|server error)[^0-9]{{0,80}}?\b{codes}\b"


def one_line(text: str) -> str:
    """The text as it is searched and quoted: white space becomes one blank, because ECS wraps containerd's lines."""
    return " ".join(text[:MAX_SEARCHED].split())
