"""One rule of ECS that a request breaks, and the rules that hold for many members: names and tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.launch.ecs_rules import MAX_TAGS, tag_fault

MAX_NAME: Final = 255
LONG_NAME: Final = f"must have at most {MAX_NAME} characters"
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Violation:
    """`member` is a path such as `volumes[data].name`. No text holds the value of an environment variable.

    `quoted`: `rule` is ECS's own sentence, as far as it was ever published. Otherwise the sentence is ours.
    """

    member: str
    rule: str
    quoted: bool = False

    def __str__(self) -> str:
        return f"{self.member}: {self.rule}"

    @property
    def refusal(self) -> str:
        """The message of ECS's answer: its own words where they are known, else ours with the member."""
        return self.rule if self.quoted else str(self)

    def within(self, path: str) -> Violation:
        """The same, seen from outside: `image` within `containerDefinitions[main]`."""
        return replace(self, member=f"{path}.{self.member}")


def quoted(member: str, rule: str) -> Violation:
    return Violation(member, rule, quoted=True)


def has_foreign_characters(name: str) -> bool:
    """Whether it cannot name a family, a container or a volume: letters, digits, hyphens and underscores do."""
    return _CHARACTERS.fullmatch(name) is None


def tag_violations(tags: Sequence[Mapping[str, str]]) -> Iterator[Violation]:
    """The rules that these tags of one resource break (botocore, ECS `Tag`)."""
    keys = [tag.get("key", "") for tag in tags]
    if len(tags) > MAX_TAGS:
        yield Violation("tags", f"at most {MAX_TAGS} are allowed, these are {len(tags)}")
    for position, tag in enumerate(tags):
        if fault := tag_fault(tag.get("key", ""), tag.get("value", "")):
            yield Violation(f"tags[{position}]", fault)
    if len(set(keys)) < len(keys):
        yield Violation("tags", "each key must be unique")
