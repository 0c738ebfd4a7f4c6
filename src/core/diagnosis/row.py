"""The answers of a diagnosis, and the shape of a row in its tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from core.model.failure import Cause

MAX_SEARCHED: Final = 2048
"""Characters of a text that are searched: ECS itself ends a container's reason at 1,024, and patterns stay fast."""


class Actor(StrEnum):
    """Who must act before the container can run. With `aws`, waiting and starting again is all there is to do."""

    USER = "user"
    OPERATOR = "operator"
    AWS = "aws"


class Place(StrEnum):
    """Where a text stood: the task's stoppedReason, or a text about one container.

    A text about a container is its `reason`, or the container runtime's complaint in its output
    (`core.control.perform`).
    """

    TASK = "task"
    MAIN = "main"
    INIT = "init"
    OTHER = "other"
    """A container that ECS added (GuardDuty's sidecar). Its texts count last, and only when the start failed."""


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


@dataclass(frozen=True, slots=True)
class CallDiagnosis:
    """Why AWS refused a call. `transient`: the same call may succeed later."""

    cause: Cause
    remedy: str
    transient: bool
    actor: Actor


def never_ran(exit_code: int | None) -> bool:
    """Without an exit code, the container never ran or has not ended."""
    return exit_code is None


def failed(exit_code: int | None) -> bool:
    """The container ended with an error."""
    return exit_code not in {None, 0}


def exited(*codes: int) -> Callable[[int | None], bool]:
    """A predicate for these exit codes."""
    return frozenset[int | None](codes).__contains__


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table.

    It matches if the code is in `codes` or a pattern occurs in a text from `where`. A row with neither always matches.
    `main_exit` and `init_exit` must accept the containers' exit codes too.
    A code is a stopCode or the class of an exception. Patterns are regular expressions that ignore case. They search
    texts without names (`core.diagnosis.names`), and match beginnings of words, because ECS cuts long texts.
    """

    remedy: str
    cause: Cause = Cause.UNKNOWN
    summary: str = ""
    codes: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    where: tuple[Place, ...] = tuple(Place)
    main_exit: Callable[[int | None], bool] | None = None
    init_exit: Callable[[int | None], bool] | None = None
    transient: bool = False
    actor: Actor = Actor.OPERATOR
    start_failed: bool = False

    def has_code(self, code: str | None) -> bool:
        """Case does not matter."""
        return code is not None and code.casefold() in {known.casefold() for known in self.codes}

    def found_in(self, text: str) -> bool:
        """`re` compiles a pattern on first use and caches it, because most invocations diagnose nothing."""
        return any(re.search(pattern, text, re.IGNORECASE) for pattern in self.patterns)


start_row = partial(Row, start_failed=True)
"""A row for a text that ECS or the runtime writes only when the start failed."""


def status(codes: str) -> str:
    """A pattern for an HTTP status: it follows the word, with no other number in between."""
    return rf"(status|\bhttp|api error|server error)[^0-9]{{0,80}}?\b{codes}\b"


def one_line(text: str) -> str:
    """The text as it is searched and quoted: white space becomes one blank, because ECS wraps containerd's lines."""
    return " ".join(text[:MAX_SEARCHED].split())
