"""The limits of ECS that a launch is planned by. The local Fargate has the other limits."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_DEFINITION_BYTES: Final = 64 * 1024
MAX_OVERRIDES_LENGTH: Final = 8192
_ECR_IMAGE: Final = re.compile(r"[0-9]{12}\.dkr[.-]ecr[.-].+")


def is_ecr_image(image: str) -> bool:
    """Whether the image is in a private ECR repository. Fargate pulls it only with an execution role."""
    return _ECR_IMAGE.fullmatch(image) is not None


def definition_size(definition: Mapping[str, Any]) -> int:
    """The bytes of a definition as compact JSON in UTF-8: the smallest size that ECS can count."""
    return len(json.dumps(definition, separators=(",", ":"), ensure_ascii=False).encode())
