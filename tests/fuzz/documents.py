"""What parses a JSON document. Each function takes any document, and lets through what must never be raised."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from core.adapters.ecs import BotoEcs
from core.client.inspection import inspected
from core.control.describe_tasks import describe_tasks
from core.control.find_leaked_tasks import Listing, find_leaked_tasks
from core.launch.parse import parse_start_request
from core.launch.plan import plan_launch, relaunch
from core.launch.stop_request import parse_stop_request
from core.machine.next_actions import next_actions
from core.machine.schedule import schedule
from core.machine.task_documents import NotOurs, observe_description, observe_event
from core.model.actions import Relaunch
from core.model.errors import CallFailed, MalformedEvent, ReachError, Refused, UnreadableRecord
from core.storage.item import definition_use, from_item
from handlers import reconcile
from tests.factories import CLUSTER, POLICY, REF, SETTINGS, TASK, TOKEN, answered, at, passed, pending, silent
from tests.fuzz.answering import answering
from tests.fuzz.records import apply_to, apply_to_all, stored
from tests.world import World


def event(document: Any) -> None:
    """An event: refused with `MalformedEvent`, not ours, or a fact that every record can take."""
    try:
        fact = observe_event(document, prefix=SETTINGS.started_by_prefix, at=at(100))
    except MalformedEvent:
        return
    if not isinstance(fact, NotOurs):
        apply_to_all(fact)


def description(document: Any) -> None:
    """A member of DescribeTasks' `tasks`: the same."""
    try:
        fact = observe_description(document, prefix=SETTINGS.started_by_prefix, at=at(100))
    except MalformedEvent:
        return
    if not isinstance(fact, NotOurs):
        apply_to_all(fact)


def answer(document: Any) -> None:
    """An answer to DescribeTasks: a record gets a fact or an error, a failed task may be copied, leaks are found."""
    ecs = BotoEcs(answering(json.dumps(document).encode()))
    try:
        ecs.describe(CLUSTER, [TASK])
    except (ValueError, AttributeError, TypeError, RuntimeError):
        return  # boto3's own parser has refused it
    records = [pending(task_arn=TASK), pending(container_id="f" * 64)]
    for found in describe_tasks(World(ecs=ecs), records):
        if not isinstance(found, ReachError):
            apply_to(*found)
    find_leaked_tasks(World(ecs=ecs), CLUSTER, Listing())
    with suppress(CallFailed, MalformedEvent):
        for task in ecs.describe(CLUSTER, [TASK]).tasks:
            relaunch(task, SETTINGS, Relaunch(ref=REF, by="fuzz", cluster_arn=CLUSTER, task_arn=TASK, attempt=2))


def start_request(document: Any) -> None:
    """A start request, with or without Docker's body: refused, or planned as JSON that AWS takes."""
    try:
        request = parse_start_request(document)
        plan = plan_launch(request, SETTINGS, token=TOKEN, generation=1)
    except Refused:
        return
    json.dumps([plan.definition, plan.run])


def stop_request(document: Any) -> None:
    """A stop request: refused, or a request."""
    with suppress(Refused):
        parse_stop_request(document)


def item(document: Any) -> None:
    """An item, of this version or another: unreadable, or a record that can go on living."""
    if isinstance(document, dict):
        definition_use(document)
    try:
        record = from_item(document) if isinstance(document, dict) else None
    except UnreadableRecord:
        return
    if record is None:
        return
    record = from_item(stored(record))  # an empty map is dropped by the write
    assert from_item(stored(record)) == record
    next_actions(record, POLICY)
    stored(schedule(record, POLICY, at(100)))
    inspected(record)
    for fact in (passed(), answered(), silent()):
        apply_to(record, replace(fact, ref=record.ref))


def scheduled(document: Any) -> None:
    """An event of ReconcileFunction from the table's stream or a log: read, or `MalformedEvent`."""
    with suppress(MalformedEvent):
        if not isinstance(document, dict):
            return  # Lambda's own services send objects
        if "Records" in document:
            assert all(isinstance(one, str) for one in reconcile._written(document))
        elif "awslogs" in document:
            list(reconcile._aborted_probes(document))
