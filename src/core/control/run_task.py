"""RunTask, with what it needs: a definition that is there, and a turn among all the calls of the account.

RunTask names the family of its definition (`core.model.families`), so a warm start is one call: ECS takes the newest
ACTIVE revision, and any revision of a family is the right one. Only when ECS has none is one registered.

Registering is the slowest call of ECS: one a second for a whole account (ecs.md 6), and every push of a CI
system makes a new image, hence a new definition. So the starts that find none take turns: one registers, the others
wait until it has.
"""

from __future__ import annotations

from typing import Any, Final

from core.control.patience import Patience
from core.launch.plan import LaunchPlan
from core.model.errors import CallFailed, DefinitionGone
from core.model.failure import Cause
from core.ports import Launched, Ports, Turn

PAUSE: Final = 0.3
"""Seconds between two claims while another start registers."""


def run_task(ports: Ports, plan: LaunchPlan, patience: Patience) -> Launched:
    """The task. RunTask is repeated while it is throttled or not answered: its client token makes it one task.

    Raises `CallFailed`; it is `uncertain` when one of the tries may have taken effect, whatever the last one said.
    """
    unanswered, tries = False, 0
    while True:
        try:
            return _try(ports, plan, patience)
        except CallFailed as failed:
            unanswered = unanswered or failed.uncertain
            again = failed.uncertain or failed.cause is Cause.THROTTLED or isinstance(failed, DefinitionGone)
            if not again or not patience.pause(tries):
                raise failed.but(uncertain=unanswered) from failed
        tries += 1


def _try(ports: Ports, plan: LaunchPlan, patience: Patience) -> Launched:
    request = {**plan.run, "taskDefinition": plan.definition["family"]}
    try:
        return ports.ecs.run(request)
    except DefinitionGone:
        _register_in_turn(ports, plan.definition, patience)
        return ports.ecs.run(request)


def _register_in_turn(ports: Ports, definition: dict[str, Any], patience: Patience) -> None:
    """Returns when the definition has been registered, by this start or by another one within moments.

    For a definition that RunTask did not find. Raises `CallFailed` when ECS refuses it, or when the patience ends.
    """
    family, turns, now = definition["family"], ports.registrations, ports.clock.now
    while (turn := turns.claim(family, now())) is Turn.ANOTHERS:
        if not patience.wait(PAUSE):
            raise _waited(family)
    if turn is Turn.DONE:
        return
    try:
        _register(ports, definition, patience)
    except CallFailed as failed:
        turns.release(family, now())
        # Whether it took effect or not, it has started no task.
        raise failed.but(uncertain=False) from failed
    turns.done(family, now())


def _register(ports: Ports, definition: dict[str, Any], patience: Patience) -> None:
    tries = 0
    while True:
        try:
            return ports.ecs.register(definition)
        except CallFailed as failed:
            # Twice registered are two revisions, and either can be used: no answer is no reason to give up.
            again = failed.cause is Cause.THROTTLED or failed.uncertain
            if not again or not patience.pause(tries):
                raise
        tries += 1
        ports.registrations.extend(definition["family"], ports.clock.now())


def _waited(family: str) -> CallFailed:
    return CallFailed(
        "RegisterTaskDefinition",
        "Waited",
        f"another start is registering task definition {family}, and has not finished.",
        cause=Cause.THROTTLED,
        remedy="Start the container again.",
        transient=True,
    )
