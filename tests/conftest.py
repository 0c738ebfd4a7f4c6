"""What holds for every directory of tests: in what the tasks of the deployed stack run, and with which agent."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from local.agent.package import MODULES
from local.fargate.runtime import RuntimeName

# How long a draw takes is the machine's, and no test judges it.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The runtime and the agent of the end-to-end tests: the same tests, other containers."""
    parser.addoption(
        "--runtime",
        type=RuntimeName,
        choices=[RuntimeName.PROCESS, RuntimeName.DOCKER],
        default=RuntimeName.PROCESS,
        help="what the containers of the deployed stack are, in tests/e2e (default: %(default)s)",
    )
    parser.addoption(
        "--agent-flavor",
        choices=list(MODULES),
        default="spec",
        help="which agent they get, in tests/e2e (default: %(default)s)",
    )


class ByDirectory(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A directory of tests stays with one process: it shares a cloud, and its last test reads what all have left."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByDirectory | None:
    """With `--dist loadscope`."""
    return ByDirectory(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.fixture(scope="session", autouse=True)
def signals() -> Iterator[None]:
    """What tests start is ended by signals also where this run ignores them: under nohup, or in a script's background.

    A program inherits what is ignored, and not what is handled.
    """
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGQUIT: pass_over, signal.SIGHUP: pass_over}
    ignored = [number for number in handlers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, handlers[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def pass_over(_number: int, _frame: object) -> None:
    """This run goes on."""


@pytest.fixture(scope="session")
def runtime(pytestconfig: pytest.Config) -> RuntimeName:
    """What was asked for. Without an engine the run ends here, because skipped tests would look like passed ones."""
    name: RuntimeName = pytestconfig.getoption("runtime")
    if name is RuntimeName.DOCKER:
        require_engine()
    return name


@pytest.fixture(scope="session")
def agent_flavor(pytestconfig: pytest.Config) -> str:
    """The AgentFlavor that was asked for."""
    return str(pytestconfig.getoption("agent_flavor"))


def require_engine() -> None:
    """Ends the run with what to do, when no container engine answers that has the base image."""
    from local.fargate.engine.connection import BASE_IMAGE, ready

    if not asyncio.run(ready()):
        pytest.exit(
            f"No container engine answers that has {BASE_IMAGE}. What to do: local/docker/engine.sh start, "
            "then local/docker/base_image.sh",
            returncode=1,
        )


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Prints a line at once: a run takes minutes, and its numbers are of interest also when it passes.

    A process of several has no terminal: what it prints is shown when the test fails.
    """
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    terminal = pytestconfig.pluginmanager.getplugin("terminalreporter")

    def tell(line: str) -> None:
        if terminal is None:
            sys.stdout.write(f"{line}\n")
            return
        with capture.global_and_fixture_disabled():
            terminal.write_line(line)

    return tell
