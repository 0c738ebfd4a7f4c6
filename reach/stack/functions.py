"""A function of the stack, invoked synchronously."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.adapters.aws_errors import translated
from core.model.errors import CallFailed

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def invoke(client: LambdaClient, function: str, request: dict[str, Any]) -> dict[str, Any]:
    """The function's answer, which may be a refusal (`error`). Raises `CallFailed`, for a function error too."""
    with translated("Invoke"):
        answer = client.invoke(FunctionName=function, Payload=json.dumps(request).encode())
    text = answer["Payload"].read().decode()
    if failed := answer.get("FunctionError"):
        raise CallFailed("Invoke", failed, f"{function}: {text}", remedy="Read the function's log in CloudWatch.")
    document: dict[str, Any] = json.loads(text)
    return document
