"""Settling a prober's verdict, and learning from it when the next early probe of the task definition is to begin."""

from __future__ import annotations

from typing import Final

from core.control.settle import settle_event
from core.machine.early_probe import early, learnt
from core.model.facts import Fact
from core.model.record import Record, Settled, Unknown
from core.model.state import State
from core.ports import Ports

SAMPLE: Final = 1 / 8
"""Of the starts: what is known already changes slowly, and a write costs as much as four reads."""


def settle_verdict(ports: Ports, verdict: Fact, known: Record | None) -> Settled | Unknown:
    """As `core.control.settle.settle_event`. The verdict is saved before anything is learnt."""
    settled = settle_event(ports, verdict, known)
    if ports.policy.early_probe and isinstance(settled, Settled) and _answered(settled):
        _learn(ports, settled.record)
    return settled


def _answered(settled: Settled) -> bool:
    return any(step.to is State.AGENT_HEALTHY for step in settled.steps)


def _learn(ports: Ports, record: Record) -> None:
    family = early(record).family
    usual = ports.start_times.usual(family)
    if usual is None or ports.clock.random() < SAMPLE:
        ports.start_times.learn(family, learnt(usual, record), ports.clock.now())
