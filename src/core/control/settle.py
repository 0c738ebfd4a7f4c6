"""`settle`: load, apply, save under the lock, perform what is pending, apply each outcome as a fact.

A function that dies between the save and an action is invoked again with the same fact. The fact is stale then, but
the pending actions are read from the saved record, so they are performed all the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.control.perform import perform
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.machine.unsaved import may_wait
from core.model.actions import Action
from core.model.errors import ContendedRecord, ReachError, RecordDeleted
from core.model.facts import Fact
from core.model.record import Record, Settled, Unknown
from core.ports import Ports, RevisionConflict

ATTEMPTS: Final = 8
"""Writers that meet: each conflict means that another one got through, so a few rounds are plenty."""


def settle_event(ports: Ports, fact: Fact, known: Record | None = None) -> Settled | Unknown:
    """As `settle`, for a fact that comes from outside: its container may have no item.

    `known`: its record, where this function has read it already.
    """
    try:
        if (record := known or ports.store.load(fact.ref.container_id)) is not None:
            return settle(ports, record, fact)
    except RecordDeleted:
        pass
    unknown = Unknown(fact)
    ports.observer.settled(unknown)
    return unknown


def settle(ports: Ports, record: Record, *facts: Fact) -> Settled:
    """Applies the facts in order, saves once, then performs pending actions until none is left that this function may.

    `record` was read: if it is out of date, the lock says so. All facts, if any, are about its container.
    An action that this function may not perform is left to the reconciler, which finds the record due. An action that
    fails keeps no other from being performed. When another generation takes the container over meanwhile, the answer
    stays with the one that the first fact met.

    The record of the answer may hold more than the saved one: what `core.machine.unsaved` lets wait.

    Raises `ContendedRecord` when every attempt met another writer, `RecordDeleted`, `UnreadableRecord`, and
    `CallFailed` of an action: by then the record is saved, and a redelivery performs the action.
    """
    settled, failed = _apply(ports, record, facts) if facts else Settled(record), None
    done: set[Action] = set()
    while (action := _next(ports, settled.record, done)) is not None:
        done.add(action)
        try:
            if (outcome := perform(ports, action)) is not None:
                settled = _joined(settled, _apply(ports, settled.record, (outcome,)))
        except ReachError as error:
            failed = failed or error
    ports.observer.settled(settled)
    if failed is not None:
        raise failed
    return settled


def hold(ports: Ports, record: Record, fact: Fact) -> Record:
    """The record after the fact, which nothing saves: another function will learn it, and save it. Performs nothing."""
    changed, ignored = _applied(ports, record, (fact,))
    settled = Settled(_held(record, changed), ignored=ignored)
    ports.observer.settled(settled)
    return settled.record


def _next(ports: Ports, record: Record, done: set[Action]) -> Action | None:
    """The next action that this function may perform and has not tried in this call: a second try is the platform's."""
    pending = next_actions(record, ports.policy)
    return next((action for action in pending if type(action) in ports.performs and action not in done), None)


def _apply(ports: Ports, record: Record, facts: Sequence[Fact]) -> Settled:
    for conflicts in range(ATTEMPTS):
        changed, ignored = _applied(ports, record, facts)
        if changed is record:
            return Settled(record, ignored=ignored, conflicts=conflicts)
        if may_wait(record, changed):
            return Settled(_held(record, changed), ignored=ignored, conflicts=conflicts)
        try:
            ports.store.save(changed)
        except RevisionConflict as conflict:
            # Else the SDK repeated a write whose answer was lost, and met itself.
            if conflict.current != changed:
                winner = conflict.current or ports.store.load(record.container_id)
                if winner is None:
                    raise RecordDeleted(record.container_id) from conflict
                record = winner
                continue
        steps = tuple(step for step in changed.history if step not in record.history)
        return Settled(changed, steps, ignored, conflicts)
    raise ContendedRecord(
        f"The item of container {record.container_id} changed under {ATTEMPTS} attempts to write it. "
        "The platform's retry will come through; if this repeats, look for a loop of writers."
    )


def _applied(ports: Ports, record: Record, facts: Sequence[Fact]) -> tuple[Record, str | None]:
    """The record after all facts, for one write, and why the first one changed nothing."""
    changed, ignored = record, None
    for fact in facts:
        applied = apply(changed, fact, ports.policy)
        if not isinstance(applied, Stale):
            changed = replace(applied, revision=record.revision + 1)
        elif fact is facts[0]:
            ignored = applied.why
    return changed, ignored


def _held(saved: Record, changed: Record) -> Record:
    """What this function knows, with what the saved record says of the write."""
    return replace(changed, revision=saved.revision, updated_at=saved.updated_at, check_at=saved.check_at)


def _joined(earlier: Settled, later: Settled) -> Settled:
    """Both in one, with the record of the earlier one's generation."""
    overtaken = later.record.ref != earlier.record.ref
    return replace(
        earlier,
        record=earlier.record if overtaken else later.record,
        steps=earlier.steps + later.steps,
        conflicts=earlier.conflicts + later.conflicts,
    )
