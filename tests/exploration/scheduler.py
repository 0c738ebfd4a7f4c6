"""One thread at a time, in virtual time: what runs next is what comes next in a heap of instants.

Threads, because the code under test is plain synchronous code and has to stand still in the middle of a call. They are
kept for the next life. Whoever pauses looks for what comes next itself and hands the baton over directly.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from threading import Lock, Thread
from typing import Final

Act = Callable[[], None]


class Died(BaseException):
    """This invocation ends here, as when Lambda ends a worker. No `except Exception` may catch it."""


class Worker:
    """One invocation. `skew` is how far its clock is ahead; `deadline` is when the platform ends it."""

    def __init__(self, name: str, work: Act, skew: float, deadline: float) -> None:
        self.name = name
        self.work = work
        self.skew = skew
        self.deadline = deadline
        self.doomed = False
        self.thread: _Thread | None = None


class _Thread:
    """A thread that carries out one worker after the other, for one scheduler after the other."""

    def __init__(self) -> None:
        self.gate = Lock()
        self.gate.acquire()
        self.job: tuple[Scheduler, Worker] | None = None
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            self.gate.acquire()
            assert self.job is not None
            scheduler, worker = self.job
            scheduler.carry_out(worker, self)


_IDLE: Final[list[_Thread]] = []


class Scheduler:
    """The clock of one life, in seconds from its beginning, and who runs."""

    def __init__(self, chance: Random) -> None:
        self.now = 0.0
        self.current: Worker | None = None
        self._chance = chance
        self._heap: list[tuple[float, float, int, Worker | Act]] = []
        self._number = 0
        self._until = 0.0
        self._crash: BaseException | None = None
        self._main = Lock()
        self._main.acquire()

    def after(self, seconds: float, item: Worker | Act) -> None:
        """Begins a worker, or calls something that makes no calls of its own to the world, so much later."""
        self._number += 1
        # Chance decides between what falls on the same instant.
        heappush(self._heap, (self.now + seconds, self._chance.random(), self._number, item))

    def pause(self, seconds: float) -> None:
        """Lets the others run for so long. Called by workers. Raises `Died` when this one was ended meanwhile."""
        worker = self.current
        assert worker is not None
        self.after(seconds, worker)
        following = self._next()
        if following is not worker:
            assert worker.thread is not None
            self._hand_to(following)
            worker.thread.gate.acquire()
        self.current = worker
        if worker.doomed or self.now > worker.deadline:
            raise Died

    def run(self, until: float) -> None:
        """Runs what comes before that instant. Raises what a worker or a call raised and should not have."""
        self._until = until
        following = self._next()
        if following is not None:
            self._hand_to(following)
            self._main.acquire()
        self.now = until
        if self._crash is not None:
            raise self._crash

    def close(self) -> None:
        """Ends every worker, so that its thread can serve another life."""
        waiting = [item for *_, item in self._heap if isinstance(item, Worker) and item.thread is not None]
        self._heap.clear()
        for worker in waiting:
            worker.doomed = True
            self._hand_to(worker)
            self._main.acquire()

    def carry_out(self, worker: Worker, thread: _Thread) -> None:
        """For threads: the whole of one worker, then whoever is next."""
        self.current = worker
        try:
            worker.work()
        except Died:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._crash = self._crash or error
        worker.thread = None
        following = self._next()
        _IDLE.append(thread)
        self._hand_to(following)

    def _next(self) -> Worker | None:
        while self._heap and self._heap[0][0] <= self._until and self._crash is None:
            instant, _, _, item = heappop(self._heap)
            self.now = max(self.now, instant)
            if isinstance(item, Worker):
                return item
            self.current = None
            try:
                item()
            except BaseException as error:  # noqa: BLE001 - raised again by `run`
                self._crash = error
        return None

    def _hand_to(self, worker: Worker | None) -> None:
        if worker is None:
            self._main.release()
            return
        if worker.thread is None:
            worker.thread = _IDLE.pop() if _IDLE else _Thread()
            worker.thread.job = (self, worker)
        worker.thread.gate.release()
