"""Real documents of this tree, to begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from core.model.instants import parse_instant
from tests.docker_payloads import __file__ as payloads
from tests.factories import ADDRESS, CONTAINER_ID, EVENTS, TASK, event
from tests.golden.items import golden_items

_PAYLOADS: Final = Path(payloads).parent
_CLIENTS: Final = ("docker_cli", "docker_compose", "docker_py", "testcontainers")


def named(*prefixes: str) -> list[Any]:
    """The files of `events/` whose names begin so."""
    return [event(path.stem) for path in sorted(EVENTS.glob("*.json")) if path.stem.startswith(prefixes)]


EVENT_SEEDS: Final = named("task-", "ignored-", "malformed-")
TASK_SEEDS: Final = [one["detail"] for one in EVENT_SEEDS if one.get("detail")]


def _as_answered(task: dict[str, Any]) -> dict[str, Any]:
    """As DescribeTasks spells it: instants are seconds (AWS JSON 1.1)."""
    return {
        name: parse_instant(value).timestamp() if name.endswith("At") and isinstance(value, str) else value
        for name, value in task.items()
    }


_DESCRIBED: Final = [one for one in TASK_SEEDS if one.get("taskArn") == TASK]
ANSWER_SEEDS: Final = [
    {"tasks": [task], "failures": [{"arn": task.get("taskArn", "arn"), "reason": reason, "detail": "no such task"}]}
    for task in map(_as_answered, _DESCRIBED)
    for reason in ("MISSING", "ACCESS_DENIED")
]
START_SEEDS: Final = named("start-container")
STOP_SEEDS: Final = named("stop-container")
DOCKER_SEEDS: Final = [
    {"container_id": CONTAINER_ID, "docker": payload["body"], "image_config": {"Cmd": ["serve"], "Entrypoint": None}}
    for client in _CLIENTS
    for payload in json.loads((_PAYLOADS / f"{client}.json").read_text())
]
ITEM_SEEDS: Final = [json.loads(json.dumps(item, default=int)) for item in golden_items().values()]
MESSAGE_SEEDS: Final = [{"container_id": CONTAINER_ID, "generation": 1, "address": ADDRESS}]
HEALTH_SEEDS: Final = [
    {"status": "ok"},
    {"status": "ok", "pid": 7},
    {"pid": 7, "exited": True, "exitCode": 3},
    {"pid": 7, "exited": True, "exitCode": -1},
]
RECONCILE_SEEDS: Final = named("reconcile")
LINE_SEEDS: Final = [
    {
        "message": "probe aborted",
        "container_id": CONTAINER_ID,
        "generation": 1,
        "agent_address": ADDRESS,
        "last_error": "The containers table could not be read.",
        "remedy": "Check the route.",
    }
]
