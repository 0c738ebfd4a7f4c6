"""DynamoDB's types, as botocore sends and shows them: `{"S": "text"}`.

As `boto3.dynamodb.types`, for what our items hold. Importing that brings all of boto3, which no function needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final


def serialized(value: Any) -> dict[str, Any]:
    """Of a text, a whole number, a boolean, or a list or map of these. Raises `TypeError` for anything else."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [serialized(one) for one in value]}
        case dict():
            return {"M": {name: serialized(one) for name, one in value.items()}}
        case _:
            raise TypeError(f"an item holds no {type(value).__name__}")


def deserialized(value: Mapping[str, Any]) -> Any:
    """Every number is a `Decimal`; null is None. Values of types that our items do not have stay as they are."""
    [(kind, held)] = value.items()
    read = _READ.get(kind)
    return held if read is None else read(held)


_READ: Final[dict[str, Any]] = {
    "N": Decimal,
    "NULL": lambda _: None,
    "L": lambda held: [deserialized(one) for one in held],
    "M": lambda held: {name: deserialized(one) for name, one in held.items()},
}
