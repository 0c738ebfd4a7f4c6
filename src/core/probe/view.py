"""Decides from the record whether a probe continues, how fast, and until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core.model.identity import Ref
from core.model.record import Record
from core.model.state import State


@dataclass(frozen=True, slots=True)
class Target:
    """The content of a probe message."""

    ref: Ref
    address: str


@dataclass(frozen=True, slots=True)
class ProbeView:
    """What a probe needs of a record. `over`: why the probe has ended. No `deadline` until the address is resolved.

    `once`: the agent is healthy, and the probe only finds out whether its process has exited.
    """

    over: str | None = None
    once: bool = False
    early: bool = False
    deadline: datetime | None = None
    token: str | None = field(default=None, repr=False)


def probe_view(record: Record | None, target: Target) -> ProbeView:
    """The view of `record`, None if there is none, for the probe of `target`."""
    over = _why_over(record, target)
    if record is None or over is not None:
        return ProbeView(over=over)
    return ProbeView(
        once=record.exit_unseen,
        early=record.state is State.PENDING,
        deadline=record.probe.deadline if record.probe and not record.exit_unseen else None,
        token=record.agent_token,
    )


def _why_over(record: Record | None, target: Target) -> str | None:
    if record is None:
        return "the record is gone"
    if record.generation != target.ref.generation:
        return f"the record is at generation {record.generation}"
    if record.state.ended or (record.state is State.AGENT_HEALTHY and not record.exit_unseen):
        return f"the record is {record.state}"
    if record.stopping:
        return "the task is on its way out"
    if target.address not in {record.agent_address, record.early_address}:
        return "the record has another address"
    judged = record.probe is not None and record.probe.silent_at is not None
    return "another prober has given its verdict" if judged else None
