"""Why the one-off task failed: the script's exit code, else ECS's own words as `core.diagnosis` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from core.diagnosis import diagnose
from core.machine.runtime_complaint import complaint_in
from core.machine.task_documents import NotOurs, observe_description
from core.model.facts import INIT
from core.model.failure import Cause
from core.model.identity import Ref, started_by
from reach.staging.faults import Fault, StagingFailed, failed
from reach.staging.script import MARK
from reach.staging.task import FAMILY, STAGE

LINES: Final = 12
"""Most lines of a container that are shown."""
_OF_A_PROGRAM: Final = frozenset(
    {Cause.AGENT_BINARY_MISSING, Cause.AGENT_NOT_EXECUTABLE, Cause.AGENT_WRONG_ARCHITECTURE}
)
"""Causes of a container whose program could not be executed. In containers of the stack it is the agent."""
_DENIED: Final = (
    "Read its output. If it says Permission denied or Read-only file system: the role of the task needs "
    "elasticfilesystem:ClientWrite on the file system, and the user of its access point has to own the directory: "
    "docs/deploy.md, Stage the agent."
)


def failure(task: Mapping[str, Any], output: Mapping[str, Sequence[str]], at: datetime) -> StagingFailed:
    """The error of a task that has ended without success. `output`: what its containers printed, by their names."""
    codes = {one["name"]: one.get("exitCode") for one in task.get("containers", ())}
    code = codes.get(STAGE)
    fault = next((one for one in Fault if one == code), None)
    if fault is not None:
        error = str(failed("The agent", fault))
    elif code is not None and not _never_ran(output.get(STAGE, ())):
        error = f"stage.sh ended with {code}.\nWhat to do: {_DENIED}"
    else:
        error = _diagnosed(task, output, at)
    printed = {name: [line for line in lines if not line.startswith(MARK)] for name, lines in output.items()}
    said = [f"  {name}: {line}" for name, lines in printed.items() for line in lines[-LINES:]]
    return StagingFailed("\n".join([error, "Its output:", *said] if said else [error]))


def _never_ran(lines: Sequence[str]) -> bool:
    return complaint_in(lines, STAGE) is not None


def _diagnosed(task: Mapping[str, Any], output: Mapping[str, Sequence[str]], at: datetime) -> str:
    ours = {**task, "startedBy": started_by(FAMILY, Ref("0" * 64, 1))}
    seen = observe_description(ours, prefix=FAMILY, at=at)
    if isinstance(seen, NotOurs):
        raise TypeError(seen.why)
    complaints = {name: complaint_in(lines, name) for name, lines in output.items()}
    containers = tuple(replace(one, complaint=complaints.get(one.name)) for one in seen.containers)
    found = diagnose(replace(seen, containers=containers), main=STAGE, init=INIT)
    copied = seen.container(INIT)
    if found.cause in _OF_A_PROGRAM and (copied is None or copied.exit_code == 0):
        return f"{failed('The task could not run stage.sh', Fault.NO_TOOL)}\nECS says: {found.detail}"
    return f"The task failed: {found.summary}\nECS says: {found.detail}\nWhat to do: {found.remedy}"
