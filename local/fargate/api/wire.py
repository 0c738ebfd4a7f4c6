"""ECS's JSON 1.1 protocol: requests checked against botocore's own service model, answers as AWS spells them, pages.

A member that the model does not know is refused, although AWS ignores it: on a laptop a typo should show.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from local.fargate.api.errors import AwsError

CONTENT_TYPE: Final = "application/x-amz-json-1.1"
_LARGEST_PAGE: Final = 100
_CLIENT_EXCEPTIONS: Final = frozenset({"RegisterTaskDefinition", "DescribeTaskDefinition", "DeregisterTaskDefinition"})


@cache
def service_model() -> ServiceModel:
    """The ECS model that boto3 itself uses."""
    return ServiceModel(Loader().load_service_model("ecs", "service-2"), "ecs")


def operation_of(target: str) -> str:
    """The operation in `X-Amz-Target`. Raises `UnknownOperationException`."""
    prefix, _, operation = target.rpartition(".")
    if prefix != service_model().metadata["targetPrefix"] or operation not in service_model().operation_names:
        raise AwsError("UnknownOperationException", "The operation is not one of the ECS API.")
    return operation


def read_request(operation: str, body: bytes) -> dict[str, Any]:
    """The parameters of a request: JSON, of the types the model wants, with enum values it knows."""
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as exc:
        raise AwsError("SerializationException", "The body of the request is not JSON.") from exc
    if not isinstance(parameters, dict):
        raise AwsError("SerializationException", "Start of structure or map found where not expected.")
    shape = service_model().operation_model(operation).input_shape
    if shape is None:  # no operation of ECS is without parameters
        return parameters
    problems = ParamValidator().validate(parameters, shape)
    refusal = "ClientException" if operation in _CLIENT_EXCEPTIONS else "InvalidParameterException"
    if problems.has_errors():
        raise AwsError(refusal, problems.generate_report())
    for path, value, allowed in _outside_enum(shape, parameters, ""):
        raise AwsError(
            refusal,
            f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(allowed)}]",
        )
    return parameters


def write_answer(answer: dict[str, Any]) -> bytes:
    """The JSON body of an answer; instants become epoch seconds with milliseconds."""
    return json.dumps(answer, default=_epoch, separators=(",", ":")).encode()


def page(key: str, items: list[str], request: dict[str, Any]) -> dict[str, Any]:
    """One page of `items` under `key`; `nextToken` when there is more.

    Raises `InvalidParameterException` for a size outside 1 to 100 and for a token that is not ours.
    """
    size = request.get("maxResults", _LARGEST_PAGE)
    if not 1 <= size <= _LARGEST_PAGE:
        raise AwsError("InvalidParameterException", f"maxResults must be between 1 and {_LARGEST_PAGE}.")
    try:
        start = int(base64.b64decode(request.get("nextToken", ""), validate=True) or b"0")
    except (binascii.Error, ValueError) as exc:
        raise AwsError("InvalidParameterException", "Invalid token.") from exc
    answer: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        answer["nextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return answer


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _outside_enum(shape: Shape | None, value: Any, path: str) -> Iterator[tuple[str, str, list[str]]]:
    """Every string that its shape's enum does not list: path, value, what is allowed."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from _outside_enum(shape.members.get(name), member, f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape):
        for number, member in enumerate(value):
            yield from _outside_enum(shape.member, member, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        for name, member in value.items():
            yield from _outside_enum(shape.value, member, f"{path}.{name}".lstrip("."))
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield path, value, shape.enum
