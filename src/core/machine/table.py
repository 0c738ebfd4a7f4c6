"""The life of a container: every state, every trigger, every transition, in one table (contract.md 2).

Theory of operation
-------------------
A container goes up one step at a time: `pending`, `task-running`, `eni-resolved`, `agent-healthy`. From each of
these (`LIVE`) it can end: `stopped` when its process exited, `failed` when it cannot be reached. Ends are final. A
restart begins a new generation of the record at `pending`; it is not a transition.

A fact is something that a function learnt: an event of ECS, a prober's verdict, a call's answer. `core.machine.apply`
decides what a fact proves, and fires the triggers it proves, in order. One event can prove several: a snapshot that
shows RUNNING and an address fires TASK_STARTED and ADDRESS_RESOLVED. So no transition skips a step, and a life whose
events were lost has the same history as one whose events all came.

EventBridge repeats events and delivers them late. A trigger that can reach a state a second time therefore has an
entry there, with the destination None: nothing changes. A trigger without an entry is a bug of ours and raises
`IllegalTransition`, so that a bug is never mistaken for a repeat.

The tests compare every pair of state and trigger with this table, and `make docs` draws the diagram from it. The steps
of a change are in CONTRIBUTING.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from transitions import Machine, MachineError

from core.model.errors import IllegalTransition
from core.model.state import LIVE, State, Trigger


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table. `dest` None: nothing changes, because the state has already learnt it."""

    trigger: Trigger
    sources: tuple[State, ...]
    dest: State | None


_P, _T, _E, _H = LIVE

TABLE: Final = (
    # The way up, one step at a time; a fact that proves several steps fires several triggers.
    Transition(Trigger.TASK_STARTED, (_P,), State.TASK_RUNNING),
    Transition(Trigger.ADDRESS_RESOLVED, (_T,), State.ENI_RESOLVED),
    Transition(Trigger.AGENT_ANSWERED, (_E,), State.AGENT_HEALTHY),
    # What a later state has learnt before.
    Transition(Trigger.TASK_STARTED, (_T, _E, _H), None),
    Transition(Trigger.ADDRESS_RESOLVED, (_E, _H), None),
    Transition(Trigger.AGENT_ANSWERED, (_H,), None),
    # A launch that failed before the container ran is tried again: the same state, but a step of the history.
    Transition(Trigger.LAUNCH_RETRIED, (_P,), State.PENDING),
    # The ends.
    Transition(Trigger.CONTAINER_EXITED, LIVE, State.STOPPED),
    Transition(Trigger.TASK_FAILED, LIVE, State.FAILED),
    Transition(Trigger.TASK_LOST, LIVE, State.FAILED),
    Transition(Trigger.LAUNCH_FAILED, (_P,), State.FAILED),
    Transition(Trigger.START_TIMED_OUT, (_P,), State.FAILED),
    Transition(Trigger.ADDRESS_MISSING, (_T,), State.FAILED),
    Transition(Trigger.AGENT_UNREACHABLE, (_E,), State.FAILED),
    # A verdict that another fact has overtaken.
    Transition(Trigger.LAUNCH_FAILED, (_T, _E, _H), None),
    Transition(Trigger.START_TIMED_OUT, (_T, _E, _H), None),
    Transition(Trigger.ADDRESS_MISSING, (_E, _H), None),
    Transition(Trigger.AGENT_UNREACHABLE, (_H,), None),
    # An end is an end: whatever is learnt later changes no state.
    *(Transition(trigger, (State.FAILED, State.STOPPED), None) for trigger in Trigger),
)


class _Position:
    """The model that `transitions` runs: a state and whether it was set, made for one firing."""

    __slots__ = ("_state", "moved")

    def __init__(self, state: State) -> None:
        self._state = state
        self.moved = False

    @property
    def state(self) -> State:
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state, self.moved = state, True


@cache
def _machine() -> Machine:
    """The one machine of this process, without models: building it per event would cost 0.15 ms each time."""
    rows = [{"trigger": row.trigger.value, "source": list(row.sources), "dest": row.dest} for row in TABLE]
    return Machine(model=None, states=State, initial=None, auto_transitions=False, transitions=rows)


def advance(state: State, trigger: Trigger) -> State | None:
    """The state that `trigger` leads to; None where the table says that nothing changes.

    Raises `IllegalTransition` without an entry in the table.
    """
    position = _Position(state)
    try:
        _machine().events[trigger.value].trigger(position)
    except MachineError as exc:
        raise IllegalTransition(f"No transition leads from {state} by {trigger}.") from exc
    return position.state if position.moved else None


def mermaid() -> str:
    """The table as a Mermaid `stateDiagram-v2`, for the README; what changes nothing is left out.

    Mermaid's identifiers may not hold a hyphen, so each state has its Python name as an alias.
    """
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{state}" as {state.name.lower()}' for state in State]
    lines += [f"    [*] --> {State.PENDING.name.lower()}"]
    for row in TABLE:
        if row.dest is not None:
            dest = row.dest.name.lower()
            lines += [f"    {source.name.lower()} --> {dest}: {row.trigger}" for source in row.sources]
    lines += [f"    {end.name.lower()} --> [*]" for end in State if end.ended]
    return "\n".join(lines)
