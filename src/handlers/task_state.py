"""TaskStateFunction: an `ECS Task State Change` event becomes a fact, and the fact is settled."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.control.settle import settle_event
from core.machine.task_documents import NotOurs, observe_event
from core.model.record import Unknown
from handlers.app import PROBES, QUICK, TABLE, App, prepare
from handlers.telemetry import count, logger

app = App("TaskStateFunction", patience=QUICK)
prepare(TABLE, PROBES)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Raises `MalformedEvent`, `UnreadableRecord` and outages: Lambda retries, then keeps the event in the DLQ."""
    observed = observe_event(event, prefix=app.settings.started_by_prefix, at=app.clock.now())
    if isinstance(observed, NotOurs):
        logger.info("task is not ours", extra={"task_arn": observed.task_arn, "why": observed.why})
        return {"ignored": observed.why}
    settled = settle_event(app, observed)
    if isinstance(settled, Unknown):
        return {"ignored": settled.ignored}
    answer = {**settled.record.ref._asdict(), "state": settled.record.state, "revision": settled.record.revision}
    if settled.ignored is None:
        return answer
    count("StaleEvents")
    return {**answer, "ignored": settled.ignored}
