"""What the functions cost of a processor: the processes that are measured, and the rows that follow."""

from __future__ import annotations

import pytest

from bench import cold_start, handler_cpu
from bench.functions.double import double
from bench.functions.running import run
from bench.functions.scenes import SCENES, answers

STEPS = {"imports": 0.2, "clients": 0.1, "first event": 0.01, "second event": 0.003}


def test_both_sides_make_the_same_calls() -> None:
    """The bare side repeats what the handler has sent, which the other process has kept."""
    with double(answers()) as address:
        found = run(("-m", "bench.functions.worker", "pairs", "stop", address, "1", "1"), "stop", address)
    assert found["operations"] == ["GetItem", "PutItem", "StopTask"]
    assert (len(found["handler"]), len(found["bare"])) == (1, 1)


def test_every_function_has_a_scene() -> None:
    """None is left out of the measurement."""
    assert {scene.function.removesuffix("Function") for scene in SCENES.values()} == {
        "TaskState", "AgentHealth", "StartContainer", "StopContainer", "Reconcile",
    }  # fmt: skip


@pytest.mark.parametrize(("ratio", "passed"), [(1.5, True), (1.51, False)])
def test_an_event_may_cost_half_as_much_again(ratio: float, passed: bool) -> None:
    """Of a pair of blocks, the median counts: one that another process has disturbed does not."""
    one = {"scene": "stop", "function": "F", "calls": ["GetItem"], "ratio": ratio, "handler_ms": 3.0, "bare_ms": 2.0}
    [row] = handler_cpu.rows([one])
    assert (row.passed, row.point) == (passed, "6")
    assert handler_cpu.ratio([1.5, 1.5, 9.0], [1.0, 1.0, 1.0]) == 1.5


def test_many_events_are_flat() -> None:
    """The last tenth is held against the first one, in CPU and in memory."""
    flat = {"cpu": [1.0, 1.0], "mib": [50.0, 50.1], "objects": [10.0, 10.0]}
    grown = {"cpu": [1.0, 1.5], "mib": [50.0, 70.0], "objects": [10.0, 90.0]}
    assert [row.passed for row in handler_cpu.flat(flat)] == [True, True]
    assert [row.passed for row in handler_cpu.flat(grown)] == [False, False]


@pytest.mark.parametrize(
    ("ratio", "imports", "size", "passed"),
    [
        (1.4, {"botocore": 0.05, "email": 0.01}, 12e6, [True, True, True]),
        (1.5, {"botocore": 0.05}, 12e6, [False, True, True]),
        (1.4, {"pandas": 0.3}, 12e6, [True, False, True]),
        (1.4, {"botocore": 0.05}, 26e6, [True, True, False]),
    ],
)
def test_goals_of_a_cold_start(ratio: float, imports: dict[str, float], size: float, passed: list[bool]) -> None:
    """The CPU against a bare function's, a reason for each long import, and the package."""
    one = {"function": "F", "ours": STEPS, "bare": STEPS, "ratio": ratio, "imports": imports}
    rows = cold_start.rows({"functions": [one], "package_bytes": size})
    assert [row.passed for row in rows] == passed
