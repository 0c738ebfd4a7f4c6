"""A replayed life for a person, and for a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from core.model.instants import format_instant
from core.model.record import Record
from core.storage.item import to_item
from reach.replaying.step import Outcome, Step

_SHORT: Final = 12
_TEXT_LIMIT: Final = 300


def lines(number: int, step: Step) -> Iterator[str]:
    """One step: what happened in the first line, what changed, why not, and what is pending below it."""
    at = format_instant(step.at) if step.at else "-"
    who = step.container_id[:_SHORT] if step.container_id else "-"
    yield f"{number:>4}  {at:<24}  {who:<{_SHORT}}  {step.task or '-':<28}  {_happened(step)}".rstrip()
    if step.why is not None:
        yield f"      {_cut(step.why)}"
    yield from (f"      {line}" for line in _changes(step.changes))
    yield from (f"      pending: {_cut(pending)}" for pending in step.pending)
    if step.outcome in (Outcome.MALFORMED, Outcome.NOT_OURS):
        yield f"      in {step.origin}"


def summary(steps: Sequence[Step], records: Mapping[str, Record]) -> Iterator[str]:
    """How each container stands in the end, and what became of the events."""
    for container_id, record in records.items():
        yield ""
        yield f"{container_id}  generation {record.generation}: {_state(record)}"
        if record.agent_address is not None:
            yield f"      agent at {record.agent_address}"
        if record.error is not None:
            cause = f" ({record.error.cause})" if record.error.cause else ""
            yield f"      {record.error.code}{cause}: {record.error.message}"
            yield f"      What to do: {record.error.remedy}"
    counted = Counter(step.outcome for step in steps)
    yield ""
    yield f"Events: {len(steps)}; " + ", ".join(f"{counted[one]} {one}" for one in Outcome if counted[one])
    if counted[Outcome.NOT_OURS]:
        yield "Tasks that the stack did not start can be replayed too: --adopt"


def document(steps: Iterable[Step], records: Mapping[str, Record], *, prefix: str, seed: int | None) -> dict[str, Any]:
    """All of it as JSON. Items are as in DynamoDB (item.md), without the token."""
    items = {
        container_id: {name: value for name, value in to_item(record).items() if name != "agent_token"}
        for container_id, record in records.items()
    }
    disorder = {} if seed is None else {"seed": seed}
    return {"prefix": prefix, **disorder, "steps": [step.document() for step in steps], "containers": items}


def _happened(step: Step) -> str:
    if not step.transitions:
        return f"{step.outcome}  {f'(still {step.state})' if step.state else ''}"
    way = " -> ".join([step.transitions[0].origin, *(one.to for one in step.transitions)])
    return f"{way}  ({', '.join(one.trigger for one in step.transitions)})"


def _changes(changes: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """Instants in one line, as they come in handfuls; every other change in a line."""
    for group, names in groupby(sorted(changes), key=lambda name: name.partition(".")[0]):
        if group == "timings":
            known = [(name.partition(".")[2], changes[name][1]) for name in names]
            yield "timings: " + ", ".join(f"{name} {instant or '-'}" for name, instant in known)
        else:
            for name in names:
                before, after = changes[name]
                yield f"{name}: {_spelt(after)}" if before is None else f"{name}: {_spelt(before)} -> {_spelt(after)}"


def _state(record: Record) -> str:
    code, cause = (record.stop.exit_code, record.stop.cause) if record.stop else (None, None)
    ended = record.state if code is None else f"{record.state}, exit code {code}"
    return ended if cause is None else f"{ended} ({cause})"


def _spelt(value: Any) -> str:
    return "-" if value is None else _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]} ..."
