"""AgentHealthFunction: probes every agent that its batch names, all at once, and writes each verdict as it falls."""

import asyncio
import atexit
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final

from aws_lambda_powertools.metrics import MetricResolution
from aws_lambda_powertools.utilities.typing import LambdaContext

from core.adapters.http_probe import HttpProbe
from core.control.settle_verdict import settle_verdict
from core.model.errors import MalformedEvent
from core.model.identity import Ref
from core.probe.batched_reads import BatchedReads
from core.probe.outcome import CannotProbe, OutOfTime, ProbeResult
from core.probe.prober import AgentProbe
from core.probe.view import Target
from handlers.app import PROBER_TABLE, App, prepare
from handlers.telemetry import PROBE_ABORTED, count, logger

MARGIN: Final = 10.0
"""Seconds kept back for a last try and its report before Lambda ends the worker."""

app = App("AgentHealthFunction", table=PROBER_TABLE)
prepare(PROBER_TABLE)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Partial batch response: what is not in `batchItemFailures` is settled and leaves the queue.

    A message that is not one of ours fails until the queue moves it to the dead-letter queue. A probe whose
    deadline lies beyond this worker's time fails too, and goes on with its next delivery.

    Raises the first fault when no message of the batch succeeded, so that Lambda counts an error: an answer that
    lists every message is a success to it, and lets it go on fetching more of what cannot be done. The two failures
    above are no faults of the prober's: the first has the dead-letter queue's alarm, the second is how a long wait
    goes on. To SQS the whole batch has failed either way.
    """
    batch = _Batch(context.get_remaining_time_in_millis() / 1000)
    failed = _runner().run(batch.probe_all(event["Records"]))
    if batch.faults and len(failed) == len(event["Records"]):
        raise batch.faults[0]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}


@cache
def _runner() -> asyncio.Runner:
    """One event loop with its threads for all invocations of this process: making them is a third of a quick probe."""
    runner = asyncio.Runner()
    atexit.register(runner.close)
    return runner


class _Batch:
    """What the probes of one invocation share: connections, reads of the table, and the end of the worker's time."""

    def __init__(self, seconds: float) -> None:
        # Before any message, so that a wrong one is an error of the function, and not of each message.
        self._settings = app.settings
        self._give_up_at = app.clock.now() + timedelta(seconds=seconds - MARGIN)
        self._http = HttpProbe()
        self._reads = BatchedReads(lambda ids: asyncio.to_thread(app.store.load_many, ids))
        self.faults: list[Exception] = []

    async def probe_all(self, messages: Sequence[Mapping[str, Any]]) -> list[str]:
        """The ids of the messages without a verdict, which are to be delivered again."""
        ended = await asyncio.gather(*map(self._settled, messages), return_exceptions=True)
        # A read that a probe has begun and no longer needs: the loop stops with this invocation.
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
        return [one["messageId"] for one, error in zip(messages, ended, strict=True) if error is not None]

    async def _settled(self, message: Mapping[str, Any]) -> None:
        """Raises when there was no verdict."""
        try:
            await self._probe(target_of(message["body"]))
        except OutOfTime as late:
            logger.warning("probe goes on", extra={**_keys(late.target), "why": str(late)})
            raise
        except MalformedEvent:
            logger.exception("probe not understood", extra={"message_id": message["messageId"]})
            raise
        except Exception as fault:
            if isinstance(fault, CannotProbe):
                keys = {**_keys(fault.target), "last_error": fault.last_error, "remedy": fault.remedy}
                logger.error(PROBE_ABORTED, extra=keys)
            else:
                logger.exception("probe has no verdict", extra={"message_id": message["messageId"]})
            # By the second, so that its alarm is quick.
            count("ProbesWithoutVerdict", resolution=MetricResolution.High)
            self.faults.append(fault)
            raise

    async def _probe(self, target: Target) -> None:
        probe = AgentProbe(
            target,
            check_health=self._http.check_health,
            check_identity=self._http.check_identity if self._settings.verify_agent_identity else None,
            read_record=lambda: self._reads.read(target.ref.container_id),
            settle_verdict=lambda *verdict: asyncio.to_thread(settle_verdict, app, *verdict),
            now=app.clock.now,
            sleep=asyncio.sleep,
            policy=app.policy,
            give_up_at=self._give_up_at,
        )
        result = await probe.run()
        _log(target, result)


def target_of(body: str) -> Target:
    """`{"container_id", "generation", "address"}`. Raises `MalformedEvent` for anything else."""
    try:
        document = json.loads(body)
        return Target(Ref(str(document["container_id"]), int(document["generation"])), str(document["address"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as exc:
        raise MalformedEvent("The message is no JSON object with container_id, generation and address.") from exc


def _log(target: Target, result: ProbeResult) -> None:
    extra = {**_keys(target), "outcome": result.outcome, "attempts": result.attempts, "why": result.why}
    if result.last_error is not None:
        extra["last_error"] = result.last_error.text
    if result.failed_reads:
        extra |= {"failed_reads": result.failed_reads, "last_read_error": result.last_read_error}
    count("ProbeAttempts", result.attempts)
    logger.info("probe ended", extra={name: value for name, value in extra.items() if value is not None})


def _keys(target: Target) -> dict[str, Any]:
    return {**target.ref._asdict(), "agent_address": target.address}
