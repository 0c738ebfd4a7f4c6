"""The rules of a life at rest, a day after its last fault. `rules` says what each means."""

from __future__ import annotations

from datetime import timedelta

from core.model.failure import ErrorCode
from core.model.record import Record
from core.model.state import State
from tests.exploration.rules import Rules
from tests.exploration.stores import SimulatedOutput, SimulatedVault
from tests.exploration.tasks import COMPLAINT, Task


def judge(rules: Rules, vault: SimulatedVault, output: SimulatedOutput) -> None:
    """A day after the last fault."""
    record = rules.store.truth(rules.world.container_id)
    running = [task for task in rules.ecs.tasks.values() if task.wanted]
    for task in running:
        _wanted(rules, task, record)
    if len({task.generation for task in running}) < len(running):
        rules.breaks("doubled", [str(task) for task in running])
    for name in vault.tokens:
        if record is None or record.state.ended or record.token_parameter != name:
            rules.breaks("parameter", f"{name} of a record that is {record and record.state}")
    if record is not None:
        _settled_down(rules, record)
        _explained(rules, record, output)


def _wanted(rules: Rules, task: Task, record: Record | None) -> None:
    if task.generation in rules.stops:
        rules.breaks("stop", f"{task} of generation {task.generation} still runs")
    elif record is not None and record.task_arn == task.arn and record.max_lifetime and not record.state.ended:
        rules.breaks("lifetime", f"{task} still runs, a day after its {record.max_lifetime} s")
    elif task.generation in rules.stops_of_kept:
        rules.breaks("stop-of-kept", f"{task} was kept for debugging, then a stop was accepted: it still runs")
    elif record is None or record.generation != task.generation or record.task_arn != task.arn:
        rules.breaks("leak", f"{task} of generation {task.generation} runs")
    elif record.state.ended and not rules.kept(record):
        rules.breaks("leak", f"{task} runs, and its record is {record.state}")


def _settled_down(rules: Rules, record: Record) -> None:
    task = rules.ecs.tasks.get(record.task_arn or "")
    if record.check_at is not None and record.check_at < rules.world.now() - timedelta(minutes=15):
        rules.breaks("hangs", f"{record.state} is due since {record.check_at}")
    if task is not None and task.exited_with is not None:
        _exit_seen(rules, record, task)
    if not record.state.ended and (record.state is not State.AGENT_HEALTHY or task is None or not task.wanted):
        rules.breaks("hangs", f"the record is {record.state}, {task}")
    blamed = record.error is not None and record.error.code in {
        ErrorCode.TASK_STOPPED, ErrorCode.TASK_FAILED_TO_START,
    }  # fmt: skip
    if blamed and task is not None and task.exit_code is not None and task.printed != COMPLAINT:
        rules.breaks("exit", f"{record.error and record.error.message}, and {task} exited with {task.exit_code}")


def _exit_seen(rules: Rules, record: Record, task: Task) -> None:
    if record.state is State.AGENT_HEALTHY:
        rules.breaks("exit-unseen", f"the process of {task} exited with {task.exited_with}, and the record is healthy")
    elif record.stop is not None and record.stop.reported and record.stop.exit_code != task.exited_with:
        rules.breaks("exit-unseen", f"{task} exited with {task.exited_with}, and the record says {record.stop}")


def _explained(rules: Rules, record: Record, output: SimulatedOutput) -> None:
    task = rules.ecs.tasks.get(record.task_arn or "")
    if record.unexplained is not None:
        rules.breaks("output", f"the end of {task} is still unexplained")
    elif task is not None and task.printed == COMPLAINT and record.state is State.STOPPED:
        read = task.arn in output.shown - output.missed
        if read and not rules.world.trouble.death and not record.stop_requested:
            rules.breaks("output", f"the complaint of {task} was read, and the container counts as one that ran")
