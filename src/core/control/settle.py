"""`settle`: load, apply, save under the lock, perform what is owed, feed each outcome back as a fact.

Save first, act second. A function that dies in between is invoked again with the same fact, which is stale then;
but what is owed is read from the saved record, so it is done all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.model.actions import Action
from core.model.errors import ContendedRecord, ReachError
from core.model.facts import Fact
from core.model.policy import Policy
from core.model.record import Record, Step
from core.ports import RevisionConflict, Store

ATTEMPTS: Final = 8
"""Writers that meet: each conflict means that another one got through, so a few rounds are plenty."""

Perform = Callable[[Action], Fact | None]
"""Carries one action out and says what became known by it; raises `CallFailed` when it could not."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a fact. `ignored` says why it changed nothing; `steps` are the transitions it caused."""

    record: Record | None
    steps: tuple[Step, ...] = ()
    ignored: str | None = None
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Settler:
    """Folds facts into the table, on behalf of one function.

    `perform` maps the kinds of action that this function can carry out; the others are left to the reconciler,
    which finds them due (the prober, inside the VPC, cannot reach the ECS API: contract.md 8).
    """

    store: Store
    policy: Policy
    perform: Mapping[type[Action], Perform] = field(default_factory=dict)
    explain: Callable[[Record, Fact], Fact] = lambda _, fact: fact
    """Enriches a fact before it is applied. Called again after a conflict, so an enriched fact comes back unchanged."""
    unfinished: Callable[[Settled], None] = lambda _: None
    """Hears of what was settled before an action failed, because the error is all that the caller gets to see."""

    def settle(self, *facts: Fact, known: Record | None = None) -> Settled:
        """Folds the facts in order, then does what the record owes, until nothing is owed that this function can do.

        All facts concern one container. `known` spares the first read: a record that was just read. If it is out of
        date, the lock says so. `ignored` of the answer speaks of the first fact. Without facts, what `known` owes is
        done.

        Raises `ContendedRecord` when every attempt met another writer, `UnreadableRecord` for an item of an unknown
        kind, `CallFailed` from an action: by then the record is saved, and a redelivery performs the action. An
        action that failed keeps no other from being done. When another generation takes the container over meanwhile,
        the answer stays with the one that the first fact met.
        """
        settled, failed = self._folded(facts, known)
        done: set[Action] = set()
        while settled.record is not None and (action := self._owed(settled.record, done)) is not None:
            done.add(action)
            try:
                outcome = self.perform[type(action)](action)
                if outcome is not None:
                    settled = joined(settled, self._fold(outcome, settled.record))
            except ReachError as error:
                failed = failed or error
        if failed is not None:
            self.unfinished(settled)
            raise failed
        return settled

    def _folded(self, facts: Sequence[Fact], known: Record | None) -> tuple[Settled, ReachError | None]:
        """All of them; what failed after the first one was folded, because that is saved and has to be told."""
        settled = Settled(known)
        for number, fact in enumerate(facts):
            try:
                folded = self._fold(fact, settled.record)
            except ReachError as error:
                if not settled.steps:
                    raise
                return settled, error
            settled = joined(settled, folded) if number else folded
        return settled, None

    def _owed(self, record: Record, done: set[Action]) -> Action | None:
        """The next action this function can do and has not done in this call: a second try is the platform's."""
        owed = next_actions(record, self.policy)
        return next((action for action in owed if type(action) in self.perform and action not in done), None)

    def _fold(self, fact: Fact, known: Record | None) -> Settled:
        record = known or self.store.load(fact.container_id)
        for conflicts in range(ATTEMPTS):
            if record is None:
                return Settled(None, ignored="no such container is recorded", conflicts=conflicts)
            fact = self.explain(record, fact)
            folded = apply(record, fact, self.policy)
            if isinstance(folded, Stale):
                return Settled(record, ignored=folded.why, conflicts=conflicts)
            try:
                self.store.save(folded)
            except RevisionConflict as conflict:
                if conflict.current != folded:
                    record = conflict.current or self.store.load(fact.container_id)
                    continue
                # The SDK repeated a write whose answer was lost, and met itself.
            return Settled(folded, _new_steps(record, folded), conflicts=conflicts)
        raise ContendedRecord(
            f"The item of container {fact.container_id} changed under {ATTEMPTS} attempts to write it. "
            "The platform's retry will come through; if this repeats, look for a loop of writers."
        )


def _new_steps(before: Record, after: Record) -> tuple[Step, ...]:
    known = set(before.history)
    return tuple(step for step in after.history if step not in known)


def joined(earlier: Settled, later: Settled) -> Settled:
    """Both in one, with the record of the earlier one's generation."""
    overtaken = earlier.record and later.record and later.record.generation != earlier.record.generation
    record = earlier.record if overtaken else later.record
    return Settled(record, earlier.steps + later.steps, earlier.ignored, earlier.conflicts + later.conflicts)
