"""What must hold: at every write, in every answer, and when all is at rest. The oracle of the exploration.

At every write, beside the rules of `writes`
- `capacity`: the task runs on the capacity that its start asked for, On-Demand after Spot only when Spot had none.
- `no-try`: nobody calls an agent unreachable that no prober has tried.
- `alive`: no record says that its task was lost or never started while that task is to run.
- `listed`: nobody who was shown a task says that there is none.
- `not-tried`: a launch that is pending is made, or the start times out; it is not given up untried.
In answers and logs
- `answer`: a normal answer of start names a task that its record wants or will take, no failed record, and the
  generation that its request names.
- `stop-answer`: a normal answer of stop names a generation whose stop is recorded, or that has ended.
- `late`: what the stream brings of a silence is pronounced then.
- `untold`: a step is told by whoever wrote it.
At rest, a day later (`rest`)
- `leak`: no task runs that no record wants; none of an ended generation.
- `doubled`: a generation has at most one task that is to run.
- `stop`: what was asked to stop has stopped.
- `lifetime`: what may run for minutes only has stopped.
- `stop-of-kept`: also what was asked to stop after its agent was found unreachable, and kept.
- `parameter`: no ended generation has left its token in the Parameter Store.
- `hangs`: a record has ended, or is healthy and its task runs; nothing is due.
- `exit`: a container that ran and exited ends as stopped, whichever version said so first.
- `exit-unseen`: the exit of a process whose agent stays is in the record, with the code that the agent reported.
- `output`: what runc printed was read where it alone explains the end, and the container counts as failed.
Counted
- tasks that only the leak finder has ended: rare, where no worker dies.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from core.model.failure import ErrorCode
from core.model.identity import Ref, client_token
from core.model.parts import Step
from core.model.record import Record, Settled
from core.model.state import State
from tests.exploration.ecs import SimulatedEcs
from tests.exploration.stores import SimulatedStore
from tests.exploration.tasks import Task
from tests.exploration.wired import Answer, failed
from tests.exploration.world import World
from tests.exploration.writes import findings


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that was broken, when and how."""

    rule: str
    at: float
    how: str

    def __str__(self) -> str:
        return f"{self.rule} at {self.at:.3f}: {self.how}"


