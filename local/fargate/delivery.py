"""Every published version of a task becomes an event and is sent to the bus: in order for each task, at least once.

EventBridge promises the second and not the first; a fault `events` takes both away.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from local.fargate.api.naming import Names
from local.fargate.bus import DeliveryFailed, EventBus
from local.fargate.faults import Faults, Route, route
from local.fargate.snapshot import redacted
from local.fargate.task import Task

log: Final = logging.getLogger("local.fargate")
_KEPT: Final = 5000
_THREADS: Final = 8


@dataclass(slots=True)
class Delivery:
    """An event and its outcome: `pending`, `delivered`, `dropped` (a fault) or `failed`.

    `arrivals` has one number for each copy that arrived, counted over all events in the order of their arrival.
    """

    event: dict[str, Any] = field(repr=False)
    task_id: str
    outcome: str = "pending"
    arrivals: list[int] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The delivery as `/_local/events` shows it, without environment values."""
        return {
            "event": redacted(self.event),
            "outcome": self.outcome,
            "copies": len(self.arrivals),
            "arrivals": self.arrivals,
            "targets": self.targets,
        }


class Deliveries:
    """Sends events and remembers the last few thousand. Without a bus they have no targets."""

    def __init__(self, names: Names, faults: Faults, bus: EventBus | None) -> None:
        self._names = names
        self._faults = faults
        self._bus = bus
        self._kept: deque[Delivery] = deque(maxlen=_KEPT)
        self._lines: dict[str, asyncio.Lock] = {}
        self._arrivals = itertools.count(1)
        self._under_way: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="delivery")

    def emit(self, task: Task) -> None:
        """The task's published version becomes an event. Returns at once; call it on the event loop."""
        delivery = Delivery(envelope(task, self._names), task.id)
        self._kept.append(delivery)
        images = [container.definition["image"] for container in task.containers]
        way = route(self._faults, [task.started_by, task.arn, *images], task.last_status)
        log.info("task %s v%d %s/%s", task.id, task.version, task.last_status, task.desired_status)
        sending = asyncio.get_running_loop().create_task(self._send(delivery, way))
        self._under_way.add(sending)
        sending.add_done_callback(self._under_way.discard)

    def documents(self, task_id: str | None) -> list[dict[str, Any]]:
        """The events kept, oldest first; those of one task when given."""
        return [kept.document() for kept in self._kept if task_id in (None, kept.task_id)]

    async def close(self) -> None:
        for sending in self._under_way:
            sending.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _send(self, delivery: Delivery, way: Route) -> None:
        outcomes = await asyncio.gather(*(self._copy(delivery, held, way.delay) for held in way.held))
        delivery.outcome = outcomes[-1] if outcomes else "dropped"

    async def _copy(self, delivery: Delivery, held: float, delay: float) -> str:
        if held:
            await asyncio.sleep(held)
        # asyncio's lock is first come, first served, and the tasks of a line were created in its order.
        async with self._lines.setdefault(delivery.task_id, asyncio.Lock()):
            await asyncio.sleep(delay)
            return await self._once(delivery)

    async def _once(self, delivery: Delivery) -> str:
        loop = asyncio.get_running_loop()
        try:
            if self._bus is not None:
                delivery.targets = await loop.run_in_executor(self._threads, self._bus.send, delivery.event)
        except DeliveryFailed as exc:
            log.warning("task %s v%d not delivered: %s", delivery.task_id, delivery.event["detail"]["version"], exc)
            return "failed"
        delivery.arrivals.append(next(self._arrivals))
        return "delivered"


def envelope(task: Task, names: Names) -> dict[str, Any]:
    """The event around the detail, as EventBridge wraps it: `time` is `updatedAt` cut to seconds."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": names.account,
        "time": task.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": names.region,
        "resources": [task.arn],
        "detail": task.detail,
    }
