"""The deployed functions: their variables for `sam local invoke`, and warm workers for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from local.cloud.environment import ENDPOINTS
from local.cloud.layout import ROOT

WORKERS: Final[Mapping[str, tuple[str, int]]] = {
    "TaskState": ("task-running", 4),
    "AgentHealth": ("agent-health", 4),
    "StartContainer": ("start-container-refused", 1),
    "StopContainer": ("stop-container-unknown", 1),
    "Reconcile": ("reconcile", 1),
}
"""For each function a file of `events/` that changes nothing in an empty table, and how many workers to warm."""


def variables_of_functions(
    functions: Any, outputs: Mapping[str, str], endpoints: tuple[str, str]
) -> dict[str, dict[str, str]]:
    """The content of a file for `sam local invoke --env-vars`: what each function is deployed with, and the endpoints.

    SAM would replace each `!Ref` by the name of what it refers to.
    """
    found = {}
    for name, arn in _arns(outputs):
        deployed = functions.get_function_configuration(FunctionName=arn)["Environment"]["Variables"]
        found[f"{name}Function"] = {**deployed, **dict(zip(ENDPOINTS, endpoints, strict=True))}
    return found


def warm(functions: Any, outputs: Mapping[str, str]) -> None:
    """Returns when each function has as many workers as `WORKERS` says, with all modules imported.

    The local AWS starts a worker for an invocation that finds none idle, so invocations at the same time get one each.
    """
    arns = dict(_arns(outputs))
    with ThreadPoolExecutor(sum(number for _, number in WORKERS.values())) as pool:
        invocations = [
            pool.submit(functions.invoke, FunctionName=arns[name], Payload=(ROOT / f"events/{file}.json").read_bytes())
            for name, (file, number) in WORKERS.items()
            for _ in range(number)
        ]
    for one in invocations:
        one.result()


def _arns(outputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The functions' names, without the suffix `Function`, and ARNs."""
    for name, value in outputs.items():
        if name.endswith("FunctionArn"):
            yield name.removesuffix("FunctionArn"), value
