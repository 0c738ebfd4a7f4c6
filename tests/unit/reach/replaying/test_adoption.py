from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from core.machine.task_documents import NotOurs, observe_event
from reach import Refused
from reach.replaying.adoption import adopted, prefix_in, with_main
from tests.factories import CONTAINER_ID, START, event

FOREIGN = event("ignored-service-task")


def of(started_by: str) -> dict[str, Any]:
    one = event("task-running")
    return {**one, "detail": {**one["detail"], "startedBy": started_by}}


def names(document: Any) -> list[str]:
    return [one["name"] for one in document["detail"]["containers"]]


def with_containers(*called: str) -> dict[str, Any]:
    one = event("task-running")
    [container] = one["detail"]["containers"]
    return {**one, "detail": {**one["detail"], "containers": [{**container, "name": name} for name in called]}}


def test_prefix_is_the_one_in_the_events() -> None:
    """Tasks of others and other documents do not count for the prefix."""
    assert prefix_in([of(f"blue/{CONTAINER_ID}/3"), FOREIGN, None, 7, {"detail": []}]) == "blue"
    assert prefix_in([FOREIGN]) is None


def test_several_prefixes_are_for_the_user_to_choose() -> None:
    """Two stacks on one cluster: guessing would replay half an incident."""
    with pytest.raises(Refused, match=r"blue \(2 events\), green \(1 events\).*--prefix"):
        prefix_in(of(f"{prefix}/{CONTAINER_ID}/1") for prefix in ("blue", "green", "blue"))


def test_an_adopted_task_is_a_container_of_ours() -> None:
    """Its id is the SHA-256 of the task's ARN, so all its events concern one container; nothing else changes."""
    assert isinstance(observe_event(FOREIGN, prefix="blue", at=START), NotOurs)
    ours = adopted(FOREIGN, "blue")
    fact = observe_event(ours, prefix="blue", at=START)
    assert not isinstance(fact, NotOurs)
    assert fact.ref.container_id == sha256(FOREIGN["detail"]["taskArn"].encode()).hexdigest()
    assert fact.ref.generation == 1
    assert {**ours["detail"], "startedBy": FOREIGN["detail"]["startedBy"]} == FOREIGN["detail"]


@pytest.mark.parametrize("document", [None, 7, [], {}, {"detail": None}, {"detail": {"taskArn": 5}}])
def test_what_is_no_event_is_not_adopted(document: Any) -> None:
    """A document that is no event stays as it is, for the core to refuse."""
    assert adopted(document, "blue") is document
    assert with_main(document, "web") is document


@pytest.mark.parametrize(
    ("called", "name", "expected"),
    [
        (["web"], None, ["main"]),
        (["web", "aws-guardduty-agent-x1"], None, ["main", "aws-guardduty-agent-x1"]),
        (["web", "log"], None, ["web", "log"]),
        (["web", "log"], "log", ["web", "main"]),
        (["web", "main"], "web", ["main", "main (of the capture)"]),
        (["main", "init"], "main", ["main", "init"]),
        (["web"], "other", ["web"]),
    ],
)
def test_the_container_of_the_agent_is_called_main(called: list[str], name: str | None, expected: list[str]) -> None:
    """The named container becomes `main`, else the only one; with several and no name, none does."""
    assert names(with_main(with_containers(*called), name)) == expected
