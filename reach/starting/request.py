"""The start request that a file and the options of a command line make together.

An option wins over the file's member; of variables, labels and secrets each name counts for itself. The product's
parser checks the result before AWS is called, so what is wrong is named by its member's path.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.launch.docker.translate import DOCKER, IMAGE_CONFIG
from core.launch.parse import SCHEMA_FILE, parse_start_request
from core.launch.request import StartRequest
from core.model import errors
from reach import Refused

ID: Final = "container_id"
_MERGED: Final = ("environment", "labels", "secrets", "limits")
"""Objects whose members are added to the file's."""
_MEMBERS: Final = {*StartRequest.model_fields, DOCKER, IMAGE_CONFIG}


@dataclass(frozen=True, slots=True)
class Request:
    """`document` is what the function gets; `parsed` is what it will make of it. `fresh`: its id is a new one."""

    document: dict[str, Any]
    parsed: StartRequest
    fresh: bool

    @property
    def container_id(self) -> str:
        """64 hexadecimal digits."""
        return self.parsed.container_id


def request_of(file: str | None, given: Mapping[str, Any]) -> Request:
    """`given`: members by name, None for an option that was not given. Raises `Refused`."""
    document = merged(read(file) if file else {}, given)
    fresh = document.get(ID) in (None, "")
    if fresh:
        document = {ID: secrets.token_hex(32), **{name: value for name, value in document.items() if name != ID}}
    if not file and not (document.get("entrypoint") or document.get("cmd")):
        raise Refused(
            "A command is needed: the agent takes the place of the image's own. What to do: reach start IMAGE COMMAND, "
            "as docker image inspect IMAGE shows it; tail -f /dev/null for a container that only waits for exec."
        )
    try:
        return Request(document, parse_start_request(document), fresh)
    except errors.Refused as refused:
        raise Refused(str(refused)) from None


def merged(document: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what is given. Its own order stays, so that a dry run shows the file as it was."""
    result = dict(document)
    for name, value in given.items():
        if value is None:
            continue
        own = result.get(name)
        result[name] = {**own, **value} if name in _MERGED and isinstance(own, dict) else value
    return result


def read(file: str) -> dict[str, Any]:
    """A start request as JSON; `-` is standard input. Raises `Refused`."""
    name = "standard input" if file == "-" else file
    try:
        document = json.loads(_content(file))
    except ValueError as error:
        raise Refused(f"{name} is not JSON: {error}. What to do: correct it; see {SCHEMA_FILE}") from error
    if not isinstance(document, dict) or not document.keys() & _MEMBERS:
        raise Refused(f"{name} is no start request: it has none of its members. What to do: see {SCHEMA_FILE}")
    return document


def variables(files: Iterable[str]) -> list[tuple[str, str]]:
    """Path and content of each `--env-file`. Raises `Refused`."""
    return [(file, _content(file)) for file in files]


def _content(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}. What to do: check the path.") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{file} is not UTF-8. What to do: check the file.") from error
    return text.removeprefix("\ufeff")  # Windows begins a file with it
