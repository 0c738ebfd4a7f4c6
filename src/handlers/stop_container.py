"""StopContainerFunction: the backend's synchronous, idempotent stop."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.control.stop import stop_container
from core.model.errors import Refused
from handlers.app import TABLE, TASKS, App, prepare
from handlers.telemetry import logger, refusal

app = App("StopContainerFunction")
prepare(TABLE, TASKS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """`{"container_id", "generation", "state"}`, or `{"error": …}`."""
    try:
        record = stop_container(app, event)
    except Refused as refused:
        return refusal(refused, event)
    return {**record.ref._asdict(), "state": record.state}
