"""Records further on in the life of `factories.pending`, as the control plane would have written them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from core.model.failure import ErrorCode, Failure
from core.model.parts import Instant, Probe, Step, Stop
from core.model.record import Record
from core.model.state import State, Trigger
from core.storage.item import from_item
from tests.factories import ADDRESS, DEFINITION, TASK, at, pending
from tests.golden.items import COMPLETE, golden_items

EXPIRY: Final = 4_102_444_800
"""2100: the clients and DynamoDBs of tests go by the clock, and would remove what is past it."""


def resolved(**changes: Any) -> Record:
    """Its task runs, its address is known."""
    record = pending(
        state=State.ENI_RESOLVED,
        revision=3,
        task_version=4,
        task_arn=TASK,
        task_definition_arn=DEFINITION,
        agent_address=ADDRESS,
        updated_at=at(30),
        timings={Instant.CREATED: at(1), Instant.STARTED: at(29.4), Instant.RESOLVED: at(30)},
        probe=Probe(deadline=at(90), attempts=2, last_error="connection refused"),
        history=(
            Step(at(30), State.PENDING, State.TASK_RUNNING, Trigger.TASK_STARTED),
            Step(at(30), State.TASK_RUNNING, State.ENI_RESOLVED, Trigger.ADDRESS_RESOLVED),
        ),
    )
    return replace(record, **changes)


def running(**changes: Any) -> Record:
    """Its task runs, and no address is known."""
    return replace(resolved(), **{"state": State.TASK_RUNNING, "agent_address": None, "probe": None, **changes})


def healthy(**changes: Any) -> Record:
    """Its agent answered."""
    record = resolved()
    step = Step(at(32), State.ENI_RESOLVED, State.AGENT_HEALTHY, Trigger.AGENT_ANSWERED)
    timings = {**record.timings, Instant.HEALTHY: at(32)}
    record = replace(
        record, state=State.AGENT_HEALTHY, revision=4, timings=timings, history=(*record.history, step), probe=None
    )
    return replace(record, **changes)


def failed(**changes: Any) -> Record:
    """Its agent never answered."""
    record = resolved(
        state=State.FAILED,
        revision=4,
        agent_address=None,
        agent_token=None,
        error=Failure(
            ErrorCode.AGENT_UNREACHABLE,
            "The agent at 10.0.1.47:9111 did not answer within 60 s. Last error: timed out.",
            "Check that the security group lets TCP 9111 in.",
        ),
        watch=None,
        check_at=None,
        expires_at=EXPIRY,
    )
    return replace(record, **changes)


def exited(code: int = 0, **changes: Any) -> Record:
    """Its own process ran and ended."""
    record = failed(state=State.STOPPED, error=None)
    timings = {
        **record.timings,
        Instant.EXECUTION_STOPPED: at(39),
        Instant.STOPPING: at(50),
        Instant.STOPPED: at(55),
    }
    stop = Stop(code="EssentialContainerExited", reason="Essential container in task exited", exit_code=code)
    return replace(record, **{"timings": timings, "stop": stop, **changes})


def complete(**changes: Any) -> Record:
    """Every attribute at once, which no life has: for tests of the mapping."""
    return replace(from_item(golden_items()[COMPLETE]), **changes)
