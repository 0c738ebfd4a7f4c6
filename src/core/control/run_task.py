"""RunTask, with what it needs: a definition that is there, and a turn among all the calls of the account.

RunTask names the family of its definition (`core.model.families`), so a warm start is one call: ECS takes the newest
ACTIVE revision, and any revision of a family is the right one. Only when ECS has none is one registered.
"""

from __future__ import annotations

from core.control.patience import Patience
from core.control.register_definition import register_definition
from core.launch.plan import LaunchPlan
from core.model.errors import CallFailed, DefinitionGone
from core.model.failure import Cause
from core.ports import Launched, Ports


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
        register_definition(ports, plan.definition, patience)
        return ports.ecs.run(request)
