"""One rule of ECS that a request breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Violation:
    """`member` is the path of what breaks the rule, such as `volumes[data].name`; no value of an environment is shown.

    `quoted`: `rule` is what ECS itself says, to the letter, as far as it was ever published. Otherwise it is ours.
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
