"""The life of one container, told to each function by its file of `events/`; what each must answer and change.

Pure data. Nothing else reaches the stack meanwhile: what the item shows was done by the function in the container.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

ABSENT: Final = None


class Before(StrEnum):
    """What has to be true before an act."""

    NOTHING = "nothing"
    RUNNING = "the task is RUNNING"
    OVERDUE = "the task is STOPPED, nobody heard of it, and the record is due for a look"


@dataclass(frozen=True, slots=True)
class Scene:
    """What ECS knows of the container: the task's ARN, and the agent's address (host:port)."""

    container_id: str
    task_arn: str
    agent_address: str


@dataclass(frozen=True, slots=True)
class Act:
    """One invocation of `<function>Function` with `events/<file>.json`.

    `answers` must be in the answer, `leaves` in the item afterwards. Names are paths; `ABSENT` is what is not there.
    """

    function: str
    file: str
    story: str
    answers: Callable[[Scene], Mapping[str, Any]]
    leaves: Callable[[Scene], Mapping[str, Any]]
    before: Before = Before.NOTHING

    def wrong(self, scene: Scene, answer: Any, item: Mapping[str, Any]) -> list[str]:
        """What is not as it must be, in words."""
        return [*_differences("answer", self.answers(scene), answer), *_differences("item", self.leaves(scene), item)]


ACTS: Final = (
    Act(
        "StartContainer",
        "start-container",
        "a request of the backend starts a task",
        answers=lambda scene: {
            "container_id": scene.container_id,
            "generation": 1,
            "state": "pending",
            "task_arn": scene.task_arn,
        },
        leaves=lambda scene: {"state": "pending", "task_arn": scene.task_arn, "agent_address": ABSENT},
    ),
    Act(
        "TaskState",
        "task-running",
        "ECS's event brings the address",
        answers=lambda _: {"state": "eni-resolved"},
        leaves=lambda scene: {"state": "eni-resolved", "agent_address": scene.agent_address},
        before=Before.RUNNING,
    ),
    Act(
        "AgentHealth",
        "agent-health",
        "a message of the queue has the agent asked, from the tasks' network",
        answers=lambda _: {"batchItemFailures": []},
        leaves=lambda scene: {"state": "agent-healthy", "agent_address": scene.agent_address},
    ),
    Act(
        "StopContainer",
        "stop-container",
        "a request of the backend stops the task",
        answers=lambda _: {"state": "agent-healthy"},
        leaves=lambda _: {"state": "agent-healthy", "stop.requested": True},
    ),
    Act(
        "Reconcile",
        "reconcile",
        "the event of its end is lost, so the schedule's run asks ECS",
        answers=lambda _: {"due": 1, "healed": 1, "errors": {}},
        leaves=lambda _: {"state": "stopped", "stop.code": "UserInitiated", "agent_address": ABSENT},
        before=Before.OVERDUE,
    ),
)


def at(document: Any, path: str) -> Any:
    """The value at a path (`stop.code`) of nested objects, `ABSENT` when there is none."""
    for name in path.split("."):
        if not isinstance(document, Mapping):
            return ABSENT
        document = document.get(name, ABSENT)
    return document


def _differences(where: str, wanted: Mapping[str, Any], found: Any) -> Iterator[str]:
    for path, value in wanted.items():
        if (actual := at(found, path)) != value:
            yield f"{where}: {path} is {actual!r}, not {value!r}"
