"""Pages of a list: `maxResults` and `nextToken`, as every List operation of ECS has them."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from local.fargate.errors import AwsError

_LARGEST: Final = 100


def page(key: str, items: list[str], request: dict[str, Any]) -> dict[str, Any]:
    """One page of `items` under `key`; `nextToken` when there is more.

    Raises `InvalidParameterException` for a size outside 1 to 100 and for a token that is not ours.
    """
    size = request.get("maxResults", _LARGEST)
    if not 1 <= size <= _LARGEST:
        raise AwsError("InvalidParameterException", f"maxResults must be between 1 and {_LARGEST}.")
    try:
        start = int(base64.b64decode(request.get("nextToken", ""), validate=True) or b"0")
    except (binascii.Error, ValueError) as exc:
        raise AwsError("InvalidParameterException", "Invalid token.") from exc
    answer: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        answer["nextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return answer
