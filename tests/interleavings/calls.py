"""What a call does to the world and answers: one pair of a state and an answer for each way it may go well."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Final

from core.model.identity import parse_started_by, token_parameter
from core.model.instants import format_instant
from tests.exploration.faults import Fault
from tests.factories import at
from tests.interleavings.scene import Scene
from tests.interleavings.state import Call, Message, State, document_of, record_of
from tests.interleavings.tape import Conflict, Failed, Refusal
from tests.interleavings.task import Task, document, event, stop

Outcome = tuple[str, State, Hashable]
"""A word for the label, the world after the call, and the answer."""
PREFIX: Final = "sockerless"
CHANGES: Final = frozenset({"PutItem", "RunTask", "StopTask", "SendMessage", "PutParameter", "DeleteParameter"})
"""The calls that leave something behind."""


class Calls:
    """The world's answers in one scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def outcomes(self, state: State, call: Call) -> Iterator[Outcome]:  # noqa: C901, PLR0912 - one case a call
        """Every way in which the call may succeed."""
        about: Any = call.about
        match call.operation:
            case "GetItem":
                yield "", state, state.item(about[0])
            case "BatchGetItem":
                yield "", state, tuple(text for one in about if (text := state.item(one)) is not None)
            case "Query":
                yield "", state, _due(state, about[1])
            case "PutItem":
                yield self._put(state, *about)
            case "RunTask":
                yield from self._run(state, about[0])
            case "StopTask":
                yield _stop(state, *about)
            case "DescribeTasks":
                yield "", state, tuple(document(task) for task in state.tasks if task.shown and task.arn in about)
            case "ListTasks":
                yield "", state, _listed(state, *about)
            case "SendMessage":
                yield "", state.with_message(Message("probe", call.about)) if self._scene.probed else state, None
            case "PutParameter":
                yield "", state._replace(vault=tuple(sorted({**dict(state.vault), about[0]: about[1]}.items()))), None
            case "DeleteParameter":
                yield "", state._replace(vault=tuple(pair for pair in state.vault if pair[0] != about[0])), None
            case "DescribeParameters":
                yield "", state, tuple((name, format_instant(at(0))) for name, _ in state.vault)
            case "GetLogEvents":
                yield "", state, tuple(one.printed for one in state.tasks if one.arn == about[0] and one.printed)
            case "GET /health" | "GET /ws":
                yield self._asked(state, *about)
            case "sleep":
                yield "", state, None

    def faulty(self, state: State, call: Call) -> Iterator[Outcome]:
        """Every way in which it may fail, or answer with what was true a step before."""
        if not state.left.trouble or call.operation not in self._scene.faulty:
            return
        spent = state.spend("trouble")
        if self._scene.lags and call.operation == "DescribeTasks":
            shown = [task for task in state.tasks if task.shown and task.arn in call.about]
            if any(task.earlier for task in shown):
                yield "as it was before", spent, tuple(task.earlier or document(task) for task in shown)
        for fault in self._scene.ways:
            for after, result in self._failed(spent, call, fault):
                yield str(fault), after, result

    def _failed(self, state: State, call: Call, fault: Fault) -> Iterator[tuple[State, Hashable]]:
        about: Any = call.about
        match fault, call.operation:
            case Fault.LOST_AFTER, operation if operation in CHANGES:
                for _, after, _ in self.outcomes(state, call):
                    yield after, Failed(fault)
            case Fault.REPEATED, "PutItem":
                # The SDK repeats a write whose answer was lost, and it meets itself.
                _, once, answer = self._put(state, *about)
                if answer is None:
                    _, twice, again = self._put(once, *about)
                    yield twice, again
            case Fault.REFUSED, "RunTask" if _launched(state, document_of(about[0])["clientToken"]) is None:
                # No capacity for a new task; one that the token has already is not refused.
                yield state, Failed(fault)
            case Fault.THROTTLED | Fault.LOST_BEFORE, _:
                yield state, Failed(fault)

    def _put(self, state: State, container_id: str, text: str) -> Outcome:
        now, after = state.record(container_id), record_of(text)
        if self._scene.conditional and (now.revision if now else 0) != after.revision - 1:
            return "", state, Conflict(state.item(container_id))
        written = state.with_item(container_id, text)
        silent = after.probe is not None and after.probe.silent_at is not None
        if silent and after.state == "eni-resolved":
            written = written.with_message(Message("stream", (container_id,)))
        return "", written, None

    def _run(self, state: State, text: str) -> Iterator[Outcome]:
        request = document_of(text)
        known = _launched(state, request["clientToken"])
        if known is not None:
            yield "", state, known.arn if known.request == text else Refusal("ConflictException")
            return
        ref = parse_started_by(PREFIX, request["startedBy"])
        assert ref is not None
        number, scene = len(state.tasks) + 1, self._scene
        secret = dict(state.vault).get(token_parameter(PREFIX, ref))
        for fate in scene.fates if number > 1 else (scene.first,):
            task = Task(
                number=number,
                container_id=ref.container_id,
                generation=ref.generation,
                fate=fate,
                request=text,
                address="10.0.1.47" if scene.recycles else f"10.0.{number}.47",
                secret=secret,
                birth=state.now,
                status="PROVISIONING" if scene.settings.early_probe else "PENDING",
                shown=not scene.young,
                listed=not scene.young,
            )
            yield f"a task that {fate}", state._replace(tasks=(*state.tasks, task)), task.arn

    def _asked(self, state: State, address: str, token: str | None = None) -> Outcome:
        here = [task for task in state.tasks if f"{task.address}:9111" == address]
        agent = next((task for task in here if task.answers), None)
        if agent is not None:
            return "", state, 200 if token is None else 400 if token == agent.token else 401
        left = self._scene.stranger and any(task.status in {"DEPROVISIONING", "STOPPED"} for task in here)
        return "", state, (200 if token is None else 401) if left else None


def _launched(state: State, token: str) -> Task | None:
    """The task of a client token."""
    return next((task for task in state.tasks if task.attempt_token == token and not task.forgotten), None)


def _due(state: State, until: str) -> tuple[str, ...]:
    checks = {one: record.check_at for one, record in state.records().items()}
    return tuple(one for one, check_at in checks.items() if check_at is not None and format_instant(check_at) <= until)


def _stop(state: State, arn: str, reason: str) -> Outcome:
    task = next((one for one in state.tasks if one.arn == arn and one.shown), None)
    if task is None:
        return "", state, False
    stopped = stop(task, reason)
    return "", with_event(state.with_task(stopped), task, stopped, early=False), True


def _listed(state: State, started_by: str | None = None, stopped: bool = False) -> tuple[str, ...]:
    listed = [task for task in state.tasks if task.listed]
    if started_by is None:
        return tuple(task.arn for task in listed if task.wanted)
    own = [task for task in listed if f"{PREFIX}/{task.container_id}/{task.generation}" == started_by]
    return tuple(task.arn for task in own if task.wanted is not stopped)


def with_event(state: State, before: Task, after: Task, *, early: bool) -> State:
    """The state with the event of a new version, if the rule lets it through (contract.md 4)."""
    if after.version == before.version:
        return state
    if after.status == "RUNNING" or not after.wanted or (early and after.status == "PENDING"):
        about = (after.container_id, f"{after} v{after.version} {after.status}", event(after))
        return state.with_message(Message("event", about))
    return state
