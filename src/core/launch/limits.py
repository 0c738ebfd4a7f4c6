"""The limits of ECS that decide how a launch is planned. What else ECS refuses, the local Fargate knows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_DEFINITION_BYTES: Final = 64 * 1024
MAX_OVERRIDES_LENGTH: Final = 8192
_ECR_IMAGE: Final = re.compile(r"[0-9]{12}\.dkr[.-]ecr[.-].+")


def is_ecr_image(image: str) -> bool:
    """True for an image in a private ECR repository, which Fargate pulls with the execution role only."""
    return _ECR_IMAGE.fullmatch(image) is not None


def definition_size(definition: Mapping[str, Any]) -> int:
    """The bytes of a definition as compact JSON in UTF-8: the least that ECS can count."""
    return len(json.dumps(definition, separators=(",", ":"), ensure_ascii=False).encode())