class Rules:
    """The oracle of one life. `ecs` and `store` are set before it begins."""

    ecs: SimulatedEcs
    store: SimulatedStore

    def __init__(self, world: World) -> None:
        self.world = world
        self.broken: list[Broken] = []
        self._named: set[tuple[int, str]] = set()
        self._tries: set[tuple[int, str]] = set()
        self.stops: set[int] = set()
        self.stops_of_kept: set[int] = set()
        self._written: defaultdict[str, list[Step]] = defaultdict(list)
        self._excused: set[str | None] = set()
        self._leaks: dict[str, str] = {}
        self._heard: defaultdict[str, list[Step]] = defaultdict(list)

    def breaks(self, rule: str, how: object) -> None:
        """Notes it, once for each rule."""
        if all(one.rule != rule for one in self.broken):
            self.broken.append(Broken(rule, self.world.scheduler.now, str(how)))
            self.world.note("BREAKS", rule, how)

    def saved(self, before: Record | None, after: Record) -> None:
        """At every write."""
        for rule, how in findings(before, after, self.ecs.tasks):
            self.breaks(rule, how)
        if after.stop_requested:
            self.stops.add(after.generation)
        # A task whose first event shows its end is named among the launches that were given up, and nowhere before.
        self._named |= {(after.generation, launch.task_arn) for launch in after.launches if launch.task_arn}
        if after.task_arn is not None:
            self._named.add((after.generation, after.task_arn))
            self._on_its_capacity(after, self.ecs.tasks[after.task_arn])
        if after.state is State.FAILED and (before is None or before.state is not State.FAILED):
            self._justified(after)
        if before is not None and after.generation == before.generation:
            known = set(before.history)
            self._written[self.world.worker.name] += [step for step in after.history if step not in known]

    def _on_its_capacity(self, record: Record, task: Task) -> None:
        lacked = any(launch.failure.cause == "capacity" for launch in record.launches)
        by_capacity: dict[str, str | None] = {
            "on-demand": None,
            "spot": "FARGATE_SPOT",
            "spot-first": "FARGATE" if lacked else "FARGATE_SPOT",
        }
        if task.provider != by_capacity[record.capacity] or record.capacity_provider not in (None, task.provider):
            self.breaks(
                "capacity", f"{task} on {task.provider}: {record.capacity} {record.capacity_provider}, lacked: {lacked}"
            )

    def _justified(self, record: Record) -> None:
        assert record.error is not None
        code, mine = record.error.code, self._of(record.generation)
        if self.kept(record):
            self._excused.add(record.task_arn)
        if code is ErrorCode.AGENT_UNREACHABLE and not (record.probe and record.probe.attempts):
            asked = (record.generation, record.probe and str(record.agent_address)) in self._tries
            self.breaks("no-try", f"{record.error.message} (asked all the same: {asked})")
        if code is ErrorCode.TASK_LOST and any(task.arn == record.task_arn and task.wanted for task in mine):
            self.breaks("alive", record.error.message)
        if code is not ErrorCode.LAUNCH_FAILED or record.task_arn is not None:
            return
        shown = self.ecs.found.get(self.world.worker.name, set())
        running = [task for task in mine if task.wanted and not record.gave_up(task.arn)]
        if any(task.arn in shown for task in running):
            self.breaks("listed", record.error.message)
        elif running:
            self.breaks("alive", f"{running[0]} runs: {record.error.message}")
        prefix = self.world.settings.started_by_prefix
        token = client_token(prefix, record.ref, record.attempt)
        pending = record.given_up_task is not None and not record.stop_requested
        if pending and token not in self.ecs.tried and not self.world.faults.denied:
            self.breaks("not-tried", record.error.message)

    def tried(self, generation: int, address: str) -> None:
        """A prober asks."""
        self._tries.add((generation, address))

    def started(self, answer: Answer, *, wanted: int | None = None) -> None:
        """A normal answer of start. `wanted`: the generation that its request names."""
        record = answer.record
        if record is None or answer.error is not None:
            return
        if wanted not in (None, record.generation):
            self.breaks("answer", f"generation {record.generation} to a start of {wanted}")
        if failed(record):
            self.breaks("answer", f"{record.state} without an error: {record.error}")
        now = self.store.truth(record.container_id)
        if record.task_arn is None or now is None:
            return
        other = (
            now.generation == record.generation and not now.state.ended and now.task_arn not in (None, record.task_arn)
        )
        unwanted = other and not now.gave_up(record.task_arn)
        awaited = now.generation == record.generation and now.task_arn is None and not now.state.ended
        if unwanted or not (awaited or (record.generation, record.task_arn) in self._named):
            self.breaks("answer", f"it names {self._name(record)}, which no record wants")

    def stopped(self, answer: Answer) -> None:
        """A normal answer of stop: from now on it is accepted."""
        record = answer.record
        if record is None:
            return
        if not record.state.ended and not record.stop_requested:
            self.breaks("stop-answer", f"generation {record.generation} is {record.state}, and no stop is recorded")
        elif self.kept(record) and not record.stop_requested:
            self.stops_of_kept.add(record.generation)
        else:
            self.stops.add(record.generation)

    def reconciled(self, brought: Record, now: Record | None) -> None:
        """The stream has brought a silence, and its check was not disturbed."""
        waits = now is not None and now.state is State.ENI_RESOLVED and not now.stopping
        if waits and now is not None and now.probe is not None and now.probe.silent_at is not None:
            self.breaks("late", f"silent at {now.probe.silent_at.time()}, to be checked {now.check_at}")

    def told(self, settled: Settled) -> None:
        """A use case has told what it did."""
        self._heard[self.world.worker.name] += settled.steps

    def finished(self, worker: str) -> None:
        """An invocation has ended in order."""
        untold = [step for step in self._written[worker] if step not in self._heard[worker]]
        if untold and worker not in self.world.lost_writes:
            self.breaks("untold", f"{worker} wrote {[str(step.trigger) for step in untold]} and told nobody")

    def leaked(self, task_arn: str, ref: Ref, why: str) -> None:
        """The leak finder has found a task. One that its record names is only found sooner: its stop is pending."""
        record = self.store.truth(ref.container_id)
        if record is not None and record.task_arn == task_arn:
            self._excused.add(task_arn)
        self._leaks[task_arn] = re.sub(r"\b[0-9a-f]{32}\b|\d+", "N", why)
        self.world.note("leaked:", self.ecs.tasks[task_arn], why)

    def ended_by_the_leak_finder(self) -> list[str]:
        """Why each task leaked that nobody else has stopped before.

        Not the one that was kept for debugging when its container was started again: there the leak finder is meant.
        """
        first = {task.arn: task.stopped_by[0] for task in self.ecs.tasks.values() if task.stopped_by}
        return [self._leaks[arn] for arn, by in first.items() if by.startswith("leaks") and arn not in self._excused]

    def kept(self, record: Record) -> bool:
        """Its task is left running for debugging."""
        unreachable = record.error is not None and record.error.code is ErrorCode.AGENT_UNREACHABLE
        return unreachable and self.world.policy.keep_unreachable

    def _of(self, generation: int) -> list[Task]:
        return [task for task in self.ecs.tasks.values() if task.generation == generation]

    def _name(self, record: Record) -> str:
        return str(self.ecs.tasks.get(record.task_arn or "", "no task"))
