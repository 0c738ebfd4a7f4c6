"""The table, exhaustively: every state with every trigger."""

from __future__ import annotations

import pytest

from core.machine.table import TABLE, advance, mermaid
from core.model.errors import IllegalTransition
from core.model.state import State, Trigger

# contract.md 2, written out a second time: a change of the table has to be made twice, on purpose.
TRANSITIONS = {
    (State.PENDING, Trigger.TASK_STARTED): State.TASK_RUNNING,
    (State.TASK_RUNNING, Trigger.ADDRESS_RESOLVED): State.ENI_RESOLVED,
    (State.ENI_RESOLVED, Trigger.AGENT_ANSWERED): State.AGENT_HEALTHY,
    (State.PENDING, Trigger.LAUNCH_RETRIED): State.PENDING,
    (State.PENDING, Trigger.LAUNCH_FAILED): State.FAILED,
    (State.PENDING, Trigger.START_TIMED_OUT): State.FAILED,
    (State.TASK_RUNNING, Trigger.ADDRESS_MISSING): State.FAILED,
    (State.ENI_RESOLVED, Trigger.AGENT_UNREACHABLE): State.FAILED,
    **{
        (state, trigger): end
        for state in (State.PENDING, State.TASK_RUNNING, State.ENI_RESOLVED, State.AGENT_HEALTHY)
        for trigger, end in (
            (Trigger.CONTAINER_EXITED, State.STOPPED),
            (Trigger.TASK_FAILED, State.FAILED),
            (Trigger.TASK_LOST, State.FAILED),
        )
    },
}
BUGS = {
    (State.PENDING, Trigger.ADDRESS_RESOLVED),
    (State.PENDING, Trigger.AGENT_ANSWERED),
    (State.TASK_RUNNING, Trigger.AGENT_ANSWERED),
    (State.PENDING, Trigger.ADDRESS_MISSING),
    (State.PENDING, Trigger.AGENT_UNREACHABLE),
    (State.TASK_RUNNING, Trigger.AGENT_UNREACHABLE),
    (State.TASK_RUNNING, Trigger.LAUNCH_RETRIED),
    (State.ENI_RESOLVED, Trigger.LAUNCH_RETRIED),
    (State.AGENT_HEALTHY, Trigger.LAUNCH_RETRIED),
}


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("state", State)
def test_every_state_meets_every_trigger(state: State, trigger: Trigger) -> None:
    """A pair is a transition of contract.md 2, a bug, or changes nothing."""
    if (state, trigger) in BUGS:
        with pytest.raises(IllegalTransition, match=str(trigger)):
            advance(state, trigger)
    else:
        assert advance(state, trigger) is TRANSITIONS.get((state, trigger))


def test_no_pair_has_two_rows() -> None:
    """A second row for the same pair would decide twice."""
    pairs = [(source, row.trigger) for row in TABLE for source in row.sources]

    assert len(pairs) == len(set(pairs))


def test_an_end_is_an_end() -> None:
    """No trigger leads out of `failed` or `stopped`."""
    assert {advance(end, trigger) for end in (State.FAILED, State.STOPPED) for trigger in Trigger} == {None}


def test_the_diagram_shows_every_transition_and_no_other() -> None:
    """The diagram is drawn from the table."""
    arrows = {line.strip() for line in mermaid().splitlines() if "-->" in line and "[*]" not in line}

    assert arrows == {f"{a.replace('-', '_')} --> {b.replace('-', '_')}: {t}" for (a, t), b in TRANSITIONS.items()}
