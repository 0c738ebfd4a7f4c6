"""Memory and descriptors of the functions' workers while they run, and whether they grow.

A worker of the local AWS is a process that stays warm, like Lambda's. It grows while it is new: modules, clients and
caches are made at their first use. So growth is judged over the second half of a run, of workers that were there for
most of it: the least-squares line through a worker's samples must not rise by more than a tolerance from the beginning
of that half to its end. A leak of one object for each life passes any tolerance when the run is long enough.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import linear_regression, median
from threading import Event, Thread
from typing import Final, NamedTuple

import psutil

from local.cloud.layout import Layout
from local.cloud.processes import noted

SECONDS: Final = 2.0
"""Between two samples."""
MOST_MIB: Final = 4.0
"""Growth in a half: above the noise of an allocator that returns pages when it likes."""
MOST_DESCRIPTORS: Final = 5.0
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
    """Of one worker over the second half: medians, and by how much the line rises from its beginning to its end."""

    function: str
    pid: int
    mib: float
    mib_grown: float
    descriptors: float
    descriptors_grown: float

    @property
    def leaks(self) -> bool:
        """Whether it rose by more than the tolerances."""
        return self.mib_grown > MOST_MIB or self.descriptors_grown > MOST_DESCRIPTORS


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
    """By the line through its samples."""
    at = [one.at for one in samples]
    length = at[-1] - at[0]
    mib, descriptors = [one.mib for one in samples], [float(one.descriptors) for one in samples]
    return Growth(
        function,
        pid,
        median(mib),
        linear_regression(at, mib).slope * length,
        median(descriptors),
        linear_regression(at, descriptors).slope * length,
    )
