"""A function of the stack, invoked synchronously."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from core.adapters.aws_errors import translated
from core.model.errors import CallFailed
from core.model.failure import ErrorCode
from core.ports import Clock
from reach import FunctionRefused, NotFound

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SECONDS: Final = 75.0
"""Until an answer. The functions run for 60 s at most (template.yaml)."""
PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds between two sends."""


def repeated(send: Callable[[], dict[str, Any]], clock: Clock, *, unanswered: bool) -> dict[str, Any]:
    """What `send` returns, which is called again when it was throttled; `unanswered`: also when no answer came.

    Raises as `send` does; `CallFailed` is uncertain when one send of all may have had an effect.
    """
    lost, pauses = False, iter(PAUSES)
    while True:
        try:
            return send()
        except CallFailed as failed:
            lost = lost or failed.uncertain
            repeats = unanswered if failed.uncertain else failed.transient
            pause = next(pauses, None) if repeats else None
            if pause is None:
                raise failed.but(uncertain=lost) from failed
            clock.sleep(pause)


def invoke(client: LambdaClient, function: str, request: dict[str, Any], *, single: bool = False) -> dict[str, Any]:
    """The function's answer. `single`: the client makes one attempt.

    Raises `NotFound` and `FunctionRefused` for a refusal, and `CallFailed`: uncertain for a function error too, because
    the function may have done some of its work.
    """
    with translated("Invoke", single=single):
        answer = client.invoke(FunctionName=function, Payload=json.dumps(request).encode())
        text = answer["Payload"].read().decode()
    if failed := answer.get("FunctionError"):
        remedy = "Read the function's log in CloudWatch."
        raise CallFailed("Invoke", failed, f"{function}: {text}", remedy=remedy, uncertain=True)
    with suppress(ValueError):
        document = json.loads(text)
        if isinstance(document, dict) and document.keys() & {"container_id", "error"}:
            return _taken(document)
    said = f"what answers at {client.meta.endpoint_url} is not a function of this stack"
    raise CallFailed("Invoke", "NotAws", said, uncertain=True)


def _taken(document: dict[str, Any]) -> dict[str, Any]:
    """Raises `NotFound` and `FunctionRefused`."""
    if error := document.get("error"):
        said = f"{error['message']} {error['remedy']}"
        raise NotFound(said) if error["code"] == ErrorCode.NOT_FOUND else FunctionRefused(error["code"], said)
    return document
