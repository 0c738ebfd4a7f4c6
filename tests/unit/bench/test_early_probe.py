"""The rows of the benchmark of early probes, of minutes that were made up, and a lived one."""

from __future__ import annotations

import pytest

from bench.early_probe import IMAGE, ON, Compared, _document, _rows
from bench.virtual.minutes import Lived, reach
from docs import costs
from tests.factories import SETTINGS


def lived(lag: float, prober_seconds: float) -> Lived:
    counts = {
        "AgentHealthFunction invocations": 100.0,
        "AgentHealthFunction seconds": 100 * prober_seconds,
        "TaskStateFunction invocations": 100.0,
        "TaskStateFunction seconds": 3.0,
        "write_units": 800.0,
        "read_units": 4000.0,
        "messages": 100.0,
        "start times read": 0.0,
        "start times written": 0.0,
    }
    return Lived([lag] * 100, {}, counts)


def test_what_gains_more_than_it_costs_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the delay for a tenth of a second of the prober; and the other way round, with the reason."""
    monkeypatch.setattr(costs, "life", lambda _: [costs.Line("a life", 50, "write")])
    good = Compared(1, True, lived(0.2, 0.05), lived(0.1, 0.15))
    bad = Compared(1, False, lived(0.2, 0.05), lived(0.19, 5.05))
    worse = Compared(100, True, lived(0.2, 0.05), lived(0.4, 5.05))
    rows = list(_rows([good, bad, worse]))
    assert [row.passed for row in rows] == [True, False, False]
    assert [good.gain, good.cost] == pytest.approx([0.5, 0.417 / 31.25], rel=0.01)
    assert sum(good.added.values()) == pytest.approx(1e6 * 0.1 * 0.25 * 0.0000166667)
    assert "5.0 s a start instead of 0.05: Lambda time" in rows[1].why
    assert "not there for others" in rows[2].why
    assert _document(bad)["prober_seconds"] == {"off": 0.05, "on": 5.05}


def test_early_probes_find_agents_sooner_where_starts_are_few() -> None:
    """What they are for, in the same world; each event of PENDING is an invocation more."""
    off, on = (reach(range(8), 1, settings=one, task=IMAGE, earlier=20) for one in (SETTINGS, ON))
    assert sum(on.lags) < sum(off.lags)
    assert on.counts["TaskStateFunction invocations"] == 2 * off.counts["TaskStateFunction invocations"]
    assert 0 < on.counts["start times written"] <= 5
