"""Reading what a container printed, where ECS does not explain its end (`core.machine.runtime_complaint`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.machine.runtime_complaint import complaint_in
from core.model.actions import ReadOutput
from core.model.errors import CallFailed
from core.model.facts import OutputRead
from core.ports import Output, Ports

LINES: Final = 2
"""As many as show whether one is all there is."""
PATIENCE: Final = 3.0
"""Seconds to wait for a first line. The end is shown some 10 s after the exit as a rule, but sometimes at once."""
PAUSE: Final = 1.0


def read_output(ports: Ports, action: ReadOutput) -> OutputRead:
    """What the output says. When it cannot be read, or there is none, it says nothing: ECS's words count then.

    Raises `RunStopped` when this run may not read any more: the action stays pending, and the next run reads.
    """
    lines = _lines(ports, ports.output, action) if ports.output is not None else ()
    return OutputRead(ref=action.ref, at=ports.clock.now(), complaint=complaint_in(lines, action.container))


def _lines(ports: Ports, output: Output, action: ReadOutput) -> Sequence[str]:
    deadline = ports.clock.monotonic() + ports.output_patience
    try:
        while not (lines := output.last_lines(action.task_arn, action.container, LINES)):
            if ports.clock.monotonic() + PAUSE > deadline:
                ports.observer.output_unread(action.ref, action.task_arn, None)
                break
            ports.clock.sleep(PAUSE)
    except CallFailed as error:
        ports.observer.output_unread(action.ref, action.task_arn, error)
        return ()
    return lines
