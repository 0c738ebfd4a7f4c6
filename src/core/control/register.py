"""Registering a task definition once, however many starts need it at the same moment.

Registering is the slowest call of ECS: one a second for a whole account (ecs.md 6), and every push of a CI
system makes a new image, hence a new definition. So the starts that find none take turns: one registers, the others
wait until it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from core.control.patience import Patience
from core.model.errors import CallFailed
from core.model.failure import Cause
from core.ports import Clock, Ecs, Registrations, Turn

PAUSE: Final = 0.3
"""Seconds between two looks at whose turn it is."""


@dataclass(frozen=True, slots=True)
class Registrar:
    """Makes sure that a definition is there."""

    ecs: Ecs
    registrations: Callable[[], Registrations]
    clock: Clock

    def ensure(self, definition: dict[str, Any], patience: Patience) -> None:
        """Returns when the definition has been registered, by this start or by another one within moments.

        For a definition that RunTask did not find. Raises `CallFailed` when ECS refuses it, or when the patience ends.
        """
        family = definition["family"]
        while (turn := self.registrations().claim(family, self.clock())) is Turn.ANOTHERS:
            if not patience.wait(PAUSE):
                raise _waited(family)
        if turn is Turn.DONE:
            return
        try:
            self._register(definition, patience)
        except CallFailed as failed:
            self.registrations().release(family, self.clock())
            # Whether it took effect or not, it has started no task.
            raise failed.but(uncertain=False) from failed
        self.registrations().done(family, self.clock())

    def _register(self, definition: dict[str, Any], patience: Patience) -> None:
        tries = 0
        while True:
            try:
                return self.ecs.register(definition)
            except CallFailed as failed:
                # Twice registered are two revisions, and either can be used: no answer is no reason to give up.
                again = failed.cause is Cause.THROTTLED or failed.uncertain
                if not again or not patience.pause(tries):
                    raise
            tries += 1
            self.registrations().extend(definition["family"], self.clock())


def _waited(family: str) -> CallFailed:
    return CallFailed(
        "RegisterTaskDefinition",
        "Waited",
        f"another start is registering task definition {family}, and has not finished.",
        cause=Cause.THROTTLED,
        remedy="Start the container again.",
        transient=True,
    )
