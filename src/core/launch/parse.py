"""Parses a document into a request, or refuses it and names every wrong member and what is allowed there.

A refusal is a normal answer of a function (contract.md 4). It shows names, never values:
an environment may hold secrets.
"""

import json
import re
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.launch.request import Limits, LogOptions, StartRequest, StopRequest, Ulimit
from core.launch.settings import invalid
from core.launch.volumes import EfsBind, S3FilesBind
from core.model.errors import Refused

RequestT = TypeVar("RequestT", bound=BaseModel)

SCHEMA_FILE: Final = "docs/start-request.schema.json"

_JSON_WORDS: Final = {
    "missing": "is required",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "tuple_type": "must be an array",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
}
"""JSON's words for types in place of Python's, which pydantic uses."""

_MEMBERS: Final[dict[str, type[BaseModel]]] = {
    "limits": Limits,
    "efs_binds": EfsBind,
    "s3_files_binds": S3FilesBind,
    "ulimits": Ulimit,
    "log": LogOptions,
}


def parse_start_request(document: object) -> StartRequest:
    """The request in a decoded JSON document. Raises `Refused` (InvalidRequest)."""
    return _parse(StartRequest, document)


def parse_stop_request(document: object) -> StopRequest:
    """The request in a decoded JSON document. Raises `Refused` (InvalidRequest)."""
    return _parse(StopRequest, document)


def start_request_schema() -> str:
    """The JSON Schema of a start request, as `docs/start-request.schema.json` holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **StartRequest.model_json_schema()}
    return json.dumps(schema, indent=2) + "\n"


def _parse(model: type[RequestT], document: object) -> RequestT:
    if not isinstance(document, dict):
        raise _refused(["the request must be an object"])
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        wrong = [_describe(model, error) for error in exc.errors(include_url=False, include_input=False)]
    # Raised outside the handler, because pydantic's error holds the whole input and would become the context.
    raise _refused(wrong)


def _refused(wrong: list[str]) -> Refused:
    return invalid(
        f"The request cannot be carried out: {'; '.join(wrong)}. Nothing was written or started.",
        f"Correct it and send it again; {SCHEMA_FILE} describes every member.",
    )


def _describe(model: type[BaseModel], error: ErrorDetails) -> str:
    location = error["loc"]
    if error["type"] == "extra_forbidden":
        holder = _MEMBERS.get(str(location[0]), model) if len(location) > 1 else model
        says = f"is unknown; allowed are {', '.join(holder.model_fields)}"
    else:
        says = _JSON_WORDS.get(error["type"], re.sub(r"^\w+ should ", "must ", error["msg"]))
    path = _path(location)
    return f"{path}: {says}" if path else says


def _path(location: tuple[int | str, ...]) -> str:
    """`efs_binds[0].container_path`. A name is cut at its first `=`, because a caller may send `NAME=value` as one."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += f".{part.partition('=')[0][:80]}"
    return path.removeprefix(".")
