"""Threads on a clock of their own: one runs at a time, and time passes only while all of them sleep.

Code that was written to sleep and to look at a monotonic clock runs in it as it is, and the same program takes the same
steps each time, whatever the machine is doing.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count


@dataclass(slots=True)
class VirtualTime:
    """Seconds from 0 on. Of those that wake at the same instant, the one that slept first goes first."""

    now: float = 0.0
    _sleeping: list[tuple[float, int, threading.Event]] = field(default_factory=list, init=False)
    _order: count[int] = field(default_factory=count, init=False)
    _over: threading.Event = field(default_factory=threading.Event, init=False)
    _errors: list[BaseException] = field(default_factory=list, init=False)

    def monotonic(self) -> float:
        """The instant."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """For a thread of `run`: others run meanwhile, and time passes."""
        turn = self._awaits(self.now + max(0.0, seconds))
        self._next()
        turn.wait()

    def run(self, bodies: Iterable[tuple[float, Callable[[], object]]]) -> None:
        """Runs each from its instant on until all have ended. Raises what the first one that failed has raised."""
        threads = [
            threading.Thread(target=self._body, args=(self._awaits(at), body), daemon=True) for at, body in bodies
        ]
        for thread in threads:
            thread.start()
        self._next()
        self._over.wait()
        for thread in threads:
            thread.join()
        for error in self._errors:
            raise error

    def _body(self, turn: threading.Event, body: Callable[[], object]) -> None:
        turn.wait()
        try:
            body()
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._errors.append(error)
        self._next()

    def _awaits(self, instant: float) -> threading.Event:
        turn = threading.Event()
        heapq.heappush(self._sleeping, (instant, next(self._order), turn))
        return turn

    def _next(self) -> None:
        if not self._sleeping:
            self._over.set()
            return
        self.now, _, turn = heapq.heappop(self._sleeping)
        turn.set()
