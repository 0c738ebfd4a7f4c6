"""Plays the acts on a local cloud of its own, and compares each with what was announced."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer

from core.adapters.dynamodb import DynamoStore
from local import event_files
from local.cloud.cloud import LocalCloud
from local.cloud.processes import CloudError
from local.fargate.client import LocalFargate
from local.sam_local.acts import ACTS, Act, Before, Scene
from local.sam_local.invoke import SamLocal

POLL_SECONDS: Final = 0.1
PATIENCE: Final = 60.0
_SECRET: Final = "agent_token"
_NOISE: Final = ("history", "updated_at", "revision", "task_version", "watch", "check_at", "created_at", "timings")
"""Attributes whose changes say nothing to a reader."""


class NotAsAnnounced(CloudError):
    """A function answered or changed something else."""


class Script:
    """One performance. `say` hears a line for each thing that happened."""

    def __init__(self, cloud: LocalCloud, sam: SamLocal, say: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._sam = sam
        self._say = say
        self._container_id = event_files.container_id()
        self._table = cloud.outputs["ContainersTableName"]
        self._dynamodb = cloud.client("dynamodb")
        self._store = DynamoStore(self._table, self._dynamodb)
        self._fargate = LocalFargate(cloud.ecs_endpoint)

    def play(self) -> None:
        """Raises `NotAsAnnounced` with everything that was not."""
        self._keep_others_away()
        wrong = []
        for act in ACTS:
            wrong += [f"{act.function}Function: {difference}" for difference in self._play(act)]
        if wrong:
            raise NotAsAnnounced("Not as announced: " + "; ".join(wrong))

    def _keep_others_away(self) -> None:
        """The functions of the stack itself would do the same, a little earlier."""
        functions, schedules = self._cloud.client("lambda"), self._cloud.client("scheduler")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        for summary in schedules.list_schedules()["Schedules"]:
            shown = schedules.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
            members = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
            schedules.update_schedule(**{name: shown[name] for name in members}, State="DISABLED")
        self._fargate.fault(self._container_id, "events", drop=1.0)

    def _play(self, act: Act) -> list[str]:
        self._prepare(act.before)
        before = self._item()
        event = self._event(act)
        self._say(f"\n{act.function}Function  events/{act.file}.json: {act.story}")
        begun = time.monotonic()
        answer = self._sam.invoke(act.function, event)
        item = self._item()
        self._say(f"  answer  {json.dumps(answer)}")
        for line in _changes(before, item):
            self._say(f"  item    {line}")
        self._say(f"  ({time.monotonic() - begun:.1f} s, the container's start included)")
        return act.wrong(self._scene(), answer, item)

    def _prepare(self, before: Before) -> None:
        match before:
            case Before.RUNNING:
                self._task_is("RUNNING")
            case Before.OVERDUE:
                self._task_is("STOPPED")
                record = self._store.load(self._container_id)
                if record is None:
                    raise NotAsAnnounced("There is no item.")
                self._store.save(replace(record, revision=record.revision + 1, check_at=datetime.now(UTC)))
            case Before.NOTHING:
                pass

    def _event(self, act: Act) -> Mapping[str, Any]:
        """The file as it is before there is a task, else about the task that really runs."""
        if not self._tasks():
            return event_files.read(act.file)
        scene = self._scene()
        host = scene.agent_address.rpartition(":")[0]
        return event_files.retold(act.file, container=scene.container_id, task_arn=scene.task_arn, address=host)

    def _scene(self) -> Scene:
        [task] = self._tasks()
        return Scene(self._container_id, task["arn"], f"{task['address']}:9111")

    def _tasks(self) -> list[dict[str, Any]]:
        return [task for task in self._fargate.tasks() if f"/{self._container_id}/" in (task["started_by"] or "")]

    def _task_is(self, status: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while (seen := [task["last_status"] for task in self._tasks()]) != [status]:
            if time.monotonic() > deadline:
                raise NotAsAnnounced(f"The task is not {status} after {PATIENCE:g} s but {seen}.")
            time.sleep(POLL_SECONDS)

    def _item(self) -> dict[str, Any]:
        key = {"container_id": {"S": self._container_id}}
        found = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        return {name: TypeDeserializer().deserialize(value) for name, value in found.items()}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """A line for each attribute that has come, gone or changed; a token's value is not shown."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new or name in _NOISE:
            continue
        if new is None:
            lines.append(f"- {name}")
        else:
            shown = "(secret)" if name == _SECRET else json.dumps(new, default=int)  # numbers are Decimals
            lines.append(f"{'+' if old is None else '~'} {name}: {shown}")
    return lines
