"""The polling start of the seed: the other side of the comparison, as Sockerless's own ECS backend does it.

DescribeTasks every 2 s until RUNNING, the address out of the task's network interface, GET /health every second, and
for the rest of the container's life DescribeTasks every 5 s (ecs.md 10). Each of the three is a Go ticker, so
the first try comes one interval after it was begun. Retries and time-outs are the seed's: a call that fails is made
again at the next tick.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

DESCRIBE_INTERVAL: Final = 2.0
HEALTH_INTERVAL: Final = 1.0
LIFE_INTERVAL: Final = 5.0
START_TIMEOUT: Final = 300.0
HEALTH_TIMEOUT: Final = 60.0
REQUEST_TIMEOUT: Final = 2.0
PORT: Final = 9111

Describe = Callable[[str], Mapping[str, Any]]
"""DescribeTasks' answer for one task ARN."""

Healthy = Callable[[str], bool]
"""Whether GET /health at `host:port` answers 200."""


class StartFailed(Exception):
    """The task stopped, or did not get as far in time."""


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds. `sleep` need not be exact, `monotonic` is believed."""

    sleep: Callable[[float], object]
    monotonic: Callable[[], float]


class Ticker:
    """Go's `time.Ticker`: ticks on a grid that begins one interval from now; of those missed, one is kept."""

    def __init__(self, interval: float, time: Time) -> None:
        self._interval = interval
        self._time = time
        self._due = time.monotonic() + interval

    def wait(self) -> float:
        """Returns at the next tick, or at once when one has been missed: the time it is then."""
        while (early := self._due - self._time.monotonic()) > 0:
            self._time.sleep(early)
        now = self._time.monotonic()
        missed = (now - self._due) // self._interval
        self._due += (missed + 1) * self._interval
        return now


class PollingBackend:
    """Waits for tasks that it started, by asking."""

    def __init__(self, describe: Describe, healthy: Healthy, time: Time) -> None:
        self._describe = describe
        self._healthy = healthy
        self._time = time

    def wait_until_healthy(self, task_arn: str, resolved: Callable[[str], object] = lambda _: None) -> str:
        """The address of the agent that has answered. `resolved` hears of it before it is asked.

        Raises `StartFailed`.
        """
        address = self._wait_until_running(task_arn)
        resolved(address)
        begun, ticker = self._time.monotonic(), Ticker(HEALTH_INTERVAL, self._time)
        while ticker.wait() - begun < HEALTH_TIMEOUT:
            if self._healthy(address):
                return address
        raise StartFailed(f"The agent at {address} did not answer within {HEALTH_TIMEOUT:g} s.")

    def follow(self, task_arn: str) -> None:
        """Returns once the task has STOPPED."""
        ticker = Ticker(LIFE_INTERVAL, self._time)
        while True:
            ticker.wait()
            task = self._task(task_arn)
            if task is not None and task["lastStatus"] == "STOPPED":
                return

    def _wait_until_running(self, task_arn: str) -> str:
        begun, ticker = self._time.monotonic(), Ticker(DESCRIBE_INTERVAL, self._time)
        while ticker.wait() - begun < START_TIMEOUT:
            task = self._task(task_arn)
            if task is None:
                continue
            if task["lastStatus"] == "STOPPED":
                raise StartFailed(f"Task {task_arn} stopped: {task.get('stoppedReason')}")
            if task["lastStatus"] == "RUNNING" and (ip := interface_ip(task)) is not None:
                return f"{ip}:{PORT}"
        raise StartFailed(f"Task {task_arn} was not RUNNING within {START_TIMEOUT:g} s.")

    def _task(self, task_arn: str) -> Mapping[str, Any] | None:
        try:
            tasks = self._describe(task_arn)["tasks"]
        except (BotoCoreError, ClientError):
            return None  # the seed's rule: asked again at the next tick
        return tasks[0] if tasks else None


def interface_ip(task: Mapping[str, Any]) -> str | None:
    """`privateIPv4Address` of the task's network interface, in the API's spelling."""
    for attachment in task.get("attachments", ()):
        if attachment["type"] == "ElasticNetworkInterface":
            for detail in attachment["details"]:
                if detail["name"] == "privateIPv4Address":
                    return str(detail["value"])
    return None


def answers(address: str) -> bool:
    """GET /health over a connection of its own, at most `REQUEST_TIMEOUT` seconds for each step of it."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=REQUEST_TIMEOUT)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
