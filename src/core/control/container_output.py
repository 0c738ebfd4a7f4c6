"""Listening to a container whose end ECS does not explain: its program may never have run.

runc looks for a program before it starts the container, and what it finds wrong then is in ECS's reason. What the
kernel refuses after that is in no reason: the container has started, runc prints one line to its output and exits.
ECS shows the exit of a container that ran (AWS Knowledge Center, "exec format error": "Essential container in task
exited", exit code 1); only the log tells that the container's own process never did.

A program may print the same words about its own business. So a line is taken for runc's complaint only when it is
runc's word for word, is all that the container printed, and names the agent (runc named no program before 1.1). Nothing
else that was read goes any further: what a container prints may hold secrets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.machine.apply import apply
from core.machine.changes import Stale
from core.model.agent import agent_path
from core.model.errors import CallFailed
from core.model.facts import INIT, MAIN, Fact, TaskObserved
from core.model.policy import Policy
from core.model.record import Injection, Record
from core.model.state import State
from core.ports import Output, Ports

RUNTIME_EXITS: Final = frozenset({1, 255})
"""What runc exits with when the kernel refuses the program: 1 up to runc 1.1, 255 since (opencontainers/runc #4170)."""

LINES: Final = 2
"""As many as show whether one is all there is."""
LONGEST: Final = 1024
"""Characters of a complaint, which goes into the item; ECS cuts a container's own reason there as well."""

PATIENCE: Final = 3.0
"""Seconds to wait for a first line. The end is shown some 10 s after the exit as a rule, but sometimes at once."""
PAUSE: Final = 1.0

_BY_ITSELF: Final = frozenset({None, "EssentialContainerExited", "TaskFailedToStart"})
"""The stop codes of a task that nobody ended; none yet in the first snapshot after the exit."""

_WHY: Final = "[a-z][a-zA-Z /-]{2,80}"  # the kernel's words for an errno
_COMPLAINT: Final = re.compile(
    # runc 1.1 and later, then the versions before it.
    rf"exec (?P<program>.+): {_WHY}"
    rf'|standard_init_linux\.go:\d+: exec user process caused(?:: {_WHY}| "{_WHY}")'
)
_AGENTS: Final = frozenset(agent_path(injection) for injection in Injection)


def unexplained(record: Record, task: TaskObserved, policy: Policy) -> str | None:
    """The container whose output may say more about the end in this snapshot; None where nothing is to be asked.

    Only of an end that the snapshot brings about: of a container that ended by itself, as runc ends it, and whose
    agent never answered. A container that was healthy, that ended with success or was stopped costs nothing.
    """
    if record.state is State.AGENT_HEALTHY or record.stop_requested or task.stop_code not in _BY_ITSELF:
        return None
    main, init = task.container(MAIN), task.container(INIT)
    seen = init if main is None or main.exit_code is None else main
    if seen is None or seen.exit_code not in RUNTIME_EXITS or seen.complaint is not None:
        return None
    after = apply(record, task, policy)
    ends = not isinstance(after, Stale) and after.state.ended and not record.state.ended
    return seen.name if ends else None


def complaint_in(lines: Sequence[str], container: str) -> str | None:
    """The complaint of runc, when that is all the container printed; None for any other output.

    In `main` it is about the agent, which is what runs there. In `init` it may be about any program: whatever the
    agent image runs is the operator's.
    """
    if len(lines) != 1 or len(lines[0]) > LONGEST:
        return None
    said = lines[0].strip()
    found = _COMPLAINT.fullmatch(said)
    if found is None:
        return None
    program = found["program"]
    foreign = container == MAIN and program is not None and program not in _AGENTS
    return None if foreign else said


def explain(ports: Ports, record: Record, fact: Fact) -> Fact:
    """The fact with the complaint of the container that ended; the fact as it is where nothing is to be asked.

    Raises `RunStopped` when this run may not ask any more: then nothing is known, and the next run asks.
    """
    if not isinstance(fact, TaskObserved) or ports.output is None:
        return fact
    name = unexplained(record, fact, ports.policy)
    if name is None:
        return fact
    complaint = complaint_in(_lines(ports, ports.output, record, fact.task_arn, name), name) or ""
    containers = (replace(one, complaint=complaint) if one.name == name else one for one in fact.containers)
    return replace(fact, containers=tuple(containers))


def _lines(ports: Ports, output: Output, record: Record, task_arn: str, name: str) -> Sequence[str]:
    deadline = ports.clock.monotonic() + ports.output_patience
    try:
        while not (lines := output.last_lines(task_arn, name, LINES)):
            if ports.clock.monotonic() + PAUSE > deadline:
                ports.observer.output_unread(record, None)
                break
            ports.clock.sleep(PAUSE)
    except CallFailed as error:
        ports.observer.output_unread(record, error)
        return ()
    return lines
