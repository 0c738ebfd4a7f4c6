"""TaskStateFunction: an `ECS Task State Change` event becomes a fact, and the fact is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.machine.task_documents import NotOurs, observe_event
from handlers import telemetry, wiring
from handlers.telemetry import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

wiring.prepare(wiring.TABLE, wiring.PROBES)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Raises `MalformedEvent`, `UnreadableRecord` and outages: Lambda retries, then keeps the event in the DLQ."""
    observed = observe_event(event, prefix=wiring.settings().started_by_prefix, at=wiring.now())
    if isinstance(observed, NotOurs):
        logger.info("task is not ours", extra={"task_arn": observed.task_arn, "why": observed.why})
        return {"ignored": observed.why}
    settled = wiring.event_settler().settle(observed)
    telemetry.report(settled, observed)
    if settled.ignored is not None and settled.record is not None:
        telemetry.count("StaleEvents", 1)
    return telemetry.answer(settled)
