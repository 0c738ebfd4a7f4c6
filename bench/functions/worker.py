"""The process of one function, whose CPU is measured: `python -m bench.functions.worker pairs SCENE HOST:PORT 40 25`.

`pairs`: so many blocks of so many calls by turns, of the handler, and of boto3 alone, which makes the same calls with
the same parameters. `parts`: so many parts of so many calls of the handler alone, each for another container, and with
clients that answer in this process, because an SDK's calls take most of the time and are not the product's.
The result is the last line of standard error, because the handler prints to standard output.
"""

from __future__ import annotations

import gc
import http.client
import json
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

from bench.functions.context import Context, cpu
from bench.functions.double import ID, REQUESTS
from bench.functions.scenes import SCENES, event_of
from bench.quantiles import quantile
from handlers import app

WARM: Final = 20
_SERVICES: Final = {"SendMessage": "sqs", "RunTask": "ecs", "StopTask": "ecs", "DescribeTasks": "ecs"}
"""Of an operation; the others are DynamoDB's."""
_PAGE: Final = resource.getpagesize()
_STATUS: Final = Path("/proc/self/statm")


def bare(scene: str, address: str, requests: Sequence[tuple[str, str]]) -> Callable[[], None]:
    """The calls of one invocation by boto3 alone, and by http.client those of the agent."""
    made: list[Callable[[], object]] = []
    clients: dict[str, Any] = {}
    for operation, body in requests:
        service = _SERVICES.get(operation, "dynamodb")
        client = clients.setdefault(service, boto3.client(service))  # type: ignore[call-overload]
        method, parameters = getattr(client, xform_name(operation)), json.loads(body)
        made.append(lambda method=method, parameters=parameters: method(**parameters))  # type: ignore[misc]
    if SCENES[scene].function == "AgentHealthFunction":
        made += [lambda: _get(address, "/health"), lambda: _get(address, "/ws")]

    def calls() -> None:
        for call in made:
            call()

    return calls


def _requests(scene: str, address: str) -> list[tuple[str, str]]:
    """Those that were made since the last time."""
    return [(name, body) for name, body in json.loads(_get(address, f"/{scene}/{REQUESTS}"))]


def _get(address: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(address)
    connection.request("GET", path)
    answer = connection.getresponse().read()
    connection.close()
    return answer


class _Answering:
    """A client of any service that answers as the double does."""

    exceptions: Any = SimpleNamespace(ConditionalCheckFailedException=ClientError)

    def __init__(self, scene: str) -> None:
        self._answers = {xform_name(name): json.dumps(answer) for name, answer in SCENES[scene].answers.items()}

    def __getattr__(self, method: str) -> Callable[..., Any]:
        text = self._answers[method]

        def answer(**parameters: Any) -> Any:
            key = parameters.get("Key", {}).get("container_id", {}).get("S", "")
            return json.loads(text.replace(ID, key))

        return answer


def pairs(scene: str, address: str, blocks: int, calls: int) -> dict[str, list[Any]]:
    """CPU seconds of each block, of both; and the operations that both call."""
    handle = _handler(scene)
    _requests(scene, address)
    [event] = _events(scene, address, 1)
    handle(event)
    requests = _requests(scene, address)
    operations = [name for name, _ in requests]
    others = bare(scene, address, requests)
    for _ in range(WARM):
        handle(event)
        others()
    found: dict[str, list[Any]] = {"handler": [], "bare": [], "operations": operations}
    for _ in range(blocks):
        begun = cpu()
        for _ in range(calls):
            handle(event)
        between = cpu()
        for _ in range(calls):
            others()
        found["handler"].append(between - begun)
        found["bare"].append(cpu() - between)
    return found


def parts(scene: str, address: str, number: int, calls: int) -> dict[str, list[float]]:
    """CPU seconds of an event in each part, and after it the memory in MiB and the objects that the collector knows.

    What else the machine does only ever adds: the event counts than which a tenth is cheaper.
    """
    # Every client is this one.
    app._client = lambda *_: _Answering(scene)  # type: ignore[assignment]  # noqa: SLF001
    handle = _handler(scene)
    found: dict[str, list[float]] = {"cpu": [], "mib": [], "objects": []}
    for event in _events(scene, address, WARM):
        handle(event)
    for part in range(number):
        seconds = []
        for event in _events(scene, address, calls, part * calls):
            # Reading the event is Lambda's part.
            begun = cpu()
            handle(event)
            seconds.append(cpu() - begun)
        found["cpu"].append(quantile(seconds, 0.1))
        gc.collect()
        found["mib"].append(int(_STATUS.read_text().split()[1]) * _PAGE / 2**20)
        found["objects"].append(len(gc.get_objects()))
    return found


def _handler(scene: str) -> Callable[[Any], object]:
    script = SCENES[scene]
    handler = import_module(f"handlers.{script.module}").handler
    context = Context()
    return lambda event: handler(event, context)


def _events(scene: str, address: str, number: int, first: int = 0) -> Iterator[Any]:
    for container in range(first, first + number):
        yield json.loads(event_of(scene, f"{container:064x}", address))


if __name__ == "__main__":
    what, scene, address, number, calls = sys.argv[1:]
    measured = {"pairs": pairs, "parts": parts}[what](scene, address, int(number), int(calls))
    print(f"\n{json.dumps(measured)}", file=sys.stderr)
