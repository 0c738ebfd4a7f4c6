"""Parses a document into a request, or refuses it and names every wrong member and what is allowed there.

A refusal is a normal answer of a function (contract.md 4). It shows names, never values:
an environment may hold secrets.
"""

import json
import re
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.launch.binds import EfsBind, S3FilesBind
from core.launch.docker.translate import DOCKER, IMAGE_CONFIG, translate
from core.launch.docker.translation import Translation
from core.launch.limits import Limits, Ulimit
from core.launch.request import LogOptions, StartRequest
from core.launch.settings import wrong_request

SCHEMA_FILE: Final = "docs/start-request.schema.json"
_SCHEMA: Final = f"; {SCHEMA_FILE} describes every member"

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
    if not isinstance(document, dict):
        raise wrong_request(["the request must be an object"], _SCHEMA)
    given = translate(document)
    wrong = [f"{_path(path)}: {says}" for path, says in given.faults]
    try:
        request = StartRequest.model_validate(given.document)
    except ValidationError as exc:
        wrong += [_describe(error, given) for error in exc.errors(include_url=False, include_input=False)]
    # Raised outside the handler, because pydantic's error holds the whole input and would become the context.
    if wrong:
        raise wrong_request(wrong, _SCHEMA)
    return request


def start_request_schema() -> str:
    """The JSON Schema of a start request, as `docs/start-request.schema.json` holds it."""
    schema = _with_docker(StartRequest.model_json_schema())
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def _with_docker(schema: dict[str, Any]) -> dict[str, Any]:
    """Adds the members that become others, and may bring image and command. A schema of Docker's API is Docker's."""
    members = schema["properties"]
    said = {
        DOCKER: "Docker's words: the body of POST /containers/create (Engine API 1.43 to 1.51) as a client sends it. "
        "docs/docker.md has what becomes of each member.",
        IMAGE_CONFIG: "The image's own configuration, as docker image inspect shows it under Config, where it is "
        "known: Entrypoint and Cmd are used, Env and StopSignal compared with docker, and all others ignored.",
    }
    members["image"] = {"anyOf": [members["image"], {"enum": [None, ""]}]}
    for name, says in said.items():
        members[name] = {"description": says, "anyOf": [{"type": "object"}, {"enum": [None, ""]}]}
    set_image = {"required": ["image"], "properties": {"image": {"type": "string", "minLength": 1}}}
    has_config = {"required": [IMAGE_CONFIG], "properties": {IMAGE_CONFIG: {"type": "object"}}}
    schema["required"].remove("image")
    schema["anyOf"] = [
        {"required": [DOCKER], "properties": {DOCKER: {"type": "object"}}},
        {**set_image, "anyOf": [*schema["anyOf"], has_config]},
    ]
    return schema


def _describe(error: ErrorDetails, given: Translation) -> str:
    location = error["loc"]
    if error["type"] == "extra_forbidden":
        holder = _MEMBERS.get(str(location[0]), StartRequest) if len(location) > 1 else StartRequest
        names = [*holder.model_fields, *((DOCKER, IMAGE_CONFIG) if holder is StartRequest else ())]
        says = f"is unknown; allowed are {', '.join(names)}"
    else:
        says = _JSON_WORDS.get(error["type"], re.sub(r"^\w+ should ", "must ", error["msg"]))
    path = _path(given.origin(location))
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
