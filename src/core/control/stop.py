"""Stopping a container: recorded first, so that the stop stays pending when ECS refuses or does not know the task."""

from typing import Final

from core.control.describe_tasks import describe_task
from core.control.settle import settle
from core.launch.stop_request import parse_stop_request
from core.model.errors import Refused
from core.model.facts import Fact, ProcessExited, StopRequested, TaskGone
from core.model.failure import ErrorCode, Failure
from core.model.record import Record
from core.ports import Ports

PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds between looks for the task of a start that has asked for one."""


def stop_container(ports: Ports, document: object) -> Record:
    """The record after the request. Idempotent: an ended container stays as it is. Its end comes by ECS's events.

    But for an end that the agent has reported to the backend: it is recorded at once.

    Raises `Refused` for a malformed request or a container that is not recorded, `CallFailed` when ECS did not take the
    request: it stays recorded, and the reconciler repeats it.
    """
    request = parse_stop_request(document)
    record = ports.store.load(request.container_id)
    if record is None:
        remedy = "Check the id; ended containers are forgotten after RecordRetentionDays."
        raise Refused(Failure(ErrorCode.NOT_FOUND, f"Container {request.container_id} is not recorded.", remedy))
    ref = None
    while record.ref != ref:  # of the newest generation: the container may be started anew at this moment
        if request.generation not in (None, record.generation):
            return record
        ref, at = record.ref, ports.clock.now()
        code = request.exit_code
        exited = () if code is None else (ProcessExited(ref=ref, at=at, address=None, exit_code=code),)
        record = settle(ports, record, *exited, StopRequested(ref=ref, at=at, reason=request.reason)).record
    if record.task_arn is not None or record.state.ended:
        return record
    # A start is under way, or died, or its task has sent no event yet: the record takes its task, which is stopped.
    fact = _look_for_task(ports, record)
    after = record if fact is None else settle(ports, record, fact).record
    return after if after.ref == ref else record


def _look_for_task(ports: Ports, record: Record) -> Fact | None:
    """What ECS shows. It may not show at once what RunTask has just started (ecs.md 3)."""
    for pause in PAUSES if record.asked else ():
        if not isinstance(fact := describe_task(ports, record), TaskGone):
            return fact
        ports.clock.sleep(pause)
    return describe_task(ports, record)
