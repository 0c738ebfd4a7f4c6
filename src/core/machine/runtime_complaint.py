"""Ends that only a container's output explains: its program may never have run.

runc looks for a program before it starts the container, and what it finds wrong then is in ECS's reason. What the
kernel refuses after that is in no reason: the container has started, runc prints one line to its output and exits.
ECS shows the exit of a container that ran (AWS Knowledge Center, "exec format error": "Essential container in task
exited", exit code 1); only the log tells that the container's own process never did.

A program may print the same words itself. So a line is taken for runc's complaint only when it is runc's word for
word, is all that the container printed, and names the agent (runc named no program before 1.1). All other output is
dropped: it may hold secrets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from core.model.agent import Injection, agent_path
from core.model.facts import INIT, MAIN, Source, TaskObserved
from core.model.parts import Instant, UnexplainedEnd
from core.model.record import Record
from core.model.state import State

RUNTIME_EXITS: Final = frozenset({1, 255})
"""What runc exits with when the kernel refuses the program: 1 up to runc 1.1, 255 since (opencontainers/runc #4170)."""
LONGEST: Final = 1024
"""Characters of a complaint, which goes into the item; ECS cuts a container's own reason there as well."""

_BY_ITSELF: Final = frozenset({None, "EssentialContainerExited", "TaskFailedToStart"})
"""The stop codes of a task that nothing else ended; none yet in the first snapshot after the exit."""
_WHY: Final = "[a-z][a-zA-Z /-]{2,80}"  # the kernel's words for an errno
_COMPLAINT: Final = re.compile(
    # runc 1.1 and later, then the versions before it.
    rf"exec (?P<program>.+): {_WHY}"
    rf'|standard_init_linux\.go:\d+: exec user process caused(?:: {_WHY}| "{_WHY}")'
)
_AGENTS: Final = frozenset(agent_path(injection) for injection in Injection)


def unexplained(record: Record, task: TaskObserved) -> UnexplainedEnd | None:
    """The end in this snapshot, if only the output can explain it: a container that ended by itself, as runc ends it.

    A container whose agent answered, that ended with success or was stopped costs no reading.
    """
    if record.state is State.AGENT_HEALTHY or record.stop_requested or task.stop_code not in _BY_ITSELF:
        return None
    main, init = task.container(MAIN), task.container(INIT)
    seen = init if main is None or main.exit_code is None else main
    if seen is None or seen.exit_code not in RUNTIME_EXITS:
        return None
    containers = tuple(replace(one, interfaces=()) for one in task.containers)
    return UnexplainedEnd(task.at, seen.name, containers, task.stopped_reason)


def explained(record: Record, end: UnexplainedEnd, complaint: str | None, at: datetime) -> TaskObserved:
    """The snapshot that showed this end, with the complaint in its place."""
    containers = (replace(one, complaint=complaint) if one.name == end.container else one for one in end.containers)
    return TaskObserved(
        ref=record.ref,
        at=at,
        source=Source.DESCRIBED,
        task_arn=record.task_arn or "",
        version=record.task_version,
        last_status="STOPPED",
        desired_status="STOPPED",
        containers=tuple(containers),
        started_at=record.timings.get(Instant.STARTED),
        stop_code=record.stop.code if record.stop else None,
        stopped_reason=end.reason,
    )


def complaint_in(lines: Sequence[str], container: str) -> str | None:
    """The complaint of runc, when that is all the container printed; None for any other output.

    In `main`, where the agent runs, it is about the agent. In `init` it may be about any program of the agent image.
    """
    if len(lines) != 1 or len(lines[0]) > LONGEST:
        return None
    found = _COMPLAINT.fullmatch(lines[0].strip())
    if found is None or (container == MAIN and found["program"] not in {None, *_AGENTS}):
        return None
    return found[0]
