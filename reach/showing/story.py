"""Why a container is as it is, as `reach why` shows it: the phases, the diagnosis, what is true, what comes next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.client.verdicts import hint
from core.model.instants import format_instant
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State
from reach.showing.last_lines import LastLines
from reach.showing.phases import phases
from reach.showing.words import duration


def story(record: Record, now: datetime, output: LastLines | None = None) -> dict[str, Any]:
    """All that `reach why` shows, as JSON: instants as text, no token. `output` is None where it does not help."""
    stop, warning = record.stop, record.warning
    return {
        "id": record.container_id,
        "state": record.state.value,
        "generation": record.generation,
        "launch": record.attempt,
        "image": record.image,
        "task_arn": record.task_arn,
        "phases": [phase.document() for phase in phases(record, now)],
        "true": truths(record, now),
        "error": record.error and record.error.as_document(),
        "stop": stop
        and {
            "code": stop.code,
            "reason": stop.reason,
            "exit_code": stop.exit_code,
            "cause": stop.cause and stop.cause.value,
            "oom_killed": stop.oom_killed,
        },
        "warning": warning and {"message": warning.message, "remedy": warning.remedy},
        "launches": [
            {"at": format_instant(one.at), "task_arn": one.task_arn, "error": one.failure.as_document()}
            for one in record.launches
        ],
        "last_lines": None if output is None or output.unread else list(output.lines),
        "last_lines_unread": output and output.unread,
    }


def truths(record: Record, now: datetime) -> list[str]:
    """Sentences that the item proves, and for a start what it waits for. An error speaks for itself."""
    match record.state:
        case State.FAILED:
            return []
        case _ if record.unexplained is not None:
            return ["Its end is known. Its output is read next, which decides between stopped and failed."]
        case State.STOPPED:
            return [_ended(record)]
        case State.AGENT_HEALTHY:
            said = _healthy(record)
        case _:
            said = [f"The container is {record.state}. {hint(record)}"]
    if record.stopping:
        said.append("Its task is on its way out (a stop, Spot's notice): an agent answers for two minutes at most.")
    elif record.stop_wanted:
        said.append("Its stop is recorded, and ECS has not confirmed it yet.")
    if record.max_lifetime is not None:
        said.append(f"Its task is stopped when it has run for {duration(record.max_lifetime)} (max_lifetime).")
    since = max((now - record.updated_at).total_seconds(), 0)
    said.append(f"The item was written {duration(since)} ago.")
    return said


def _healthy(record: Record) -> list[str]:
    answered = record.timings.get(Instant.HEALTHY, record.updated_at)
    took = duration(max((answered - record.created_at).total_seconds(), 0))
    said = [
        f"The agent at {record.agent_address} answered {took} after the start, at {format_instant(answered)}.",
        "It answered once: an agent that dies while its task runs stays in the item.",
        "The item has its token, so exec and attach work from where the address can be reached.",
    ]
    if record.keep_alive:
        said.append("The agent runs alone (keep_alive): there is no main process to attach to.")
    if record.exit_unseen:
        said.append("Its process may have exited: this agent stays, and is asked every ExitCheckSeconds.")
    return said


def _ended(record: Record) -> str:
    stop = record.stop
    code = "an unknown code" if stop is None or stop.exit_code is None else f"code {stop.exit_code}"
    at = f" at {format_instant(record.finished_at)}" if record.finished_at else ""
    memory = " It was killed for the memory it used." if stop and stop.oom_killed else ""
    cause = f" ({stop.cause})" if stop and stop.cause else ""
    reason = f" ECS says: {stop.reason}" if stop and stop.reason else ""
    return f"The container's process ran and ended with {code}{at}{cause}.{memory}{reason}"
