"""Kinds of lives, and how each has to end whatever becomes of its events. Pure data."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from core.model.failure import Cause, ErrorCode
from core.model.state import State
from tests.e2e.stack import SERVER

SIGKILLED: Final = 128 + 9
ASKED_TO_END: Final = 0
"""The agent passes SIGTERM on to the child, and its own end is a clean one."""


class Act(StrEnum):
    """What is done to a container as soon as its record says that its agent answers."""

    STOP = "the backend stops it"
    KILL = "its process is killed"
    INTERRUPT = "Spot takes its capacity back"


@dataclass(frozen=True, slots=True)
class End:
    """How a life ends. `exit_code` and `stop_code` belong to `stopped`; `tasks` is how many are started for it."""

    state: State
    code: ErrorCode | None = None
    cause: Cause | None = None
    exit_code: int | None = None
    stop_code: str | None = None
    tasks: int = 1


@dataclass(frozen=True, slots=True)
class Life:
    """A kind of life: the start request, the fault it meets, what is done to it once healthy, and its end."""

    name: str
    end: End
    request: dict[str, Any] = field(default_factory=lambda: {"cmd": list(SERVER)})
    act: Act | None = None
    fault: str | None = None
    fault_parameters: dict[str, Any] = field(default_factory=dict)


def _stopped(stop_code: str, exit_code: int, tasks: int = 1) -> End:
    return End(State.STOPPED, exit_code=exit_code, stop_code=stop_code, tasks=tasks)


def _not_started(cause: Cause, tasks: int = 1) -> End:
    return End(State.FAILED, ErrorCode.TASK_FAILED_TO_START, cause, tasks=tasks)


def _job(code: int, seconds: float) -> dict[str, Any]:
    return {"cmd": ["sh", "-c", f"sleep {seconds:g}; exit {code}"]}


_EXITED: Final = "EssentialContainerExited"
_BY_USER: Final = "UserInitiated"

LIVES: Final = (
    Life("served until stopped", _stopped(_BY_USER, ASKED_TO_END), act=Act.STOP),
    Life(
        "kept alive until stopped",
        _stopped(_BY_USER, ASKED_TO_END),
        {"entrypoint": ["tail"], "cmd": ["-f", "/dev/null"]},
        act=Act.STOP,
    ),
    Life("killed", _stopped(_EXITED, SIGKILLED), act=Act.KILL),
    Life("interrupted", _stopped("SpotInterruption", ASKED_TO_END), act=Act.INTERRUPT),
    Life("job that succeeds", _stopped(_EXITED, 0), _job(0, 0)),
    Life("job that fails", _stopped(_EXITED, 7), _job(7, 1)),
    Life("agent missing", _not_started(Cause.AGENT_BINARY_MISSING), fault="agent-missing"),
    Life("image missing", _not_started(Cause.IMAGE_PULL_FAILED), fault="image-pull"),
    Life("port refused", End(State.FAILED, ErrorCode.AGENT_UNREACHABLE), fault="port-refused"),
    Life(
        "served at the second launch",
        _stopped(_BY_USER, ASKED_TO_END, tasks=2),
        act=Act.STOP,
        fault="eni-provisioning",
        fault_parameters={"times": 1},
    ),
    Life("no network at any launch", _not_started(Cause.ENI_PROVISIONING, tasks=2), fault="eni-provisioning"),
)


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to events on their way: probabilities, and for how long copies are held back at most."""

    drop: float = 0.0
    duplicate: float = 0.0
    scatter_seconds: float = 0.0


CALM: Final = Weather()
STORM: Final = Weather(drop=0.2, duplicate=0.2, scatter_seconds=2.0)
"""A fifth lost, a fifth doubled, and all held back for so long that those of a whole life overtake each other."""


@dataclass(frozen=True, slots=True)
class Member:
    """One container. `seed` decides what becomes of its events, whatever the others do."""

    container_id: str
    life: Life
    weather: Weather
    seed: int


def members(seed: int, number: int, weather: Weather) -> list[Member]:
    """So many containers of all kinds, mixed by the seed: every kind equally often, in an order of chance."""
    chance = random.Random(seed)  # noqa: S311 - an order, no secret
    kinds: list[Life] = [LIVES[one % len(LIVES)] for one in range(number)]
    chance.shuffle(kinds)
    return [_member(seed, place, life, weather) for place, life in enumerate(kinds)]


def _member(seed: int, place: int, life: Life, weather: Weather) -> Member:
    digest = hashlib.sha256(repr((seed, place, weather)).encode())
    return Member(digest.hexdigest(), life, weather, int.from_bytes(digest.digest()[:4]))


def kinds(among: Sequence[Member]) -> set[str]:
    """The names of the lives that occur."""
    return {member.life.name for member in among}
