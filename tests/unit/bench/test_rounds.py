from __future__ import annotations

import pytest

from bench.local_cloud.rounds import stages


def test_the_stages_of_the_stack_make_up_its_lag() -> None:
    """`proven` and `read` are the lag; what lies before it is told apart."""
    found = stages(10.2, 10.9, {"started": 10.0, "resolved": 10.05, "healthy": 10.4})
    assert found == pytest.approx({"agent-start": 0.2, "recorded": 0.05, "proven": 0.2, "read": 0.5})
    assert found["proven"] + found["read"] == pytest.approx(10.9 - 10.2)


def test_the_stages_of_the_polling_start_make_up_its_lag() -> None:
    """An address may be found before its agent listens: then the first stage is negative."""
    found = stages(10.2, 11.1, {"resolved": 10.1})
    assert found == pytest.approx({"described": -0.1, "answered": 1.0})
    assert sum(found.values()) == pytest.approx(11.1 - 10.2)


def test_an_agent_found_before_running_has_no_stages_before_its_lag() -> None:
    """An early probe may be first: then RUNNING is not known yet."""
    assert stages(10.2, 10.9, {"resolved": 10.3, "healthy": 10.4}) == pytest.approx({"proven": 0.2, "read": 0.5})
