"""The machine of the stack without the stack: the same core, a record for each container, no AWS.

It stands for TaskStateFunction alone. What the prober and the reconciler would add is shown as pending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.machine.schedule import schedule
from core.machine.task_documents import NotOurs, observe_event
from core.model.actions import SendProbe
from core.model.errors import MalformedEvent
from core.model.facts import AgentAnswered, TaskObserved
from core.model.instants import parse_instant
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from reach.replaying.reading import Found
from reach.replaying.step import Outcome, Step, described, differences, new_transitions, task_of

UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for an instant until it is read from the event."""


@dataclass(slots=True, kw_only=True)
class Offline:
    """Folds events into records, each `pending` when the first event of its generation comes.

    An event counts as known at its own `updatedAt`, or when the one before it was, if that is later: so late events
    stay late. `every_event` feeds what the rule of the stack would not let through, too. `agent_answers` lets every
    agent answer as soon as it is probed.
    """

    prefix: str
    policy: Policy = field(default_factory=Policy)
    every_event: bool = False
    agent_answers: bool = False
    _records: dict[str, Record] = field(default_factory=dict, init=False)

    def records(self) -> Mapping[str, Record]:
        """By container id."""
        return self._records

    def feed(self, found: Found) -> Step:
        """What this event does to its container."""
        seen: dict[str, Any] = {"origin": found.origin, "task": task_of(found.document)}
        if found.problem is not None:
            return Step(**seen, outcome=Outcome.MALFORMED, why=found.problem)
        try:
            fact = observe_event(found.document, prefix=self.prefix, at=UNKNOWN)
        except MalformedEvent as error:
            return Step(**seen, outcome=Outcome.MALFORMED, why=str(error))
        if isinstance(fact, NotOurs):
            return Step(**seen, outcome=Outcome.NOT_OURS, why=fact.why)
        fact = instant_of(fact, found.document)
        seen |= fact.ref._asdict()
        if not self.every_event and (why := withheld(fact, early_probe=self.policy.early_probe)) is not None:
            known = self._records.get(fact.ref.container_id)
            state = known.state.value if known else None
            return Step(**seen, outcome=Outcome.WITHHELD, at=fact.at, state=state, why=why)
        return self._fold(fact, seen)

    def _fold(self, fact: TaskObserved, seen: Mapping[str, Any]) -> Step:
        before = self._record(fact)
        fact = replace(fact, at=max(fact.at, before.updated_at))
        folded = apply(before, fact, self.policy)
        if isinstance(folded, Stale):
            return Step(**seen, outcome=Outcome.IGNORED, at=fact.at, state=before.state.value, why=folded.why)
        after = self._answered(folded) if self.agent_answers else folded
        self._records[after.container_id] = after
        transitions = new_transitions(before, after)
        return Step(
            **seen,
            outcome=Outcome.MOVED if transitions else Outcome.LEARNT,
            at=fact.at,
            state=after.state.value,
            transitions=transitions,
            changes=differences(before, after),
            pending=tuple(described(action) for action in next_actions(after, self.policy)),
        )

    def _record(self, fact: TaskObserved) -> Record:
        """The container's record; a new one for a container or a generation that no event spoke of yet."""
        known = self._records.get(fact.ref.container_id)
        if known is not None and known.generation >= fact.ref.generation:
            return known
        record = pending(fact, self.policy)
        self._records[fact.ref.container_id] = record
        return record

    def _answered(self, record: Record) -> Record:
        probe = next((one for one in next_actions(record, self.policy) if isinstance(one, SendProbe)), None)
        if probe is None:
            return record
        answer = AgentAnswered(ref=record.ref, at=record.updated_at, address=probe.address, attempts=1)
        answered = apply(record, answer, self.policy)
        return record if isinstance(answered, Stale) else answered


def pending(fact: TaskObserved, policy: Policy) -> Record:
    """The record as a start would have saved it just before the task was created. Without image, command and token."""
    begun = min(fact.created_at or fact.at, fact.at)
    record = Record(
        container_id=fact.ref.container_id,
        state=State.PENDING,
        generation=fact.ref.generation,
        revision=1,
        created_at=begun,
        updated_at=begun,
        cluster_arn=fact.cluster_arn,
    )
    return schedule(record, policy, begun)


def withheld(task: TaskObserved, *, early_probe: bool) -> str | None:
    """Why the rule in template.yaml does not let this event of ours through; None when it does."""
    passing = ("PENDING", "RUNNING") if early_probe else ("RUNNING",)
    if task.last_status in passing or task.desired_status == "STOPPED":
        return None
    return f"the rule lets through lastStatus {' and '.join(passing)}, and desiredStatus STOPPED"


def instant_of(fact: TaskObserved, event: Mapping[str, Any]) -> TaskObserved:
    """The fact, known when ECS published it: at `updatedAt`, else the envelope's second, else its newest instant."""
    shown = (fact.updated_at, _time(event), fact.stopped_at, fact.stopping_at, fact.started_at, fact.created_at)
    return replace(fact, at=next((one for one in shown if one is not None), fact.at))


def _time(event: Mapping[str, Any]) -> datetime | None:
    try:
        return parse_instant(str(event.get("time")))
    except ValueError:
        return None
