"""What a probe reads from the record: whether it goes on, how fast, and until when. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.model.state import State

if TYPE_CHECKING:
    from datetime import datetime

    from core.model.identity import Ref
    from core.model.record import Record


@dataclass(frozen=True, slots=True)
class Target:
    """What a message asks to be probed."""

    ref: Ref
    address: str


@dataclass(frozen=True, slots=True)
class ProbeView:
    """What the saved record says about a probe. `over` is the reason why it has ended; None: go on.

    `deadline` is None until the address is in the record (early probe).
    """

    over: str | None = None
    early: bool = False
    deadline: datetime | None = None
    token: str | None = field(default=None, repr=False)


def probe_view(record: Record | None, target: Target) -> ProbeView:
    """What `record` says about the probe of `target`. Pure."""
    over = _why_over(record, target)
    if record is None or over is not None:
        return ProbeView(over=over)
    return ProbeView(
        early=record.state is State.PENDING,
        deadline=record.probe.deadline if record.probe else None,
        token=record.agent_token,
    )


def _why_over(record: Record | None, target: Target) -> str | None:
    if record is None:
        return "the record is gone"
    if record.generation != target.ref.generation:
        return f"the record is at generation {record.generation}"
    if record.state.ended or record.state is State.AGENT_HEALTHY:
        return f"the record is {record.state}"
    if record.stopping:
        return "the task is on its way out"
    if target.address not in {record.agent_address, record.early_address}:
        return "the record has another address"
    judged = record.probe is not None and record.probe.silent_at is not None
    return "another prober has given its verdict" if judged else None
