"""The bare pipeline, deployed beside the stack to the same local AWS, and a backend that waits as the stack's does."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from bench.local_cloud.systems import COMMAND, IMAGE, TaskRunner, client, waited
from bench.rows import CannotMeasure
from core.adapters.clients import reach_client
from core.adapters.dynamodb import DynamoStore
from core.model.instants import truncate
from core.model.record import Record
from core.model.state import State
from local.cloud.build import MACHINE

if TYPE_CHECKING:
    from bench.local_cloud.systems import Reached
    from local.cloud.cloud import LocalCloud

NAME: Final = "bench-pipeline"
_HERE: Final = Path(__file__).parent
_FUNCTIONS: Final = {"OnEvent": "on_event.py", "OnMessage": "on_message.py"}
_SECONDS: Final = 60


class Pipeline:
    """Starts tasks itself, and reads the pipeline's items by `core.client`, with the same pauses as the stack's."""

    name = "pipeline"

    def __init__(self, cloud: LocalCloud) -> None:
        self.calls: Counter[str] = Counter()
        self._tasks = TaskRunner(cloud, self.name, self.calls)
        table = _deploy(client(cloud, "cloudformation"))
        dynamodb = client(cloud, "dynamodb", self.calls)
        self._store, self._items = DynamoStore(table, dynamodb), reach_client(table, dynamodb)
        self._started: dict[str, str] = {}

    def start(self, container_id: str) -> str:
        """The item, and RunTask."""
        now = truncate(datetime.now(UTC))
        pending = Record(
            container_id=container_id,
            state=State.PENDING,
            generation=1,
            revision=1,
            created_at=now,
            updated_at=now,
            image=IMAGE,
            cmd=COMMAND,
        )
        self._store.save(pending)
        self._started[container_id] = self._tasks.run(container_id)
        return container_id

    def wait(self, started: str) -> Reached:
        """`wait_until_healthy`, as for the stack."""
        return waited(self._items, started)

    def stop(self, started: str) -> None:
        """StopTask."""
        self._tasks.stop(self._started[started])

    def follow(self, started: str) -> None:
        """Nothing."""

    def inspect(self, started: str) -> None:
        """One read of the item."""
        self._items.get(started)


def _deploy(cloudformation: Any) -> str:
    """The name of the table. Raises `CannotMeasure`."""
    template = yaml_parse((_HERE / "template.yaml").read_text())
    for function, file in _FUNCTIONS.items():
        properties = template["Resources"][function]["Properties"]
        properties |= {**MACHINE, "Code": {"ZipFile": (_HERE / file).read_text()}}
    cloudformation.create_stack(StackName=NAME, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": _SECONDS})
    [stack] = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    if "Table" not in outputs:
        raise CannotMeasure(f"The stack {NAME} has no table: {stack.get('StackStatusReason')}")
    return str(outputs["Table"])
