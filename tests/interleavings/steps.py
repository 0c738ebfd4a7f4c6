"""The steps that a state allows, each with its label, the state after it and the rules that it breaks."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any, Final, NamedTuple

from core.model.record import Record
from tests.exploration.wired import failed
from tests.exploration.writes import Finding
from tests.factories import START
from tests.interleavings.calls import CHANGES, Calls, with_event
from tests.interleavings.invocation import TIMEOUTS, Invocations
from tests.interleavings.judge import at_call
from tests.interleavings.scene import Scene
from tests.interleavings.state import Call, Entry, Invocation, Message, State
from tests.interleavings.task import IMAGE, next_steps

DELIVERIES: Final = {"event": 3, "probe": 5, "stream": 2}
YOUNG: Final = 30
"""Seconds after which ECS shows every task."""
ANYTIME: Final = 60
"""Seconds of a tick where no instant is known to wait for."""


class Step(NamedTuple):
    """`broken`: the rules that this step breaks, and how."""

    label: str
    state: State
    broken: tuple[Finding, ...] = ()


class Steps:
    """All that may happen in one scene."""

    def __init__(self, scene: Scene, invocations: Invocations) -> None:
        self._scene, self._invocations = scene, invocations
        self._calls = Calls(scene)
        self.ids = tuple(f"{number:064x}" for number in range(1, scene.containers + 1))

    def of(self, state: State) -> Iterator[Step]:
        """Every step."""
        yield from self._calls_made(state)
        yield from self._deliveries(state)
        yield from self._tasks(state)
        yield from self._requests(state)
        yield from self._platform(state)

    def call(self, state: State, invocation: Invocation, number: int, call: Call) -> Step:
        """That call of a running invocation, as it goes well."""
        _, after, result = next(self._calls.outcomes(state, call))
        return self._answered(state, after, invocation, Entry(number, result, state.now), call)

    def ready(self, state: State, invocation: Invocation) -> list[tuple[int, Call]]:
        """The calls that it is about to make; a sleep once its time has come."""
        calls = self._invocations.standing(invocation).calls
        return [(number, call) for number, call in calls if call.operation != "sleep" or call.about[0] <= state.now]  # type: ignore[operator]

    def begin(self, state: State, kind: str, name: str, *about: Hashable, message: Message | None = None) -> State:
        """An invocation begins, with a clock in time."""
        invocation = Invocation(name, kind, about, state.policy, 0, state.now, message=message)
        return self._settled_down(state.with_invocation(invocation), invocation)

    def deliver(self, state: State, message: Message, *, skew: float = 0) -> State | None:
        """A message comes; None while the same one is at work twice."""
        name = f"{message.kind} of {_named(message)}, delivery {message.tries + 1}"
        running = {one.name for one in state.running}
        if name in running:
            name = f"{name} again"
        if name in running:
            return None
        about = message.about
        invocation = Invocation(name, message.kind, about, state.policy, skew, state.now, message=message)
        return self._settled_down(state.without_message(message).with_invocation(invocation), invocation)

    def grown(self, state: State) -> Iterator[tuple[str, State]]:
        """Each task a step further."""
        early = self._scene.settings.early_probe
        for task in state.tasks:
            for what, after in next_steps(task, state.now):
                yield f"{task} {what}", with_event(state.with_task(after), task, after, early=early)

    def tick(self, state: State, now: float) -> State:
        """The clock jumps, invocations whose time is over end, and ECS shows what it has had for long."""
        after = state._replace(
            now=now,
            tasks=tuple(
                task._replace(shown=True, listed=True) if now - task.birth >= YOUNG and not task.forgotten else task
                for task in state.tasks
            ),
        )
        for invocation in state.running:
            if now >= invocation.began + TIMEOUTS[invocation.kind]:
                after = self._over(after, invocation)
        return after

    def instants(self, state: State) -> Iterator[float]:
        """What records wait for."""
        for record in state.records().values():
            due = [record.check_at, record.probe.deadline if record.probe and not record.state.ended else None]
            yield from ((instant - START).total_seconds() for instant in due if instant is not None)
            if record.expires_at is not None:
                yield record.expires_at - START.timestamp()

    def due(self, record: Record) -> float | None:
        """When the reconciler is to check it, in seconds."""
        return None if record.check_at is None else (record.check_at - START).total_seconds()

    def _calls_made(self, state: State) -> Iterator[Step]:
        for invocation in state.running:
            for number, call in self.ready(state, invocation):
                for word, after, result in (*self._calls.outcomes(state, call), *self._calls.faulty(state, call)):
                    entry = Entry(number, result, state.now)
                    step = self._answered(state, after, invocation, entry, call)
                    yield step._replace(label=f"{step.label}: {word}" if word else step.label)
                if state.left.trouble and self._scene.dies and call.operation in CHANGES:
                    for word, after, _ in self._calls.outcomes(state, call):
                        dead = self._over(after, invocation).spend("trouble")
                        label = f"{invocation.name}: {call.operation}, then it dies"
                        yield Step(f"{label}: {word}" if word else label, dead, tuple(at_call(state, after, call)))

    def _answered(self, before: State, after: State, invocation: Invocation, entry: Entry, call: Call) -> Step:
        broken = tuple(at_call(before, after, call))
        further = invocation._replace(log=(*invocation.log, entry))
        settled = self._settled_down(after.with_invocation(further), further)
        return Step(f"{invocation.name}: {call.operation}", settled, broken + self._judged(settled, further))

    def _judged(self, state: State, invocation: Invocation) -> tuple[Finding, ...]:
        """A normal answer of start names a task that its record wants, and no failed record."""
        standing = self._invocations.standing(invocation)
        answer = standing.answer
        if standing.calls or answer is None or answer.record is None:
            return ()
        record, now = answer.record, state.record(answer.record.container_id)
        if invocation.kind == "stop":
            unheard = not record.state.ended and not record.stop_requested
            return (("stop-answer", f"{record.state}, and no stop is recorded"),) if unheard else ()
        if failed(record):
            return (("answer", f"{record.state} without an error"),)
        same = now is not None and now.ref == record.ref and not now.state.ended
        if same and now is not None and record.task_arn is not None and now.task_arn not in (None, record.task_arn):
            named = now.gave_up(record.task_arn)
            return () if named else (("answer", f"it names {record.task_arn}, and the record {now.task_arn}"),)
        return ()

    def _settled_down(self, state: State, invocation: Invocation) -> State:
        """The invocation leaves when it has ended."""
        standing = self._invocations.standing(invocation)
        if standing.calls:
            return state
        if standing.failed:
            return self._over(state, invocation)
        after = state.without_invocation(invocation)
        answer = standing.answer
        if invocation.kind != "stop" or answer is None or answer.record is None:
            return after
        return after._replace(stops=tuple(sorted({*state.stops, tuple(answer.record.ref)})))  # type: ignore[arg-type]

    def _over(self, state: State, invocation: Invocation) -> State:
        """It failed or died: its message is delivered again, a few times."""
        after, message = state.without_invocation(invocation), invocation.message
        if message is not None and message.tries + 1 < DELIVERIES[message.kind]:
            return after.with_message(message._replace(tries=message.tries + 1))
        return after

    def _deliveries(self, state: State) -> Iterator[Step]:
        for message in dict.fromkeys(state.messages):
            named = _named(message)
            for skew in self._scene.skews:
                if (after := self.deliver(state, message, skew=skew)) is not None:
                    yield Step(f"{message.kind} arrives: {named}{_skewed(skew)}", after)
            if state.left.trouble and self._scene.loses:
                yield Step(f"{message.kind} is lost: {named}", state.without_message(message).spend("trouble"))
            if state.left.trouble and self._scene.doubles:
                yield Step(f"{message.kind} is doubled: {named}", state.with_message(message).spend("trouble"))

    def _tasks(self, state: State) -> Iterator[Step]:
        for label, after in self.grown(state):
            yield Step(label, after)

    def _requests(self, state: State) -> Iterator[Step]:
        for one in self.ids:
            if state.left.starts:
                for kind, members in enumerate(self._scene.requests):
                    request = {"container_id": one, "image": IMAGE, "cmd": ["serve"], **members}
                    text = json.dumps(request, sort_keys=True)
                    for skew in self._scene.skews:
                        yield self._new(state, "starts", "start", text, skew=skew, what=f"{one[-1]} as {kind}")
            if state.left.stops and state.item(one) is not None:
                yield self._new(state, "stops", "stop", json.dumps({"container_id": one}), what=one[-1])

    def _platform(self, state: State) -> Iterator[Step]:
        if state.left.runs and any(instant <= state.now + 1 for instant in self.instants(state)):
            for skew in self._scene.skews:
                yield self._new(state, "runs", "run", skew=skew)
        if state.left.leaks and any(task.wanted for task in state.tasks):
            yield self._new(state, "leaks", "leaks")
        if state.left.ticks:
            later = [instant for instant in self.instants(state) if instant > state.now]
            now = min(later, default=state.now + ANYTIME)
            yield Step(f"the clock reaches {now:g} s", self.tick(state, now).spend("ticks"))
        if state.left.deployments:
            policy = (state.policy + 1) % len(self._scene.policies)
            yield Step("another policy is deployed", state._replace(policy=policy).spend("deployments"))
        for one, record in state.records().items():
            if record.expires_at is not None and record.expires_at <= START.timestamp() + state.now:
                yield Step(f"the time to live of {one[-1]} ends", _expired(state, one))

    def _new(self, state: State, purse: str, kind: str, *about: Hashable, skew: float = 0, what: str = "") -> Step:
        number = state.begun + 1
        invocation = Invocation(f"{kind} {number}", kind, about, state.policy, skew, state.now)
        begun = state.spend(purse)._replace(begun=number).with_invocation(invocation)
        return Step(f"{kind} {number} begins {what}".rstrip() + _skewed(skew), self._settled_down(begun, invocation))


def _expired(state: State, container_id: str) -> State:
    """DynamoDB deletes the item, a day after the end at least: by then ECS has forgotten the tasks (ecs.md 3)."""
    known = state.with_item(container_id, None)
    return known._replace(
        tasks=tuple(
            task._replace(shown=False, listed=False, forgotten=True) if task.container_id == container_id else task
            for task in known.tasks
        )
    )


def _named(message: Message) -> str:
    about: Any = message.about
    return str(about[1]) if message.kind == "event" else " ".join(str(part)[-16:] for part in about)


def _skewed(skew: float) -> str:
    return f", its clock off by {skew:+g} s" if skew else ""
