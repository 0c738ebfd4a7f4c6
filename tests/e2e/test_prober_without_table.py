"""A prober that does not reach DynamoDB, the likeliest mistake of a first deployment: who learns of it, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.machine.schedule import PROBE_GRACE
from core.model.instants import truncate
from core.model.parts import Probe
from core.model.state import State
from tests.e2e import logs
from tests.e2e.stack import HEALTH_TIMEOUT, Stack


def now() -> datetime:
    return truncate(datetime.now(UTC))


@contextmanager
def without_route(stack: Stack) -> Iterator[None]:
    """Meanwhile no connection of the prober to DynamoDB comes about: nobody listens where it looks for it."""
    arn = stack.arn("AgentHealth")
    variables = stack.functions.get_function_configuration(FunctionName=arn)["Environment"]["Variables"]
    nowhere = {**variables, "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}
    stack.functions.update_function_configuration(FunctionName=arn, Environment={"Variables": nowhere})
    try:
        yield
    finally:
        stack.functions.update_function_configuration(FunctionName=arn, Environment={"Variables": variables})


def test_the_item_names_the_route_and_the_task_runs_on(stack: Stack, container_id: str) -> None:
    """Within the tests' patience of 30 s, by a line of the log: the prober can write nothing. Mended, it is healthy."""
    with without_route(stack):
        stack.start(container_id)
        record = stack.until(
            container_id,
            lambda seen: seen.probe is not None and seen.probe.remedy is not None,
            "the item says what keeps the prober from asking",
        )
        assert record.state is State.ENI_RESOLVED
        probe = record.probe
        assert probe is not None
        assert "could not be read: BatchGetItem failed with EndpointConnectionError" in (probe.last_error or "")
        assert "DynamoDB gateway endpoint" in (probe.remedy or "")
        lines = [json.loads(one) for one in logs.messages(stack.cloud, "agent-health") if one.startswith("{")]
        mine = [one for one in lines if one.get("container_id") == container_id]
        assert [one["message"] for one in mine] == ["probe aborted"]
        assert any("ProbesWithoutVerdict" in one for one in lines)

        # The deadline is long over, and the reconciler looks.
        over = now() - timedelta(seconds=PROBE_GRACE + 1)
        stack.change(container_id, check_at=now(), probe=replace(probe, deadline=over))
        stack.reconcile()
        renewed = stack.until(
            container_id,
            lambda seen: isinstance(seen.probe, Probe) and seen.probe.deadline > over,
            "the deadline is renewed",
        )
        assert renewed.state is State.ENI_RESOLVED
        [task] = stack.tasks(container_id)
        assert task["last_status"] == "RUNNING"
    stack.change(container_id, check_at=now())
    stack.reconcile()
    healthy = stack.reaches(container_id, State.AGENT_HEALTHY)
    assert healthy.probe is not None
    assert healthy.probe.remedy is None
    assert healthy.probe.deadline <= now() + timedelta(seconds=HEALTH_TIMEOUT)
