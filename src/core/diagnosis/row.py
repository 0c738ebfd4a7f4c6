"""The answers of a diagnosis, and the shape of a row in its tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.model.failure import Cause


READ: Final = 2048


class Actor(StrEnum):
    """Who must act before it can work: `aws` means that waiting and starting again is all there is to do."""

    USER = "user"
    OPERATOR = "operator"
    AWS = "aws"


class Place(StrEnum):
    """Where a text stood: the task's stoppedReason; or what is said of a container, by its part in the task.

    Of a container: its `reason`, and the container runtime's complaint from its output
    (`core.control.container_output`).
    """

    TASK = "task"
    MAIN = "main"
    INIT = "init"
    OTHER = "other"
    """A container nobody defined (GuardDuty's sidecar). Asked last, and only about a start that failed."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a task stopped.

    `summary` is one line; `detail` holds ECS's own words and the runtime's, whole; `remedy` is never empty.
    `start_failed`: ECS or the runtime blames the start, so an exit code that is present is not the container's own
    (contract.md 2). `transient`: the same start may succeed without a change.
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
    """Why AWS refused a call. `transient`: the same call may succeed without a change."""

    cause: Cause
    remedy: str
    transient: bool
    actor: Actor


def never_ran(exit_code: int | None) -> bool:
    """No exit code: the container never ran, or has not ended."""
    return exit_code is None


def failed(exit_code: int | None) -> bool:
    """Any exit code but 0."""
    return exit_code not in {None, 0}


def exited(*codes: int) -> Callable[[int | None], bool]:
    """One of these exit codes."""
    return frozenset[int | None](codes).__contains__


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table.

    It applies when the code is one of `codes` or one of `patterns` is found in a text of a place in `where` (a row
    that names neither asks for neither), and when the containers' exit codes pass `main_exit` and `init_exit`.
    A code is a stopCode or the class of an exception. Patterns are regular expressions; case never matters. They see a
    text without the names in it (`core.diagnosis.names`), and need no word's end, because ECS cuts long texts.
    """

    cause: Cause
    remedy: str
    summary: str = ""
    codes: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    where: frozenset[Place] = frozenset(Place)
    main_exit: Callable[[int | None], bool] | None = None
    init_exit: Callable[[int | None], bool] | None = None
    transient: bool = False
    actor: Actor = Actor.OPERATOR
    start_failed: bool = False

    def names(self, code: str | None) -> bool:
        """Whether `codes` has this code."""
        return code is not None and code.casefold() in {known.casefold() for known in self.codes}

    def found_in(self, text: str) -> bool:
        """Whether any pattern is found. `re` compiles on first use and keeps: most invocations diagnose nothing."""
        return any(re.search(pattern, text, re.IGNORECASE) for pattern in self.patterns)


def status(codes: str) -> str:
    """A pattern for an HTTP status, where one stands: behind the word, with no other number between."""
    return rf"(status|\bhttp|api error|server error)[^0-9]{{0,80}}?\b{codes}\b"


def one_line(text: str) -> str:
    """The text to be searched and quoted: runs of white space as one blank, because ECS wraps what containerd printed.

    Cut where patterns would become slow; ECS itself ends a container's reason at 1,024 characters.
    """
    return " ".join(text[:READ].split())
