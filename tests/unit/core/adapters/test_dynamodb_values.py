"""DynamoDB's types, as botocore sends and shows them."""

from __future__ import annotations

from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from core.adapters.dynamodb_values import deserialized, serialized
from core.storage.item import from_item, to_item
from tests.golden.items import golden_items
from tests.records import failed, healthy

ITEMS = [to_item(one) for one in (healthy(), failed(), *map(from_item, golden_items().values()))]


@pytest.mark.parametrize("item", ITEMS)
def test_items_are_spelt_as_boto3_spells_them(item: dict[str, Any]) -> None:
    """Both ways."""
    spelt = TypeSerializer().serialize(item)
    assert serialized(item) == spelt
    assert deserialized(spelt) == TypeDeserializer().deserialize(spelt)


def test_what_others_have_written_is_read() -> None:
    """Null is None; a set, which no item of ours has, is whatever botocore shows, and is refused where it is read."""
    assert deserialized({"M": {"a": {"NULL": True}, "b": {"SS": ["x"]}}}) == {"a": None, "b": ["x"]}


@pytest.mark.parametrize("value", [None, 1.5, b"x", {1}])
def test_what_no_item_holds_is_not_written(value: object) -> None:
    """A bug, and no error of AWS."""
    with pytest.raises(TypeError, match="an item holds no"):
        serialized([value])
