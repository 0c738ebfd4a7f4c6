"""Says after the tests how far the searches went."""

from __future__ import annotations

import pytest

from tests.interleavings.search import Searched

SEARCHED: pytest.StashKey[list[Searched]] = pytest.StashKey()


@pytest.fixture(scope="session")
def searched(pytestconfig: pytest.Config) -> list[Searched]:
    """For the summary."""
    return pytestconfig.stash.setdefault(SEARCHED, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How many states, how deep."""
    found = config.stash.get(SEARCHED, [])
    if found:
        states, steps = sum(one.states for one in found), sum(one.transitions for one in found)
        depths = [one.depth for one in found]
        terminalreporter.write_line(
            f"interleavings: {states} states and {steps} steps of {len(found)} scenes, every one to a depth of "
            f"{min(depths)} to {max(depths)}; deeper: make explore"
        )
