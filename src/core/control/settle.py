"""`settle`: load, apply, save under the lock, perform what is pending, apply each outcome as a fact.

A function that dies between the save and an action is invoked again with the same fact. The fact is stale then, but
the pending actions are read from the saved record, so they are performed all the same.
"""

from dataclasses import replace
from typing import Final

from core.control.perform import perform
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.model.actions import Action
from core.model.errors import ContendedRecord, ReachError, RecordDeleted
from core.model.facts import Fact
from core.model.record import Record, Settled, Unknown
from core.ports import Ports, RevisionConflict

ATTEMPTS: Final = 8
"""Writers that meet: each conflict means that another one got through, so a few rounds are plenty."""


def settle_event(ports: Ports, fact: Fact) -> Settled | Unknown:
    """As `settle`, for a fact that comes from outside: its container may have no item."""
    try:
        if (record := ports.store.load(fact.ref.container_id)) is not None:
            return settle(ports, record, fact)
    except RecordDeleted:
        pass
    unknown = Unknown(fact)
    ports.observer.settled(unknown)
    return unknown


def settle(ports: Ports, record: Record, *facts: Fact) -> Settled:
    """Applies the facts in order, then performs pending actions until none is left that this function may perform.

    `record` was just read: if it is out of date, the lock says so. All facts, if any, are about its container.
    An action that this function may not perform is left to the reconciler, which finds the record due. An action that
    fails keeps no other from being performed. When another generation takes the container over meanwhile, the answer
    stays with the one that the first fact met.

    Raises `ContendedRecord` when every attempt met another writer, `RecordDeleted`, `UnreadableRecord`, and
    `CallFailed` of an action: by then the record is saved, and a redelivery performs the action.
    """
    settled, failed = Settled(record), None
    for number, fact in enumerate(facts):
        try:
            applied = _apply(ports, settled.record, fact)
        except ReachError as error:
            if not settled.steps:
                raise
            failed = error  # what the facts before it changed is saved, and has to be reported
            break
        settled = _joined(settled, applied) if number else applied
    done: set[Action] = set()
    while (action := _next(ports, settled.record, done)) is not None:
        done.add(action)
        try:
            if (outcome := perform(ports, action)) is not None:
                settled = _joined(settled, _apply(ports, settled.record, outcome))
        except ReachError as error:
            failed = failed or error
    ports.observer.settled(settled)
    if failed is not None:
        raise failed
    return settled


def _next(ports: Ports, record: Record, done: set[Action]) -> Action | None:
    """The next action that this function may perform and has not tried in this call: a second try is the platform's."""
    pending = next_actions(record, ports.policy)
    return next((action for action in pending if type(action) in ports.performs and action not in done), None)


def _apply(ports: Ports, record: Record, fact: Fact) -> Settled:
    for conflicts in range(ATTEMPTS):
        applied = apply(record, fact, ports.policy)
        if isinstance(applied, Stale):
            return Settled(record, ignored=applied.why, conflicts=conflicts)
        try:
            ports.store.save(applied)
        except RevisionConflict as conflict:
            # Else the SDK repeated a write whose answer was lost, and met itself.
            if conflict.current != applied:
                winner = conflict.current or ports.store.load(record.container_id)
                if winner is None:
                    raise RecordDeleted(record.container_id) from conflict
                record = winner
                continue
        steps = tuple(step for step in applied.history if step not in record.history)
        return Settled(applied, steps, conflicts=conflicts)
    raise ContendedRecord(
        f"The item of container {fact.ref.container_id} changed under {ATTEMPTS} attempts to write it. "
        "The platform's retry will come through; if this repeats, look for a loop of writers."
    )


def _joined(earlier: Settled, later: Settled) -> Settled:
    """Both in one, with the record of the earlier one's generation."""
    overtaken = later.record.ref != earlier.record.ref
    return replace(
        earlier,
        record=earlier.record if overtaken else later.record,
        steps=earlier.steps + later.steps,
        conflicts=earlier.conflicts + later.conflicts,
    )
