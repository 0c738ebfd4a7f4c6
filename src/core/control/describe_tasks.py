"""What ECS shows of tasks: how the reconciler learns what became of them, and the fallback of the others.

The answers are the same facts that events bring.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, TypeAlias

from core.machine.task_documents import NotOurs, observe_description
from core.model.errors import CallFailed, MalformedEvent, ReachError
from core.model.facts import Fact, TaskGone, TaskListed, TaskObserved
from core.model.identity import Ref, started_by
from core.model.record import Record
from core.ports import Ports

BATCH: Final = 100
"""DescribeTasks' own limit."""
FEW: Final = 10
"""So many tasks are looked for one by one and then described: a run that has to end loses no more of its calls.

A page of the cluster's tasks and their description are two calls, so each ten records are worth one.
"""

Found: TypeAlias = tuple[Record, Fact] | ReachError


def describe_task(ports: Ports, record: Record) -> Fact | None:
    """What ECS shows of one record's task; None when it shows a stranger's. Raises what `describe_tasks` yields."""
    for found in describe_tasks(ports, [record]):
        if isinstance(found, ReachError):
            raise found
        return found[1]
    return None


def describe_tasks(ports: Ports, records: Iterable[Record]) -> Iterator[Found]:
    """Each record with what ECS shows of its task, or that it shows none; up to 100 tasks a call.

    Yields the error of a call that failed in place of its records: no answer says nothing of the tasks.
    """
    for cluster, group in groupby(sorted(records, key=_cluster), key=_cluster):
        members = list(group)
        # Those with a task first: a hundred of them cost one call, each of the others one or two.
        yield from _describe(ports, cluster, [(one, one.task_arn) for one in members if one.task_arn is not None])
        waiting = {one.ref: one for one in members if one.task_arn is None}
        yield from _running(ports, cluster, waiting)
        left = tuple(waiting.values())
        for start in range(0, len(left), FEW):
            yield from _found(ports, cluster, left[start : start + FEW])


def _running(ports: Ports, cluster: str, waiting: dict[Ref, Record]) -> Iterator[Found]:
    """Those of many records whose tasks are to run, by the list of the cluster's tasks. Takes them out of `waiting`."""
    after = None
    for _ in range(len(waiting) // FEW):
        try:
            page = ports.ecs.running(cluster, after=after)
            shown = ports.ecs.describe(cluster, page.task_arns).tasks if page.task_arns else ()
        except CallFailed as error:
            yield error
            return
        for task in shown:
            try:
                observed = observe(ports, task)
            except MalformedEvent:
                continue  # told where its record is looked for
            if (
                isinstance(observed, TaskObserved)
                and (record := waiting.get(observed.ref)) is not None
                and not record.gave_up(observed.task_arn)
            ):
                del waiting[observed.ref]
                yield record, observed
        if not waiting or (after := page.following) is None:
            return


def _found(ports: Ports, cluster: str, records: Iterable[Record]) -> Iterator[Found]:
    """One by one."""
    listed: list[tuple[Record, str]] = []
    for record in records:
        try:
            arn = find_task(ports, cluster, record.ref, [launch.task_arn for launch in record.launches])
        except CallFailed as error:
            yield error
        else:
            if arn is None:
                yield record, _gone(ports, record)
            else:
                listed.append((record, arn))
    yield from _describe(ports, cluster, listed)


def find_task(ports: Ports, cluster: str, ref: Ref, given_up: Collection[str | None]) -> str | None:
    """The task of this generation, by its startedBy, but none that was given up: RunTask may be the last call made.

    One call as a rule: those that have stopped are listed apart, where none runs.
    """
    name = started_by(ports.settings.started_by_prefix, ref)
    listed = (arn for stopped in (False, True) for arn in ports.ecs.find(cluster, name, stopped=stopped))
    return next((arn for arn in listed if arn not in given_up), None)


def observe(ports: Ports, task: object, known: Ref | None = None) -> TaskObserved | NotOurs:
    """The fact in a member of DescribeTasks' `tasks`; `known`: whose record names the task. Raises `MalformedEvent`."""
    return observe_description(task, prefix=ports.settings.started_by_prefix, at=ports.clock.now(), known=known)


def _describe(ports: Ports, cluster: str, known: Sequence[tuple[Record, str]]) -> Iterator[Found]:
    for start in range(0, len(known), BATCH):
        batch = known[start : start + BATCH]
        try:
            answer = ports.ecs.describe(cluster, [arn for _, arn in batch])
        except CallFailed as error:
            yield error
            continue
        yield from answer.refused
        tasks = {task["taskArn"]: task for task in answer.tasks}
        for record, arn in batch:
            if arn in tasks:
                named = record.ref if record.task_arn else None
                try:
                    if isinstance(observed := observe(ports, tasks[arn], named), TaskObserved):
                        yield record, observed
                except MalformedEvent as error:
                    yield error
            elif arn in answer.missing:
                listed = TaskListed(ref=record.ref, at=ports.clock.now(), task_arn=arn)
                yield record, _gone(ports, record) if record.task_arn else listed


def _gone(ports: Ports, record: Record) -> TaskGone:
    return TaskGone(ref=record.ref, at=ports.clock.now(), task_arn=record.task_arn)


def _cluster(record: Record) -> str:
    return record.cluster_arn or ""
