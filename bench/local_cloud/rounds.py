"""From the moment an agent listens to the moment a backend knows it: rounds of both systems in turn, A B A B.

In turn, so that what the machine does meanwhile meets both. Within a round containers start one after the other and
are waited for together. The tasks of a round end while the next one's are being provisioned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.local_cloud.observer import Observer
    from bench.local_cloud.systems import Reached, System

_CPU: Final = Path("/proc/stat")
_IDLE: Final = slice(3, 5)
"""`idle` and `iowait` among the columns of proc(5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One start. `lag`: seconds from listening to known, up to `gap` more. `stages`: what it was made of."""

    system: str
    round: int
    lag: float
    gap: float
    stages: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The starts of one round, and how busy all processors together were meanwhile (0 to 1)."""

    system: str
    samples: tuple[Sample, ...]
    busy: float


def one_round(system: System, observer: Observer, *, number: int, containers: int, seed: int) -> Round:
    """Starts that many containers, waits for all of them, stops them. Raises what a start or a wait raises."""
    with processors() as busy, ThreadPoolExecutor(containers) as pool:
        waiting: list[tuple[str, Future[Reached]]] = []
        for index in range(containers):
            started = system.start(container_id(seed, system.name, number, index))
            waiting.append((started, pool.submit(system.wait, started)))
        samples = tuple(sample(system.name, number, reached.result(), observer) for _, reached in waiting)
        share = busy()
    for started, _ in waiting:
        system.stop(started)
    return Round(system=system.name, samples=samples, busy=share)


def sample(system: str, number: int, reached: Reached, observer: Observer) -> Sample:
    """What one start shows, against the kernel's truth."""
    seen = observer.listening(reached.address)
    return Sample(
        system=system,
        round=number,
        lag=reached.at - seen.at,
        gap=seen.gap,
        stages=stages(seen.at, reached.at, reached.instants),
    )


def stages(listening: float, known: float, instants: Mapping[str, float]) -> dict[str, float]:
    """The parts of a start, in seconds, as far as they are known.

    Of the stack, `proven` (from listening to the verdict in the item) and `read` (from there to the backend) make up
    the lag. Before or beside it lie `agent-start`, from ECS's RUNNING to the listening agent, and `recorded`, from
    RUNNING to the address in the item; an agent that an early probe has found before RUNNING has neither.
    Of the polling start, `described` ends when DescribeTasks shows the address, `answered` when the agent does.
    """
    found: dict[str, float] = {}
    match instants:
        case {"healthy": healthy}:
            if "started" in instants:
                found["agent-start"] = listening - instants["started"]
                found["recorded"] = instants["resolved"] - instants["started"]
            found["proven"] = healthy - listening
            found["read"] = known - healthy
        case {"resolved": resolved}:
            found["described"] = resolved - listening
            found["answered"] = known - resolved
        case _:
            pass
    return found


def container_id(*parts: object) -> str:
    """64 hex characters of its own for each container, the same for the same seed."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


@contextmanager
def processors() -> Iterator[Callable[[], float]]:
    """A function that tells how busy the processors have been since."""
    total, idle = _jiffies()

    def busy() -> float:
        later, later_idle = _jiffies()
        return 1 - (later_idle - idle) / max(later - total, 1)

    yield busy


def _jiffies() -> tuple[int, int]:
    """All of it and the idle part, summed over the processors."""
    columns = [int(column) for column in _CPU.read_text().split("\n", 1)[0].split()[1:9]]
    return sum(columns), sum(columns[_IDLE])
