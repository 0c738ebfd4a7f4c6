"""What a delivery may do to events: lose them, repeat them, change their order. The same seed does the same again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """`duplicate` and `drop` are probabilities for each event."""

    seed: int
    shuffle: bool = False
    duplicate: float = 0
    drop: float = 0

    @property
    def any(self) -> bool:
        """Whether anything is changed at all."""
        return self.shuffle or self.duplicate > 0 or self.drop > 0

    def applied(self, events: Sequence[T]) -> list[T]:
        """The events as they arrive. A copy comes at any place behind its original, as EventBridge's do."""
        draw = random.Random(self.seed)  # noqa: S311 - an order, no secret
        left = [event for event in events if draw.random() >= self.drop]
        copies = [(place, event) for place, event in enumerate(left) if draw.random() < self.duplicate]
        for place, event in reversed(copies):
            left.insert(draw.randint(place + 1, len(left)), event)
        if self.shuffle:
            draw.shuffle(left)
        return left
