"""The documents of `events/`, as they are and rewritten for a task that really runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from local.cloud.environment import ACCOUNT
from local.cloud.layout import ROOT

EVENTS: Final = ROOT / "events"


def read(name: str) -> dict[str, Any]:
    """`events/<name>.json`."""
    document: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return document


def container_id() -> str:
    """The container that the files concern, but for those that say otherwise."""
    return str(read("start-container")["container_id"])


def for_task(name: str, *, container: str, task_arn: str, address: str) -> dict[str, Any]:
    """The file about another container, its task and address (without the port), in the local cloud's account."""
    account, task, interface = _names()
    names = {account: ACCOUNT, container_id(): container, task: task_arn.rpartition("/")[2], interface: address}
    return with_names(read(name), names)


def with_names(document: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The document with each name replaced wherever it stands."""
    text = json.dumps(document)
    for old, new in names.items():
        text = text.replace(old, new)
    result: dict[str, Any] = json.loads(text)
    return result


@cache
def _names() -> tuple[str, str, str]:
    """The account, the task's id and its address, as the files have them."""
    running = read("task-running")
    detail = running["detail"]
    [interface] = [one for one in detail["attachments"] if one["type"] == "eni"]
    [address] = [one["value"] for one in interface["details"] if one["name"] == "privateIPv4Address"]
    return running["account"], detail["taskArn"].rpartition("/")[2], address
