"""Names of images in ECR."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from reach.doctor.deployed import Deployed

_IN_ECR: Final = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr[.-](?P<region>[a-z0-9-]+)\.[^/]+/(?P<name>[^:@]+)"
    r"(:(?P<tag>[^@]+))?(@(?P<digest>sha256:[0-9A-Fa-f]{64}))?"
)


class EcrImage(NamedTuple):
    """An image in a private repository. `id` is what BatchGetImage takes: its digest, else its tag."""

    account: str
    region: str
    repository: str
    id: dict[str, str]


def ecr_image(image: str) -> EcrImage | None:
    """None: it is in another registry."""
    found = _IN_ECR.fullmatch(image)
    if found is None:
        return None
    named = {"imageDigest": found["digest"]} if found["digest"] else {"imageTag": found["tag"] or "latest"}
    return EcrImage(found["account"], found["region"], found["name"], named)


def repository_arn(stack: Deployed, image: str) -> str | None:
    """Of an image in ECR."""
    found = ecr_image(image)
    return found and f"arn:{stack.partition}:ecr:{found.region}:{found.account}:repository/{found.repository}"
