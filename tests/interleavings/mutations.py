"""Safeguards, each removed from the real code in memory: the search must see what they are for.

A mutation replaces a function of the core wherever it is imported, or takes something from the scene's world.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.control import claim, describe_tasks, perform, settle
from core.machine import apply, apply_launch, apply_task, changes, next_actions, unsaved
from core.machine.changes import Stale
from core.model import facts, identity
from core.model.actions import EraseToken
from core.model.parts import Stop
from core.model.record import Record, Settled
from core.ports import RevisionConflict
from tests.interleavings.scene import Scene
from tests.interleavings.scenes import SCENES


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """`name` is the safeguard, `without` what happens instead. It is looked for in `scene`, changed by `changes`."""

    name: str
    without: str
    scene: str
    planted: Callable[[], AbstractContextManager[None]] = nullcontext
    changes: Mapping[str, Any] = field(default_factory=dict)

    def mutated_scene(self) -> Scene:
        """The scene in which it shows."""
        (scene,) = (one for one in SCENES if one.name == self.scene)
        return replace(scene, **self.changes)


@contextmanager
def replaced(original: Any, other: Any) -> Iterator[None]:
    """Every module that has this function under its name has the other one meanwhile."""
    holders = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(("core.", "tests.")) and vars(module).get(original.__name__) is original
    ]
    for module in holders:
        setattr(module, original.__name__, other)
    try:
        yield
    finally:
        for module in holders:
            setattr(module, original.__name__, original)


def _any_generation(record: Record, fact: Any, policy: Any) -> Any:
    return _APPLY(record, replace(fact, ref=record.ref), policy)


def _any_address(record: Record, fact: facts.AgentAnswered, policy: Any) -> Any:
    if record.agent_address is not None:
        return _AGENT_ANSWERED(record, replace(fact, address=record.agent_address), policy)
    return _AGENT_ANSWERED(replace(record, early_address=fact.address), fact, policy)


def _acts_first(ports: Any, record: Record, *learnt: Any) -> Settled:
    for fact in learnt:
        applied = apply.apply(record, fact, ports.policy)
        if not isinstance(applied, Stale):
            for action in next_actions.next_actions(applied, ports.policy):
                if type(action) in ports.performs:
                    perform.perform(ports, action)
    return _SETTLE(ports, record, *learnt)


def _runs_first(ports: Any, request: Any, by: str) -> Any:
    known = ports.store.load(request.container_id)
    claim._refuse_if_running(request, known)
    return claim._claimed(ports, request, known, by)


def _overwrites(ports: Any, record: Record, learnt: Any) -> Settled:
    """Takes a write that met another one for done."""
    applied, why = settle._applied(ports, record, learnt)
    if applied is record:
        return Settled(record, ignored=why)
    with suppress(RevisionConflict):
        ports.store.save(applied)
    return Settled(applied, tuple(step for step in applied.history if step not in record.history))


def _keeps_the_token(record: Record, at: Any, policy: Any) -> Record:
    return replace(_CLOSE(record, at, policy), agent_token=record.agent_token)


def _erases_nothing(record: Record, policy: Any) -> Any:
    return tuple(action for action in _NEXT_ACTIONS(record, policy) if not isinstance(action, EraseToken))


def _forgets_stops(record: Record, fact: Any, policy: Any) -> Any:
    return Stale("there is no task to stop") if record.task_arn is None else _STOP_REQUESTED(record, fact, policy)


def _takes_stops(record: Record, fact: Any, policy: Any) -> Any:
    asked = _STOP_REQUESTED(record, fact, policy)
    return asked if isinstance(asked, Stale) else replace(asked, stop=replace(asked.stop or Stop(), unconfirmed=False))


def _own_token(prefix: str, ref: identity.Ref, attempt: int) -> str:
    _TRIES.append(attempt)
    return f"{len(_TRIES):064}"


_TRIES: Final[list[int]] = []
_APPLY, _SETTLE, _CLOSE = apply.apply, settle.settle, changes.close
_NEXT_ACTIONS = next_actions.next_actions
_AGENT_ANSWERED, _STOP_REQUESTED = apply._agent_answered, apply._stop_requested

MUTATIONS: Final = (
    Mutation(
        name="version test",
        without="an event that is not newer is applied",
        scene="spot",
        planted=lambda: replaced(apply_task._newer, lambda *_: True),
    ),
    Mutation(
        name="revision condition",
        without="the table keeps no condition: the last writer wins",
        scene="starts",
        changes={"conditional": False},
    ),
    Mutation(
        name="conflict",
        without="a write that met another one counts as done",
        scene="stop-of-start",
        planted=lambda: replaced(settle._apply, _overwrites),
    ),
    Mutation(
        name="generation test",
        without="a fact of an older generation is applied",
        scene="late-events",
        planted=lambda: replaced(apply.apply, _any_generation),
    ),
    Mutation(
        name="save before act",
        without="actions are performed before the record is saved",
        scene="events",
        planted=lambda: replaced(settle.settle, _acts_first),
    ),
    Mutation(
        name="claim before RunTask",
        without="RunTask is called before the start is saved",
        scene="starts",
        planted=lambda: replaced(claim.claim_launch, _runs_first),
    ),
    Mutation(
        name="stale-address test",
        without="the answer of an agent at another address counts",
        scene="stranger",
        planted=lambda: replaced(apply._agent_answered, _any_address),
    ),
    Mutation(
        name="check of identity",
        without="whatever answers at the address is the agent",
        scene="recycled-address",
        changes={"settings": replace(SCENES[0].settings, verify_agent_identity=False)},
    ),
    Mutation(
        name="startedBy adoption",
        without="a task is not found by its startedBy",
        scene="adoption",
        planted=lambda: replaced(describe_tasks.find_task, lambda *_: None),
    ),
    Mutation(
        name="client token",
        without="each RunTask has another client token",
        scene="starts",
        planted=lambda: replaced(identity.client_token, _own_token),
    ),
    Mutation(
        name="other starts",
        without="a refusal to one start is final, while another one still asks",
        scene="starts",
        planted=lambda: replaced(apply_launch._still_calling, lambda *_: ()),
    ),
    Mutation(
        name="named generation",
        without="a start of a generation that was launched before launches it again",
        scene="repeated-start",
        planted=lambda: replaced(claim._begun, lambda *_: False),
    ),
    Mutation(
        name="stop of a start",
        without="a stop is forgotten while no task is known",
        scene="stop-of-start",
        planted=lambda: replaced(apply._stop_requested, _forgets_stops),
    ),
    Mutation(
        name="what may wait",
        without="whatever leaves the state as it is waits for the next write",
        scene="stop-of-start",
        planted=lambda: replaced(unsaved.may_wait, lambda saved, changed: saved.state is changed.state),
    ),
    Mutation(
        name="stop until it shows",
        without="a stop counts as taken when it is saved",
        scene="stop-of-start",
        planted=lambda: replaced(apply._stop_requested, _takes_stops),
    ),
    Mutation(
        name="withdrawal",
        without="the token stays after the end",
        scene="events",
        planted=lambda: replaced(changes.close, _keeps_the_token),
    ),
    Mutation(
        name="erasure",
        without="the token's parameter is not erased",
        scene="parameter",
        planted=lambda: replaced(next_actions.next_actions, _erases_nothing),
    ),
)
