"""What documents from callers are made of: a closed and typed base, and the types of their members.

Docker's clients send null and `""` for members that are not set: `"Entrypoint": null`, `"User": ""`. So a member with
one of these counts as absent, at every depth, and a required one as missing. Elements of arrays and values of maps are
no members: an argument or a variable may be empty. The JSON Schema says the same.
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from core.launch.constraints import ABSOLUTE_PATH, CONTAINER_ID, IMAGE, IMAGE_ID, MOUNT_PATH, USER
from core.launch.ecs_rules import (
    CAPABILITIES,
    DEFAULT_CAPABILITIES,
    DROPPED_CAPABILITIES,
    MAX_IMAGE_NAME,
    MAX_STOP_TIMEOUT,
)
from core.launch.texts import flaw_of
from core.model.agent import AGENT_DIRECTORY, AgentVariable

MAX_LABELS_BYTES: Final = 64 * 1024
"""Of an item's 400 KB. Each KB more is a write unit more, with every write of the item."""
_ADDED: Final = CAPABILITIES | DEFAULT_CAPABILITIES
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
    if flaw := flaw_of(text):
        raise PydanticCustomError("text", "{flaw}", {"flaw": flaw})
    return text


def _check_variable(name: str) -> str:
    if name in RESERVED_VARIABLES:
        raise PydanticCustomError("reserved", "is set for the agent and may not be overridden; leave it out")
    if not name or "=" in name:
        raise PydanticCustomError("variable_name", "is not a variable's name: it must not be empty or contain '='")
    return _check_text(name)


def _check_image(image: str) -> str:
    if re.fullmatch(IMAGE_ID, image):
        raise PydanticCustomError("image", "is an image ID, which no registry serves: send name:tag or name@digest")
    if len(image.partition("@")[0]) > MAX_IMAGE_NAME:
        raise PydanticCustomError(
            "image", "must have at most {most} characters before the digest", {"most": MAX_IMAGE_NAME}
        )
    return image


def _without_empty_group(user: str) -> str:
    """Docker takes `1000:`, which Compose sends where a variable is not set, for 1000."""
    return user.removesuffix(":")


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


def _check_labels(labels: dict[str, str]) -> dict[str, str]:
    if "" in labels:
        raise PydanticCustomError("label_name", "must not have an empty name: DynamoDB takes none in the item")
    size = sum(len(text.encode()) for label in labels.items() for text in label)
    if size > MAX_LABELS_BYTES:
        raise PydanticCustomError(
            "labels",
            "must have at most {most} bytes in all names and values, because the item keeps them; these have {size}",
            {"most": MAX_LABELS_BYTES, "size": size},
        )
    return labels


def _reset(words: tuple[str, ...]) -> tuple[str, ...]:
    """Docker's documented way to reset the entry point: one empty word."""
    return () if words == ("",) else words


def _capability(name: str) -> str:
    """Docker writes capabilities in any case, with or without CAP_; ECS in one way."""
    return name.upper().removeprefix("CAP_")


def _check_added(capability: str) -> str:
    if capability not in _ADDED:
        raise PydanticCustomError(
            "capability",
            "is not available: Fargate adds {allowed} and no other capability; leave it out",
            {"allowed": ", ".join(sorted(CAPABILITIES))},
        )
    return capability


def _check_dropped(capability: str) -> str:
    if capability not in DROPPED_CAPABILITIES:
        raise PydanticCustomError(
            "capability", "is none that ECS drops (ECS API Reference, KernelCapabilities); correct it or leave it out"
        )
    return capability


def _in_any_case(capabilities: Iterable[str]) -> dict[str, Any]:
    """What the schema says of a name that `_capability` reads."""
    names = (
        "".join(f"[{one}{one.lower()}]" if one.isalpha() else one for one in name) for name in sorted(capabilities)
    )
    return {"pattern": f"^([Cc][Aa][Pp]_)?({'|'.join(names)})$"}


T = TypeVar("T")
Text = Annotated[str, AfterValidator(_check_text)]
AddedCapability = Annotated[
    str, AfterValidator(_capability), AfterValidator(_check_added), Field(json_schema_extra=_in_any_case(_ADDED))
]
DroppedCapability = Annotated[
    str,
    AfterValidator(_capability),
    AfterValidator(_check_dropped),
    Field(json_schema_extra=_in_any_case(DROPPED_CAPABILITIES)),
]
Labels = Annotated[
    dict[Text, Text], AfterValidator(_check_labels), Field(json_schema_extra={"propertyNames": {"minLength": 1}})
]
VariableName = Annotated[str, AfterValidator(_check_variable)]
Array = Annotated[tuple[T, ...], Strict(False)]
"""A JSON array. Strict mode would accept Python tuples only."""
EntryPoint = Annotated[Array[Text], AfterValidator(_reset)]
StopTimeout = Annotated[
    int, AfterValidator(_check_stop_timeout), Field(json_schema_extra={"minimum": 0, "maximum": MAX_STOP_TIMEOUT})
]
AbsolutePath = Annotated[str, ABSOLUTE_PATH, Field(max_length=4096)]
MountPath = Annotated[str, MOUNT_PATH, Field(max_length=4096), AfterValidator(_check_mount_path)]
ContainerId = Annotated[str, CONTAINER_ID, Field(description="64 lowercase hexadecimal characters.")]
Image = Annotated[str, AfterValidator(_check_image), IMAGE, Field(json_schema_extra={"not": {"pattern": IMAGE_ID}})]
User = Annotated[str, USER, AfterValidator(_without_empty_group)]
