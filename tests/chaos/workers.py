"""Memory and descriptors of the functions' workers while they run, and whether they grow.

A worker of the local AWS is a process that stays warm, like Lambda's. It grows while it is new: modules, clients and
caches are made at their first use. So growth is judged over the second half of a run, of workers that were there for
most of it. That half is cut into slots of time. From the median of the first slot to that of the last a worker must not
rise by more than a tolerance, without its largest rise from one slot to the next: that is what a first use looks like,
which happens once. A leak of one object for each life rises in every slot, and passes any tolerance when the run is
long enough.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from threading import Event, Thread
from typing import Final, NamedTuple

import psutil

from local.cloud.layout import Layout
from local.cloud.processes import noted

SECONDS: Final = 2.0
"""Between two samples."""
SLOTS: Final = 10
MOST_MIB: Final = 2.0
"""Above the noise of an allocator that returns pages when it likes."""
MOST_DESCRIPTORS: Final = 3.0
"""The SDK keeps a connection for each call that was under way at the same time, ten at most."""
MOST_OF_HALF: Final = 0.8
WARM: Final = 0.8
"""A worker that is younger at the second half's beginning still imports and connects in it."""
_FUNCTION: Final = re.compile(r"/ministack-lambda-sockerless-reach-(\w+Function)-")


class Sample(NamedTuple):
    """`at`: seconds since the sampling began."""

    at: float
    mib: float
    descriptors: int


class Growth(NamedTuple):
    """Of one worker over the second half: the median of each slot."""

    function: str
    pid: int
    mib: tuple[float, ...]
    descriptors: tuple[float, ...]

    @property
    def leaks(self) -> bool:
        """Whether it rose by more than the tolerances."""
        return risen(self.mib) > MOST_MIB or risen(self.descriptors) > MOST_DESCRIPTORS

    def __str__(self) -> str:
        mib, descriptors = " ".join(f"{one:.1f}" for one in self.mib), " ".join(f"{one:g}" for one in self.descriptors)
        return (
            f"{self.function} {self.pid}: {risen(self.mib):+.2f} MiB ({mib}), "
            f"{risen(self.descriptors):+g} descriptors ({descriptors})"
        )


@dataclass(slots=True)
class Workers:
    """The samples of each worker, by function and process."""

    layout: Layout
    samples: defaultdict[tuple[str, int], list[Sample]] = field(default_factory=lambda: defaultdict(list))
    seconds: float = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Samples them as long as the context lasts."""
        over, begun = Event(), time.monotonic()

        def watch() -> None:
            while not over.wait(SECONDS):
                self._sample(time.monotonic() - begun)

        thread = Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.seconds = time.monotonic() - begun

    def growth(self) -> list[Growth]:
        """Of each worker that was there before the second half, and for most of it."""
        half = self.seconds / 2
        return [
            grown(function, pid, late)
            for (function, pid), samples in sorted(self.samples.items())
            if (late := [one for one in samples if one.at >= half])
            and samples[0].at < WARM * half
            and late[-1].at - late[0].at > MOST_OF_HALF * half
        ]

    def _sample(self, at: float) -> None:
        [aws] = [daemon.pid for daemon in noted(self.layout.run) if daemon.name == "ministack"]
        for process in psutil.Process(aws).children(recursive=True):
            try:
                named = _FUNCTION.search(" ".join(process.cmdline()))
                if named:
                    sample = Sample(at, process.memory_info().rss / 2**20, process.num_fds())
                    self.samples[named[1], process.pid].append(sample)
            except psutil.NoSuchProcess:  # it ended while it was looked at
                continue


def grown(function: str, pid: int, samples: list[Sample]) -> Growth:
    """By the medians of the slots that have a sample."""
    first, length = samples[0].at, samples[-1].at - samples[0].at
    slots: defaultdict[int, list[Sample]] = defaultdict(list)
    for one in samples:
        slots[min(SLOTS - 1, int((one.at - first) / length * SLOTS))].append(one)
    kept = [slots[number] for number in sorted(slots)]
    mib = tuple(median(one.mib for one in slot) for slot in kept)
    return Growth(function, pid, mib, tuple(median(float(one.descriptors) for one in slot) for slot in kept))


def risen(medians: Sequence[float]) -> float:
    """From the first to the last, without the largest rise between two neighbours."""
    return medians[-1] - medians[0] - max(0.0, *(later - earlier for earlier, later in pairwise(medians)))
