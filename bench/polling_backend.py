"""The polling start of the seed: the other side of the comparison, as Sockerless's own ECS backend does it.

DescribeTasks every 2 s until RUNNING, the address out of the task's network interface, GET /health every second, and
for the rest of the container's life DescribeTasks every 5 s (ecs.md 10). Each of the three is a Go ticker, so
the first try comes one interval after it was begun. Retries and time-outs are the seed's: a call that fails is made
again at the next tick.

What it does is a generator of steps, which somewhere else are carried out: by `PollingBackend` in real time, by
`bench.virtual.polling` on a simulated clock.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

DESCRIBE_INTERVAL: Final = 2.0
HEALTH_INTERVAL: Final = 1.0
LIFE_INTERVAL: Final = 5.0
START_TIMEOUT: Final = 300.0
HEALTH_TIMEOUT: Final = 60.0
REQUEST_TIMEOUT: Final = 2.0
PORT: Final = 9111

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sleep:
    """A step that lasts so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DescribeTask:
    """A step that is answered with the task as DescribeTasks shows it; None for none, or when the call failed."""

    task_arn: str


@dataclass(frozen=True, slots=True)
class CheckHealth:
    """A step that is answered with whether GET /health at `host:port` answers 200."""

    address: str


Step: TypeAlias = Sleep | DescribeTask | CheckHealth
Steps: TypeAlias = Generator[Step, Any, T]


class StartFailed(Exception):
    """The task stopped, or did not get as far in time."""


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds. `sleep` need not be exact, `monotonic` is believed."""

    sleep: Callable[[float], object]
    monotonic: Callable[[], float]


class Ticker:
    """Go's `time.Ticker`: ticks on a grid that begins one interval from now; of those missed, one is kept."""

    def __init__(self, interval: float, monotonic: Callable[[], float]) -> None:
        self._interval = interval
        self._monotonic = monotonic
        self._due = monotonic() + interval

    def wait(self) -> Steps[float]:
        """Returns at the next tick, or at once when one has been missed: the time it is then."""
        while (early := self._due - self._monotonic()) > 0:
            yield Sleep(early)
        now = self._monotonic()
        missed = (now - self._due) // self._interval
        self._due += (missed + 1) * self._interval
        return now


def wait_until_healthy(
    task_arn: str, monotonic: Callable[[], float], resolved: Callable[[str], object] = lambda _: None
) -> Steps[str]:
    """The address of the agent that has answered; `resolved` is called with it before it is asked.

    Raises `StartFailed`.
    """
    address = yield from _wait_until_running(task_arn, monotonic)
    resolved(address)
    begun, ticker = monotonic(), Ticker(HEALTH_INTERVAL, monotonic)
    while (yield from ticker.wait()) - begun < HEALTH_TIMEOUT:
        if (yield CheckHealth(address)):
            return address
    raise StartFailed(f"The agent at {address} did not answer within {HEALTH_TIMEOUT:g} s.")


def follow(task_arn: str, monotonic: Callable[[], float]) -> Steps[None]:
    """Returns once the task has STOPPED."""
    ticker = Ticker(LIFE_INTERVAL, monotonic)
    while True:
        yield from ticker.wait()
        task = yield DescribeTask(task_arn)
        if task is not None and task["lastStatus"] == "STOPPED":
            return


def _wait_until_running(task_arn: str, monotonic: Callable[[], float]) -> Steps[str]:
    begun, ticker = monotonic(), Ticker(DESCRIBE_INTERVAL, monotonic)
    while (yield from ticker.wait()) - begun < START_TIMEOUT:
        task = yield DescribeTask(task_arn)
        if task is None:
            continue
        if task["lastStatus"] == "STOPPED":
            raise StartFailed(f"Task {task_arn} stopped: {task.get('stoppedReason')}")
        if task["lastStatus"] == "RUNNING" and (ip := interface_ip(task)) is not None:
            return f"{ip}:{PORT}"
    raise StartFailed(f"Task {task_arn} was not RUNNING within {START_TIMEOUT:g} s.")


class PollingBackend:
    """Carries the steps out, one after the other.

    `describe` gives DescribeTasks' answer for one task ARN, `healthy` whether GET /health at `host:port` answers 200.
    """

    def __init__(
        self, describe: Callable[[str], Mapping[str, Any]], healthy: Callable[[str], bool], time: Time
    ) -> None:
        self._describe = describe
        self._healthy = healthy
        self._time = time

    def wait_until_healthy(self, task_arn: str, resolved: Callable[[str], object] = lambda _: None) -> str:
        """As the function. Raises `StartFailed`."""
        return self.carried_out(wait_until_healthy(task_arn, self._time.monotonic, resolved))

    def follow(self, task_arn: str) -> None:
        """As the function."""
        self.carried_out(follow(task_arn, self._time.monotonic))

    def carried_out(self, steps: Steps[T]) -> T:
        """What the steps lead to."""
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            match step:
                case Sleep(seconds):
                    answer = self._time.sleep(seconds)
                case DescribeTask(task_arn):
                    answer = self._task(task_arn)
                case CheckHealth(address):
                    answer = self._healthy(address)

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
