"""A document that a caller sends: closed, typed, and with Docker's ways of saying nothing.

Docker's clients send null and `""` for what is not set: `"Entrypoint": null`, `"User": ""`, `"WorkingDir": ""`. So a
member with one of these is an absent member, at every depth: one that is required is missing then. Elements of arrays
and values of maps are no members: an argument and a variable may be empty.
The JSON Schema says the same.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


def allow_nothing(schema: dict[str, Any]) -> None:
    """Changes a model's schema: each member that is not required may be null or `""`."""
    for name, member in schema["properties"].items():
        if name not in schema.get("required", ()):
            schema["properties"][name] = _or_nothing(member)


class StrictDocument(BaseModel):
    """Closed and immutable; an error never shows the value, which may be a secret."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, json_schema_extra=allow_nothing
    )

    @model_validator(mode="before")
    @classmethod
    def _without_what_is_not_set(cls, document: Any) -> Any:
        """An unknown member stays, to be refused: whoever misspelt a name wants to know."""
        if not isinstance(document, dict):
            return document
        return {name: value for name, value in document.items() if name not in cls.model_fields or _is_set(value)}


def _is_set(value: Any) -> bool:
    return value is not None and value != ""


def _or_nothing(member: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {key: member.pop(key) for key in ("title", "description", "default") if key in member}
    kinds = [kind for kind in member.get("anyOf", [member]) if kind != {"type": "null"}]
    return {**told, "anyOf": [*kinds, {"enum": [None, ""]}]}
