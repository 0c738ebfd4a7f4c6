"""The rows of the prober's benchmark, of measurements that were made up."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bench.prober import _document, _rows, lag_of
from bench.prober_processes import Measured, bare_refused, refused


def measured(agents: int, times: float) -> Measured:
    probes = ((1e-4, times * 1e-4), (2e-4, times * 2e-4), (1e-4, 9e-4))
    return Measured(agents=agents, probes=probes, refusals=probes if agents > 10 else (), peak_bytes=70_000_000)


def test_a_row_for_each_number_of_agents() -> None:
    """One pair that was disturbed decides nothing, and the worst lag is that of all numbers."""
    rows = list(_rows([measured(1, 2), measured(1000, 4)], [0.1, 2.0]))
    assert [(row.passed, row.ratio) for row in rows] == [
        (True, 1.5),
        (False, 0.75),
        (False, 0.75),
        (False, 0.5),
        (True, 1.829),
    ]
    assert rows[0].measured == "2.00 x: 400 µs against 100"
    assert "1,000 agents" in rows[3].measured


def test_a_busy_machine_adds_nothing_to_the_lag() -> None:
    """From the agents listening on, what the worker waits for a processor is left out."""
    assert lag_of(10.5, [(10.0, 1.0), (10.4, 1.1), (11.0, 1.2), (12.0, 1.6)]) == pytest.approx(1.0)


def test_what_was_not_measured_is_no_figure() -> None:
    """Few agents make too few refused tries."""
    assert _document(measured(1, 2), 0.1)["refusal_us"] is None


def test_both_sides_say_how_often_they_tried() -> None:
    """Agents that refuse: each ten times by the bare loop, and by the prober until its deadline."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert asyncio.run(bare_refused(2, port)) == 20
        assert asyncio.run(refused(2, port)) >= 2
