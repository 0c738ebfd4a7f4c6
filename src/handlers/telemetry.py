"""The log and the metrics. Messages are constants, data goes into keys."""

from collections.abc import Sequence
from typing import Any, Final

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution, MetricUnit

from core.control.background_run import RunReport
from core.model.errors import CallFailed, ReachError, Refused
from core.model.failure import Cause
from core.model.identity import Ref
from core.model.instants import milliseconds_between
from core.model.parts import Instant, Step
from core.model.record import Record, Settled, Unknown
from core.model.state import State


class Line(LambdaPowertoolsFormatter):
    """A line without what its log group and its message say already: a fifth of the bytes, which are paid for."""

    def append_keys(self, **additional_keys: object) -> None:
        super().append_keys(**{key: value for key, value in additional_keys.items() if key not in _SAID})


_SAID: Final = {"function_name", "function_arn", "function_memory_size"}
"""Of what Powertools takes from the context of an invocation."""

logger: Final = Logger(location=None, logger_formatter=Line())

PROBE_ABORTED: Final = "probe aborted"
"""The message of a prober that cannot do its work. Lambda writes the log, and not through the prober's VPC: it always
arrives. CloudWatch Logs hands the lines with this message to ReconcileFunction (template.yaml)."""

_DURATIONS: Final = {
    State.TASK_RUNNING: ("CreatedToRunning", Instant.CREATED, Instant.STARTED),
    State.AGENT_HEALTHY: ("RunningToHealthy", Instant.STARTED, Instant.HEALTHY),
}


class Telemetry:
    """Implements `core.ports.Observer`: a log line and the metrics of each thing that happens."""

    def settled(self, settled: Settled | Unknown) -> None:
        if isinstance(settled, Unknown):
            about = {**settled.fact.ref._asdict(), "task_arn": getattr(settled.fact, "task_arn", None)}
            logger.warning("unknown container", extra={**about, "why": settled.ignored})
            return
        record, keys = settled.record, _keys(settled.record)
        if settled.conflicts:
            keys["conflicts"] = settled.conflicts
            count("Conflicts", settled.conflicts)
        for step in settled.steps:
            logger.info("container moved", extra={**keys, "from": step.origin, "to": step.to, "trigger": step.trigger})
            _measure(step, record)
        if not settled.steps:
            logger.info("fact settled", extra={**keys, "ignored": settled.ignored})
        if record.warning is not None and any(step.to is State.AGENT_HEALTHY for step in settled.steps):
            logger.warning("agent without child", extra={**keys, "why": record.warning.message})
            count("AgentsWithoutChild")
        if record.state is State.FAILED and settled.steps and record.error is not None:
            error = record.error
            logger.warning("container failed", extra={**keys, "code": error.code, "cause": error.cause})
            count("Failed", code=error.code, cause=error.cause or Cause.UNKNOWN)

    def failed(self, error: ReachError) -> None:
        logger.error("could not reconcile", extra={"kind": type(error).__name__, "why": str(error)})

    def labels_left_out(self, record: Record, labels: Sequence[str]) -> None:
        # By name: a value may be secret.
        logger.warning("labels left out", extra={**_keys(record), "labels": list(labels)})

    def output_unread(self, ref: Ref, task_arn: str, error: CallFailed | None) -> None:
        keys = {**ref._asdict(), "task_arn": task_arn}
        if error is None:
            logger.info("no output", extra=keys)
        else:
            keys |= {"operation": error.operation, "code": error.code}
            logger.warning("output not read", extra={**keys, "why": error.message})

    def task_leaked(self, ref: Ref, task_arn: str, why: str) -> None:
        logger.warning("task leaked", extra={**ref._asdict(), "task_arn": task_arn, "why": why})


def count(
    name: str, value: float = 1, *, resolution: MetricResolution = MetricResolution.Standard, **dimensions: str
) -> None:
    """Adds to a metric of this stack."""
    with single_metric(name=name, unit=MetricUnit.Count, value=value, resolution=resolution) as metric:
        for key, text in dimensions.items():
            metric.add_dimension(key, text)


def reconciled(report: RunReport) -> None:
    """The metrics of one run of the reconciler: zeros too, so that an alarm sees a run that found nothing."""
    metrics = EphemeralMetrics()
    metrics.add_metric("HealedByReconcile", MetricUnit.Count, report.counts["healed"])
    metrics.add_metric("ReconcileErrors", MetricUnit.Count, report.errors.total())
    metrics.add_metric("OldestDueSeconds", MetricUnit.Seconds, report.counts["oldest_due_seconds"])
    metrics.flush_metrics()


def refusal(refused: Refused, request: object) -> dict[str, Any]:
    """`{"error": {code, cause, message, remedy, transient}}`: a normal answer, so that no caller parses traces."""
    failure = refused.failure
    named = request.get("container_id") if isinstance(request, dict) else None
    extra = {"container_id": named if isinstance(named, str) else None, "code": failure.code, "why": failure.message}
    logger.warning("request refused", extra=extra)
    return {"error": _known(failure.as_document())}


def _keys(record: Record) -> dict[str, Any]:
    keys = {**record.ref._asdict(), "task_arn": record.task_arn, "agent_address": record.agent_address}
    return _known({**keys, "state": record.state})


def _known(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _measure(step: Step, record: Record) -> None:
    count("StateEntered", state=step.to)
    if (duration := _DURATIONS.get(step.to)) is not None:
        name, first, last = duration
        if first in record.timings and last in record.timings:
            elapsed = max(0, milliseconds_between(record.timings[first], record.timings[last]))
            with single_metric(name=name, unit=MetricUnit.Milliseconds, value=elapsed):
                pass
