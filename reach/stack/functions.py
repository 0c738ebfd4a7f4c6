"""A function of the stack, invoked synchronously."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.adapters.aws_errors import translated
from core.model.errors import CallFailed
from core.model.failure import ErrorCode
from reach import FunctionRefused, NotFound

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


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
    document: dict[str, Any] = json.loads(text)
    if error := document.get("error"):
        said = f"{error['message']} {error['remedy']}"
        raise NotFound(said) if error["code"] == ErrorCode.NOT_FOUND else FunctionRefused(error["code"], said)
    return document
