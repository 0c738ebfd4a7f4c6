"""What ECS checks in the tags of any of its resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core.launch.ecs_rules import MAX_TAGS, tag_fault
from local.fargate.rules.violation import Violation


def tag_violations(tags: Sequence[Mapping[str, str]]) -> Iterator[Violation]:
    """What AWS would object to in these tags of one resource (botocore, ECS `Tag`)."""
    keys = [tag.get("key", "") for tag in tags]
    if len(tags) > MAX_TAGS:
        yield Violation("tags", f"at most {MAX_TAGS} are allowed, these are {len(tags)}")
    for position, tag in enumerate(tags):
        if fault := tag_fault(tag.get("key", ""), tag.get("value", "")):
            yield Violation(f"tags[{position}]", fault)
    if len(set(keys)) < len(keys):
        yield Violation("tags", "each key must be unique")
