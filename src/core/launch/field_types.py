"""The field types of requests. Each has its check and, where pydantic cannot derive it, its JSON Schema."""

from pathlib import PurePosixPath
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

from core.launch.sizing import MAX_STOP_TIMEOUT
from core.model.agent import AGENT_DIRECTORY, AgentVariable

RESERVED_VARIABLES: Final = tuple(variable.value for variable in AgentVariable)


def _check_text(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "must not contain a NUL character: no process can receive one")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("surrogate", "must be valid Unicode: half a surrogate pair has no bytes in UTF-8")
    return text


def _check_variable(name: str) -> str:
    if name in RESERVED_VARIABLES:
        raise PydanticCustomError("reserved", "is set for the agent and may not be overridden; leave it out")
    if not name or "=" in name:
        raise PydanticCustomError("variable_name", "is not a variable's name: it must not be empty or contain '='")
    return _check_text(name)


def _check_mount_path(text: str) -> str:
    path = PurePosixPath(text)
    if text != str(path) or ".." in path.parts:
        raise PydanticCustomError("path", "must be in its shortest form: no '.', '..', '//' or '/' at the end")
    agent = PurePosixPath(AGENT_DIRECTORY)
    if path == agent or agent in path.parents:
        raise PydanticCustomError(
            "path", "must not be or be in {agent}: the agent is there", {"agent": AGENT_DIRECTORY}
        )
    return text


def _check_stop_timeout(seconds: int) -> int:
    if not 0 <= seconds <= MAX_STOP_TIMEOUT:
        raise PydanticCustomError(
            "stop_timeout",
            "must be from 0 to {most}: Fargate kills what has not ended {most} seconds after it was asked to",
            {"most": MAX_STOP_TIMEOUT},
        )
    return seconds


def _reset(words: tuple[str, ...]) -> tuple[str, ...]:
    """Docker's documented way to reset the entry point: one empty word."""
    return () if words == ("",) else words


T = TypeVar("T")
Text = Annotated[str, AfterValidator(_check_text)]
Reason = Annotated[str, Field(max_length=1024), AfterValidator(_check_text)]
VariableName = Annotated[str, AfterValidator(_check_variable)]
Array = Annotated[tuple[T, ...], Strict(False)]
"""A JSON array. Strict mode would accept Python tuples only."""
EntryPoint = Annotated[Array[Text], AfterValidator(_reset)]
StopTimeout = Annotated[
    int, AfterValidator(_check_stop_timeout), Field(json_schema_extra={"minimum": 0, "maximum": MAX_STOP_TIMEOUT})
]
AbsolutePath = Annotated[str, Field(pattern=r"^/[^\x00]*$", max_length=4096)]
MountPath = Annotated[str, Field(pattern=r"^/[^/\x00][^\x00]*$", max_length=4096), AfterValidator(_check_mount_path)]
ContainerId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="64 lowercase hexadecimal characters.")]
