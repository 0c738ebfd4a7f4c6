"""Kinds of lives that together make every call of an ordinary life, and of one whose events are all lost. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.model.failure import ErrorCode
from core.model.state import State
from tests.chaos.lives import ASKED_TO_END, CALM, Act, End, Life, Weather
from tests.e2e.stack import SERVER

UNHEARD: Final = Weather(drop=1.0)
"""No event arrives: the reconciler does everything."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A life, what becomes of its events, and what the backend does before the record knows the running task."""

    life: Life
    weather: Weather = CALM
    stopped_early: bool = False
    started_again: bool = False

    @property
    def name(self) -> str:
        return self.life.name + (", unheard" if self.weather == UNHEARD else "")


def _served(tasks: int = 1) -> End:
    return End(State.STOPPED, exit_code=ASKED_TO_END, stop_code="UserInitiated", tasks=tasks)


_SERVER: Final = {"cmd": list(SERVER)}
_SECRET: Final = Life("token in a parameter", _served(), {**_SERVER, "token_delivery": "ssm"}, act=Act.STOP)
_RELAUNCH: Final = Life(
    "second launch", _served(2), act=Act.STOP, fault="eni-provisioning", fault_parameters={"times": 1}
)
# The exit code is runc's too: only what the container printed tells that its process ran. No prober may see the exit.
_JOB: Final = Life(
    "job",
    End(State.STOPPED, exit_code=1, stop_code="EssentialContainerExited"),
    {"cmd": ["sh", "-c", "echo no; exit 1"]},
    fault="port-refused",
)
_UNREACHABLE: Final = Life(
    "port refused",
    End(State.FAILED, ErrorCode.AGENT_UNREACHABLE),
    {**_SERVER, "health_timeout": 3},
    fault="port-refused",
)

KINDS: Final = (
    Kind(_SECRET, UNHEARD),
    Kind(_RELAUNCH, UNHEARD),
    Kind(_JOB, UNHEARD),
    Kind(Life("stopped at once", _served()), UNHEARD, stopped_early=True),
    Kind(Life("started again", _served(), act=Act.STOP), UNHEARD, started_again=True),
    Kind(_SECRET),
    Kind(_RELAUNCH),
    Kind(_JOB),
    Kind(_UNREACHABLE),
)
"""Those that need the reconciler come first: it has a part in another life only where that one is slow."""
