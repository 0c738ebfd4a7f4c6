from collections.abc import Iterator

import pytest

from tests.unit.local.agent.running import Conversation, RunningAgent, running_agent, running_stand_in


@pytest.fixture(scope="package")
def idle_agent() -> Iterator[RunningAgent]:
    """An agent in keep-alive mode, shared by tests that leave nothing behind."""
    with running_agent("--keep-alive", "--") as agent:
        yield agent


@pytest.fixture
def talk(idle_agent: RunningAgent) -> Iterator[Conversation]:
    """A connection to the shared agent."""
    with idle_agent.conversation() as conversation:
        yield conversation


@pytest.fixture(scope="package", params=["spec", "sockerless"])
def any_agent(request: pytest.FixtureRequest) -> Iterator[RunningAgent]:
    """An agent of each flavor without a main process, shared by tests that leave nothing behind."""
    with running_agent("--keep-alive", "--") if request.param == "spec" else running_stand_in() as agent:
        yield agent
