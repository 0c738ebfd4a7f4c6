"""What documents from callers are made of: a closed and typed base, and the types of their members.

Docker's clients send null and `""` for members that are not set: `"Entrypoint": null`, `"User": ""`. So a member with
one of these counts as absent, at every depth, and a required one as missing. Elements of arrays and values of maps are
no members: an argument or a variable may be empty. The JSON Schema says the same.
"""

from pathlib import PurePosixPath
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from core.launch.ecs_rules import CAPABILITIES, MAX_STOP_TIMEOUT
from core.model.agent import AGENT_DIRECTORY, AgentVariable

RESERVED_VARIABLES: Final = tuple(variable.value for variable in AgentVariable)
VARIABLE_NAMES: Final[dict[str, Any]] = {
    "propertyNames": {"pattern": r"^[^=\u0000]+$", "not": {"enum": [*RESERVED_VARIABLES]}}
}
"""What the schema says of the keys of `VariableName`."""


def allow_nothing(schema: dict[str, Any]) -> None:
    """Changes a model's schema: each optional member may be null or `""`."""
    for name, member in schema["properties"].items():
        if name not in schema.get("required", ()):
            notes = {key: member.pop(key) for key in ("title", "description", "default") if key in member}
            kinds = [kind for kind in member.get("anyOf", [member]) if kind != {"type": "null"}]
            schema["properties"][name] = {**notes, "anyOf": [*kinds, {"enum": [None, ""]}]}


class StrictDocument(BaseModel):
    """Closed and immutable; an error never shows the value, which may be a secret."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, json_schema_extra=allow_nothing
    )

    @model_validator(mode="before")
    @classmethod
    def _without_what_is_not_set(cls, document: Any) -> Any:
        """Keeps unknown members, so that a misspelt name is refused."""
        if not isinstance(document, dict):
            return document
        return {
            name: value
            for name, value in document.items()
            if name not in cls.model_fields or (value is not None and value != "")
        }


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
    path, agent = PurePosixPath(text), PurePosixPath(AGENT_DIRECTORY)
    if text != str(path) or ".." in path.parts:
        raise PydanticCustomError("path", "must be in its shortest form: no '.', '..', '//' or '/' at the end")
    if path.is_relative_to(agent):
        raise PydanticCustomError("path", f"must not be or be in {AGENT_DIRECTORY}: the agent is there")
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


def _capability(name: str) -> str:
    """Docker writes capabilities in any case, with or without CAP_; ECS in one way."""
    capability = name.upper().removeprefix("CAP_")
    if capability not in CAPABILITIES:
        raise PydanticCustomError(
            "capability",
            "is not available: Fargate adds {allowed} and no other capability; leave it out",
            {"allowed": ", ".join(sorted(CAPABILITIES))},
        )
    return capability


T = TypeVar("T")
Text = Annotated[str, AfterValidator(_check_text)]
Reason = Annotated[str, Field(max_length=1024), AfterValidator(_check_text)]
Capability = Annotated[
    str,
    AfterValidator(_capability),
    Field(json_schema_extra={"pattern": "^([Cc][Aa][Pp]_)?[Ss][Yy][Ss]_[Pp][Tt][Rr][Aa][Cc][Ee]$"}),
]
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
