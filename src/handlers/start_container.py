"""StartContainerFunction: the backend's synchronous start."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from core.adapters.tokens import new_token
from core.control.register import Registrar
from core.control.run_task import Launcher
from core.control.start import Starter
from core.model.errors import Refused
from core.model.state import State
from handlers import telemetry, wiring
from handlers.telemetry import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

wiring.prepare(wiring.TABLE, wiring.TASKS, wiring.YIELDING_TASKS)


@cache
def _starter() -> Starter:
    return Starter(
        store=wiring.store(),
        ecs=wiring.ecs(),
        vault=wiring.vault,
        launcher=Launcher(wiring.ecs(), Registrar(wiring.ecs(), wiring.registrations, wiring.now)),
        settler=wiring.settler(),
        looker=wiring.looker(),
        settings=wiring.settings(),
        clock=wiring.now,
        patience=wiring.patience,
        new_token=new_token,
        told=telemetry.report,
        untagged=telemetry.untagged,
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"container_id", "generation", "state", "task_arn", "task_definition_arn"}`, or `{"error": …}`."""
    try:
        settled = _starter().start(event, context.aws_request_id)
    except Refused as refused:
        return telemetry.refusal(refused, event)
    telemetry.report(settled)
    telemetry.entered(State.PENDING)
    record = settled.record
    shown = ("container_id", "generation", "state", "task_arn", "task_definition_arn")
    return {name: getattr(record, name) for name in shown}
