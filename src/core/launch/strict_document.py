"""The base of all documents from callers: closed and typed, with Docker's spellings of "not set".

Docker's clients send null and `""` for members that are not set: `"Entrypoint": null`, `"User": ""`. So a member with
one of these counts as absent, at every depth, and a required one as missing. Elements of arrays and values of maps are
no members: an argument or a variable may be empty. The JSON Schema says the same.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


def allow_nothing(schema: dict[str, Any]) -> None:
    """Changes a model's schema: each optional member may be null or `""`."""
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
        """Keeps unknown members, so that a misspelt name is refused."""
        if not isinstance(document, dict):
            return document
        return {
            name: value
            for name, value in document.items()
            if name not in cls.model_fields or (value is not None and value != "")
        }


def _or_nothing(member: dict[str, Any]) -> dict[str, Any]:
    notes: dict[str, Any] = {key: member.pop(key) for key in ("title", "description", "default") if key in member}
    kinds = [kind for kind in member.get("anyOf", [member]) if kind != {"type": "null"}]
    return {**notes, "anyOf": [*kinds, {"enum": [None, ""]}]}
