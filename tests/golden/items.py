"""Items as the containers table holds them, in DynamoDB's JSON: whoever changes one changes it for every backend."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping

GOLDEN_FILE: Final = Path(__file__).with_name("items.json")
OLDER_FILE: Final = Path(__file__).with_name("older_items.json")
"""Items as the code of earlier days wrote them, by the day. Never changed: they lie in tables."""
COMPLETE: Final = "every attribute"
"""The item with every attribute and every member at once, which no life has."""


@cache
def golden_items() -> dict[str, dict[str, Any]]:
    """The items of the file by what they show, each as `from_item` takes it."""
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize({"M": item}) for name, item in json.loads(GOLDEN_FILE.read_text()).items()}


@cache
def older_items() -> dict[str, dict[str, dict[str, Any]]]:
    """The items that earlier versions wrote, by version and by what they show."""
    deserialize = TypeDeserializer().deserialize
    return {
        version: {name: deserialize({"M": item}) for name, item in items.items()}
        for version, items in json.loads(OLDER_FILE.read_text()).items()
    }


def written(items: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of the file for these items: what PutItem gets, in its order, one attribute a line."""
    return _braces("  ", {name: _braces("    ", _attributes(item)) for name, item in items.items()}) + "\n"


def _attributes(item: Mapping[str, Any]) -> dict[str, str]:
    serialize = TypeSerializer().serialize
    return {name: json.dumps(serialize(value), ensure_ascii=False) for name, value in item.items()}


def _braces(indent: str, members: Mapping[str, str]) -> str:
    lines = ",\n".join(f"{indent}{json.dumps(name)}: {text}" for name, text in members.items())
    return f"{{\n{lines}\n{indent[2:]}}}"
