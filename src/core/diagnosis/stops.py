"""Diagnoses a stopped or stopping task: finds the first row that matches ECS's texts, stop code and exit codes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from core.diagnosis.names import without_names
from core.diagnosis.order import STOPS, UNKNOWN_STOPS
from core.diagnosis.row import Actor, Diagnosis, Place, Row, one_line
from core.diagnosis.rows.general_rows import QUOTED
from core.model.facts import INIT, MAIN, ContainerSeen, TaskObserved

_START_BLAMED: Final = re.compile(
    r"resourceinitializationerror|cannot(start|pull|create)\w*error|cannotpull|task ?failed ?to ?start", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of ECS or of the container runtime. Patterns search `read`: `words` without names."""

    place: Place
    container: str
    words: str
    read: str


@dataclass(frozen=True, slots=True)
class _Ending:
    """What rows match against. `texts` stand in the order of their weight: the main container's reason first."""

    stop_code: str | None
    main_exit: int | None
    init_exit: int | None
    texts: tuple[_Text, ...]
    start_failed: bool


def diagnose(task: TaskObserved, *, main: str = MAIN, init: str = INIT) -> Diagnosis:
    """Why the task stopped, or is stopping. Never raises, whatever the texts, codes and containers are.

    Containers are found by name. ECS adds others than `main` and `init` (GuardDuty). Their texts count only when the
    start failed and no other text says why.
    """
    ending = _ending(task, main, init)
    own = [text for text in ending.texts if text.place is not Place.OTHER]
    blamable = list(ending.texts) if ending.start_failed and ending.main_exit is None else own
    matches = chain(
        _matches(STOPS, ending, own), _matches(STOPS, ending, blamable), _matches(UNKNOWN_STOPS, ending, blamable)
    )
    row, text = next(matches)
    foreign = text if text is not None and text.place in {Place.INIT, Place.OTHER} else None
    if row in UNKNOWN_STOPS:
        summary = _quoting(row, blamable, ending.main_exit)
    else:
        summary = row.summary if foreign is None else f"{row.summary} (container {foreign.container})"
    remedy = row.remedy
    if foreign is not None and foreign.place is Place.INIT:
        remedy += " The init container runs the stack's AgentImage with its AgentCopyCommand."
    return Diagnosis(
        cause=row.cause,
        summary=f"{summary}.",
        detail=_detail(task),
        remedy=remedy,
        transient=row.transient,
        # A user chooses neither the agent image nor the containers that ECS adds.
        actor=Actor.OPERATOR if foreign is not None and row.actor is Actor.USER else row.actor,
        start_failed=row.start_failed or ending.start_failed,
    )


def _ending(task: TaskObserved, main: str, init: str) -> _Ending:
    places = {main: Place.MAIN, init: Place.INIT}
    said = [
        (places.get(seen.name, Place.OTHER), seen.name, words)
        for seen in task.containers
        # `core.control.perform` makes sure that a complaint is the runtime's own, as a reason is.
        for words in (seen.reason, seen.complaint)
    ]
    said.append((Place.TASK, "", task.stopped_reason))
    order = (Place.MAIN, Place.INIT, Place.TASK, Place.OTHER)
    images = [seen.image for seen in task.containers if seen.image]
    texts = tuple(
        _Text(place, one_line(name), line := one_line(words), without_names(line, images))
        for place, name, words in sorted(said, key=lambda one: order.index(one[0]))
        if words and words.strip()
    )
    main_seen, init_seen = task.container(main), task.container(init)
    return _Ending(
        _stop_code(task),
        main_seen.exit_code if main_seen else None,
        init_seen.exit_code if init_seen else None,
        texts,
        _start_failed(task, texts) or _never_let_main_start(init_seen),
    )


def _stop_code(task: TaskObserved) -> str | None:
    """`TerminationNotice` is the older name of `SpotInterruption`, but tasks outside Spot end with it as well."""
    if task.stop_code == "TerminationNotice" and task.capacity_provider_name == "FARGATE_SPOT":
        return "SpotInterruption"
    return task.stop_code


def _start_failed(task: TaskObserved, texts: Iterable[_Text]) -> bool:
    """Whether the stop code or an error name blames the start. The reason of a StopTask call is free text."""
    code = (task.stop_code or "").casefold()
    blaming = {Place.MAIN, Place.INIT} if code == "userinitiated" else {Place.MAIN, Place.INIT, Place.TASK}
    return code == "taskfailedtostart" or any(
        text.place in blaming and _START_BLAMED.search(text.read) for text in texts
    )


def _never_let_main_start(init: ContainerSeen | None) -> bool:
    """`main` dependsOn `init` SUCCESS: without its exit code 0 there was no start (contract.md 5)."""
    if init is None or init.exit_code == 0:
        return False
    return init.exit_code is not None or bool(init.reason)


def _matches(rows: Iterable[Row], ending: _Ending, texts: Sequence[_Text]) -> Iterator[tuple[Row, _Text | None]]:
    """The rows that match, each with the text that it matched, if any."""
    for row in rows:
        if row.main_exit is not None and not row.main_exit(ending.main_exit):
            continue
        if row.init_exit is not None and not row.init_exit(ending.init_exit):
            continue
        found = next((text for text in texts if row.where in {None, text.place} and row.found_in(text.read)), None)
        if found is not None or row.has_code(ending.stop_code) or not (row.codes or row.pattern):
            yield row, found


def _quoting(row: Row, texts: Sequence[_Text], exit_code: int | None) -> str:
    """The summary with a quotation: if no row knows a text, a container's own reason says more than a summary."""
    summary = row.summary.format(exit_code=exit_code)
    reasons = [text for text in texts if text.place is not Place.TASK]
    said = next(iter(reasons or (texts if row in QUOTED else ())), None)
    return f"{summary}: {said.words.rstrip('.')}" if said is not None else summary


def _detail(task: TaskObserved) -> str:
    """All codes and texts of ECS and the runtime, unchanged."""
    lines = [f"stopCode: {task.stop_code or 'none'}", f"stoppedReason: {task.stopped_reason or 'none'}"]
    lines += [
        f"container {seen.name} ({seen.last_status or 'no status'}): "
        f"exit code {'none' if seen.exit_code is None else seen.exit_code}"
        + (f", reason: {seen.reason}" if seen.reason else "")
        + (f", output: {seen.complaint}" if seen.complaint else "")
        for seen in task.containers
    ]
    return "; ".join(lines if task.containers else [*lines, "no containers"])
