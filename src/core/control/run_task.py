"""RunTask, with what it needs: a definition that is there, a turn among all the calls of the account, and patience.

RunTask names the family of its definition (`core.model.families`), so a warm start is one call: ECS takes the newest
ACTIVE revision, and any revision of a family is the right one. Only when ECS has none is one registered.

Registering is the slowest call of ECS: one a second for a whole account (ecs.md 6), and every push of a CI
system makes a new image, hence a new definition. So the starts that find none take turns: one registers, the others
wait until it has.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from core.launch.plan import LaunchPlan
from core.model.errors import CallFailed, DefinitionGone
from core.model.failure import Cause
from core.ports import Clock, Launched, Ports, Turn

SECONDS: Final = 40.0
"""Of StartContainerFunction's 60: the rest is for the calls themselves."""
FIRST_PAUSE: Final = 0.4
LONGEST_PAUSE: Final = 5.0
TURN_PAUSE: Final = 0.3
"""Seconds between two claims while another start registers."""

T = TypeVar("T")


class Patience:
    """How long one start waits for AWS: so many seconds from now on, for all of its waiting.

    A burst of starts is throttled as a matter of course (ecs.md 6), and waits for its turn. A start has a caller that
    waits too, so its patience ends before the caller's does.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + seconds

    def pause(self, number: int) -> bool:
        """Waits before a call is made for the `number`-th time again, from 0 on: longer with each number, up to 5 s.

        False, without waiting, when the patience would be over by then.
        """
        longest = min(FIRST_PAUSE * 2.0 ** min(number, 16), LONGEST_PAUSE)
        return self.wait(longest * (0.5 + self._clock.random() / 2))

    def wait(self, seconds: float) -> bool:
        """Waits for so long. False, without waiting, when the patience would be over by then."""
        if self._clock.monotonic() + seconds > self._deadline:
            return False
        self._clock.sleep(seconds)
        return True


def run_task(ports: Ports, plan: LaunchPlan, patience: Patience) -> Launched:
    """The task. RunTask may be repeated: its client token makes it one task. Raises as `_repeated` does."""
    return _repeated(lambda: _run_task(ports, plan, patience), patience)


def _repeated(call: Callable[[], T], patience: Patience, between: Callable[[], object] = lambda: None) -> T:
    """Repeats the call while it is throttled or not answered, and `between` two tries does that.

    Raises `CallFailed`; it is `uncertain` when one of the tries may have taken effect, whatever the last one said.
    """
    unanswered, tries = False, 0
    while True:
        try:
            return call()
        except CallFailed as failed:
            unanswered = unanswered or failed.uncertain
            again = failed.uncertain or failed.cause is Cause.THROTTLED or isinstance(failed, DefinitionGone)
            if not again or not patience.pause(tries):
                raise failed.but(uncertain=unanswered) from failed
        tries += 1
        between()


def _run_task(ports: Ports, plan: LaunchPlan, patience: Patience) -> Launched:
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
        if not patience.wait(TURN_PAUSE):
            raise CallFailed(
                "RegisterTaskDefinition",
                "Waited",
                f"another start is registering task definition {family}, and has not finished.",
                cause=Cause.THROTTLED,
                remedy="Start the container again.",
                transient=True,
            )
    if turn is Turn.DONE:
        return
    try:
        # Twice registered are two revisions, and either can be used: a call without an answer may be repeated.
        _repeated(lambda: ports.ecs.register(definition), patience, lambda: turns.extend(family, now()))
    except CallFailed as failed:
        turns.release(family, now())
        # Whether it took effect or not, it has started no task.
        raise failed.but(uncertain=False) from failed
    turns.done(family, now())
