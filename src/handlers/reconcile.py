"""ReconcileFunction: every minute, whatever is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.errors import ReachError
from core.reconcile import Reconciler
from handlers import telemetry, wiring
from handlers.telemetry import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MARGIN: Final = 10.0
"""Seconds kept back for the page that is being worked on when the time is up."""


def _log(error: ReachError) -> None:
    logger.error("could not reconcile", extra={"kind": type(error).__name__, "why": str(error)})


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """`{"due", "healed", "errors"}`. What could not be done stays due, and the next minute tries again."""
    reconciler = Reconciler(
        store=wiring.store(),
        settler=wiring.settler(),
        ecs=wiring.ecs(),
        clock=wiring.now,
        policy=wiring.settings().policy,
        prefix=wiring.settings().started_by_prefix,
        told=telemetry.report,
        failed=_log,
        time_left=lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN,
    )
    report = reconciler.run()
    summary = {"due": report.due, "healed": report.healed, "errors": dict(report.errors)}
    logger.info("reconciled", extra=summary)
    return summary
