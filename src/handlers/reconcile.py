"""ReconcileFunction: every minute what is due, now and then leaked tasks and definitions that nothing uses.

And what others cannot do themselves: the prober stands in a VPC, where it reaches the agents and DynamoDB at most. When
it does not even reach DynamoDB, it can only say so in its log, and a subscription of the log group brings those lines
here within seconds.
"""

import gzip
import json
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import datetime
from math import inf
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.control.background_run import RunReport
from core.control.find_leaked_tasks import Listing, find_leaked_tasks
from core.control.reconciler import reconcile
from core.control.retire_definitions import retire_definitions
from core.control.settle import settle_event
from core.model.errors import MalformedEvent, ReachError
from core.model.facts import ProbeAborted
from core.model.families import family_stem
from core.model.identity import parse_started_by
from core.model.record import Unknown
from handlers import telemetry
from handlers.app import TABLE, YIELDING, YIELDING_TASKS, App, prepare
from handlers.telemetry import PROBE_ABORTED, logger

MARGIN: Final = 10.0
"""Seconds kept back for what is being worked on when the time is up."""
RUN_SECONDS: Final = 110.0
"""Most of a run but the retirement's. The function may run for longer, but the next minute's run does what is left,
and runs that pile up behind a slow AWS would take the account's concurrency."""
RETIRE_DEFINITIONS: Final = "retire-definitions"
"""The `job` of the hourly schedule (template.yaml). The one of every minute has none."""
FIND_LEAKS: Final = "find-leaks"
"""The `job` of the schedule of every quarter of an hour."""

# What it finds ended has ended long ago: it waits for no output.
app = App("ReconcileFunction", patience=YIELDING, output_patience=0)
recorder = App("ReconcileFunction", performs=frozenset())
"""For aborted probes. A pending probe is the minute's run to send: at once, one that cannot succeed would never end."""
listing: Final = Listing()
"""Of the cluster's tasks, while this process is warm."""
prepare(TABLE, YIELDING_TASKS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The counts of the run, with `errors` and `stopped`. What could not be done stays due for the next run.

    Raises `MalformedEvent` for a `job` that this function does not have, and for what no stream and no log delivers.
    """
    if "awslogs" in event:
        return _record_aborted_probes(event)
    if "Records" in event:
        # The table's stream: these containers' prober has just written that the deadline passed without an answer, or
        # that the process of an agent that stays has exited. It cannot ask ECS whether they still run, or stop them,
        # and the minute would be a long time to wait for it.
        return _reconcile(context, _written(event))
    if (job := event.get("job")) is None:
        return _reconcile(context)
    if job == RETIRE_DEFINITIONS:
        return _retire_definitions(context)
    if job == FIND_LEAKS:
        return _find_leaked_tasks(context)
    jobs = f"{RETIRE_DEFINITIONS}, {FIND_LEAKS}"
    raise MalformedEvent(f"ReconcileFunction has no job {job!r}: it has {jobs}, or none.")


def _reconcile(context: LambdaContext, only: list[str] | None = None) -> dict[str, Any]:
    time_left = _time_left(context, most=RUN_SECONDS)
    report = reconcile(app.within(time_left), time_left, only)
    telemetry.reconciled(report)
    return _answer("reconciled", report)


def _find_leaked_tasks(context: LambdaContext) -> dict[str, Any]:
    ports = app.within(_time_left(context, most=RUN_SECONDS))
    report = find_leaked_tasks(ports, app.cluster_arn, listing)
    telemetry.count("LeakedTasks", report.counts["leaked"])
    telemetry.count("JobErrors", report.errors.total())
    return _answer("leaked tasks counted", report)


def _retire_definitions(context: LambdaContext) -> dict[str, Any]:
    stem = family_stem(app.settings.started_by_prefix, app.cluster_arn)
    report = retire_definitions(app, stem, _time_left(context))
    telemetry.count("DefinitionsRetired", report.counts["deregistered"])
    telemetry.count("JobErrors", report.errors.total())
    return _answer("definitions retired", report)


def _answer(message: str, report: RunReport) -> dict[str, Any]:
    summary = {**report.counts, "errors": dict(report.errors), "stopped": report.stopped}
    logger.info(message, extra=summary)
    return summary


def _written(event: dict[str, Any]) -> list[str]:
    """The containers whose items one delivery of the table's stream concerns."""
    try:
        return [str(record["dynamodb"]["Keys"]["container_id"]["S"]) for record in event["Records"]]
    except (KeyError, TypeError) as exc:
        raise MalformedEvent("The records are not those of the table's stream: one has no key container_id.") from exc


def _record_aborted_probes(event: dict[str, Any]) -> dict[str, Any]:
    """`{"noted", "errors"}`. Writes into the items what probers could only write into their log."""
    noted, errors = 0, 0
    for fact in _aborted_probes(event):
        try:
            settled = settle_event(recorder, fact)
        except ReachError as error:
            errors += 1
            app.observer.failed(error)
        else:
            noted += not isinstance(settled, Unknown) and settled.ignored is None
    return {"noted": noted, "errors": errors}


def _aborted_probes(event: dict[str, Any]) -> Iterator[ProbeAborted]:
    """The facts of one delivery of a subscription: `{"awslogs": {"data"}}`, gzipped JSON in base64.

    Its shape is CloudWatch Logs' own (User Guide, "Using subscription filters", example with Lambda). The filter only
    compares words, so a line that merely has them, or a control message, is passed over. Raises `MalformedEvent`.
    """
    now = app.clock.now()
    for text in _lines(event):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and line.get("message") == PROBE_ABORTED and (fact := _aborted(line, now)):
            yield fact


def _aborted(line: dict[str, Any], now: datetime) -> ProbeAborted | None:
    """Of the line in which a prober reports what it could not write (`handlers.agent_health`); None for another one."""
    ref = parse_started_by("", f"/{line.get('container_id')}/{line.get('generation')!r}")
    address, last_error, remedy = (line.get(name) for name in ("agent_address", "last_error", "remedy"))
    texts = isinstance(address, str) and isinstance(last_error, str) and isinstance(remedy, str)
    if ref is None or not texts or not (address and last_error and remedy):
        return None
    return ProbeAborted(ref=ref, at=now, address=address, last_error=last_error, remedy=remedy)


def _lines(event: dict[str, Any]) -> list[str]:
    try:
        delivery = json.loads(gzip.decompress(b64decode(event["awslogs"]["data"])))
        return [str(entry["message"]) for entry in delivery["logEvents"]]
    except (KeyError, TypeError, ValueError, RecursionError, OSError, EOFError, zlib.error) as exc:
        raise MalformedEvent("The delivery of a log group is no gzipped JSON in base64 with logEvents.") from exc


def _time_left(context: LambdaContext, most: float = inf) -> Callable[[], float]:
    """How many seconds this run has left: until the function has to end, and at most so many from now."""
    monotonic = app.clock.monotonic
    end = monotonic() + most
    return lambda: min(context.get_remaining_time_in_millis() / 1000 - MARGIN, end - monotonic())
