"""StopContainerFunction: the backend's synchronous, idempotent stop."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from core.control.stop import Stopper
from core.model.errors import Refused
from handlers import telemetry, wiring
from handlers.telemetry import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

wiring.prepare(wiring.TABLE, wiring.TASKS)


@cache
def _stopper() -> Stopper:
    return Stopper(wiring.store(), wiring.stopping_settler(), wiring.looker(), wiring.now)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """`{"container_id", "generation", "state"}`, or `{"error": …}`."""
    try:
        settled = _stopper().stop(event)
    except Refused as refused:
        return telemetry.refusal(refused, event)
    telemetry.report(settled)
    record = settled.record
    return {name: getattr(record, name) for name in ("container_id", "generation", "state")}
