"""ReconcileFunction: every minute what is due, now and then leaked tasks and definitions that nothing uses.

And what others cannot do themselves: the prober stands in a VPC, where it reaches the agents and DynamoDB at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Final

from core.control.leaked_tasks import LeakFinder
from core.control.reconcile import Reconciler
from core.control.unused_definitions import Retirer
from core.model.errors import MalformedEvent, ReachError
from core.model.families import family_stem
from handlers import telemetry, wiring
from handlers.remarks import remarks
from handlers.telemetry import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MARGIN: Final = 10.0
"""Seconds kept back for the page that is being worked on when the time is up."""
LOOK_SECONDS: Final = 110.0
"""Most of a run but the retirer's. The function may run for longer, but the next minute's run does what is left, and
runs that pile up behind a slow AWS would take the account's concurrency."""
RETIRE_DEFINITIONS: Final = "retire-definitions"
"""The `job` of the hourly schedule (template.yaml). The one of every minute has none."""
FIND_LEAKS: Final = "find-leaks"
"""The `job` of the schedule of every quarter of an hour."""

wiring.prepare(wiring.TABLE, wiring.YIELDING_TASKS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """A summary of what was done. What could not be done stays due, and the next run tries again.

    Raises `MalformedEvent` for a `job` that this function does not have.
    """
    if "awslogs" in event:
        return _note_remarks(event)
    if "Records" in event:
        return _reconcile(context, [record["dynamodb"]["Keys"]["container_id"]["S"] for record in event["Records"]])
    match event.get("job"):
        case None:
            return _reconcile(context)
        case job if job == RETIRE_DEFINITIONS:
            return _retire_definitions(context)
        case job if job == FIND_LEAKS:
            return _find_leaks(context)
        case job:
            jobs = f"{RETIRE_DEFINITIONS}, {FIND_LEAKS}"
            raise MalformedEvent(f"ReconcileFunction has no job {job!r}: it has {jobs}, or none.")


def _reconcile(context: LambdaContext, only: list[str] | None = None) -> dict[str, Any]:
    """`{"due", "healed", "oldest_due_seconds", "errors", "stopped"}`.

    `only`: the containers whose prober has just written that the deadline passed without an answer, from the table's
    stream. The prober cannot ask ECS whether they still run, and the minute would be a long time to wait for it.
    """
    time_left = _time_left(context, most=LOOK_SECONDS)
    tasks = wiring.paced_tasks(time_left)
    reconciler = Reconciler(
        store=wiring.store(),
        settler=wiring.paced_settler(tasks),
        ecs=tasks,
        clock=wiring.now,
        policy=wiring.settings().policy,
        prefix=wiring.settings().started_by_prefix,
        told=telemetry.report,
        failed=_log,
        time_left=time_left,
    )
    report = reconciler.run() if only is None else reconciler.look_at(only)
    telemetry.reconciled(report)
    summary = {
        "due": report.due,
        "healed": report.healed,
        "oldest_due_seconds": report.oldest,
        "errors": dict(report.errors),
        "stopped": report.stopped,
    }
    logger.info("reconciled", extra=summary)
    return summary


def _note_remarks(event: dict[str, Any]) -> dict[str, Any]:
    """`{"noted", "errors"}`. Says in the items what probers could only say in their log."""
    noted, errors = 0, 0
    for fact in remarks(event, wiring.now()):
        try:
            settled = wiring.remarks_settler().settle(fact)
        except ReachError as error:
            errors += 1
            _log(error)
            continue
        telemetry.report(settled, fact)
        noted += settled.ignored is None
    return {"noted": noted, "errors": errors}


def _find_leaks(context: LambdaContext) -> dict[str, Any]:
    """`{"listed", "ours", "leaked", "parameters", "errors", "stopped"}`."""
    finder = LeakFinder(
        store=wiring.store(),
        ecs=wiring.paced_tasks(_time_left(context, most=LOOK_SECONDS)),
        vault=wiring.vault(),
        sightings=wiring.sightings(),
        cluster=wiring.cluster_arn(),
        prefix=wiring.settings().started_by_prefix,
        policy=wiring.settings().policy,
        clock=wiring.now,
        told=telemetry.leaked,
        failed=_log,
    )
    report = finder.run()
    telemetry.count("LeakedTasks", report.leaked)
    telemetry.count("JobErrors", report.errors.total())
    summary = {
        "listed": report.listed,
        "ours": report.ours,
        "leaked": report.leaked,
        "parameters": report.parameters,
        "errors": dict(report.errors),
        "stopped": report.stopped,
    }
    logger.info("leaks looked for", extra=summary)
    return summary


def _retire_definitions(context: LambdaContext) -> dict[str, Any]:
    """`{"families", "needed", "deregistered", "deleted", "undeleted", "errors", "stopped"}`."""
    retirer = Retirer(
        uses=wiring.store(),
        definitions=wiring.definitions(),
        stem=family_stem(wiring.settings().started_by_prefix, wiring.cluster_arn()),
        clock=wiring.now,
        sleep=time.sleep,
        failed=_log,
        time_left=_time_left(context),
    )
    report = retirer.run()
    telemetry.count("DefinitionsRetired", report.deregistered)
    telemetry.count("JobErrors", report.errors.total())
    summary = {
        "families": report.families,
        "needed": report.needed,
        "deregistered": report.deregistered,
        "deleted": report.deleted,
        "undeleted": report.undeleted,
        "errors": dict(report.errors),
        "stopped": report.stopped,
    }
    logger.info("definitions retired", extra=summary)
    return summary


def _time_left(context: LambdaContext, most: float = inf) -> Callable[[], float]:
    """How many seconds this run has left: until the function has to end, and at most so many from now."""
    end = time.monotonic() + most
    return lambda: min(context.get_remaining_time_in_millis() / 1000 - MARGIN, end - time.monotonic())


def _log(error: ReachError) -> None:
    logger.error("could not reconcile", extra={"kind": type(error).__name__, "why": str(error)})
