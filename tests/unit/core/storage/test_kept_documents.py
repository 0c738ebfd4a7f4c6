"""Whatever ECS shows of a task, the item of the record that learnt it says the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.task_documents import observe_event
from core.model.errors import MalformedEvent
from core.model.facts import TaskObserved
from core.storage.item import from_item, to_item
from tests.factories import POLICY, at, event, pending
from tests.records import exited, failed, healthy, resolved, running

ABSENT = object()
TEXTS = {
    "taskArn": event("task-stopped")["detail"]["taskArn"],
    "lastStatus": "STOPPED",
    "desiredStatus": "STOPPED",
    **{name: name for name in ("clusterArn", "taskDefinitionArn", "stopCode", "stoppedReason")},
    "capacityProviderName": "FARGATE",
}
OF_A_CONTAINER = {"name": "main", "lastStatus": "STOPPED", "reason": "OutOfMemoryError", "image": "python"}


def members(usual: dict[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    """Each as usual, empty, null or absent."""
    drawn = {name: st.just(text) | st.sampled_from(("", None, ABSENT)) for name, text in usual.items()}
    return st.fixed_dictionaries(drawn).map(lambda found: {n: text for n, text in found.items() if text is not ABSENT})


def containers() -> st.SearchStrategy[list[dict[str, Any]]]:
    """The main container, which has ended in one way or another, and one that ECS added."""
    ended = st.sampled_from(({}, {"exitCode": 0}, {"exitCode": 1}))
    main = st.builds(lambda texts, code: {**texts, "name": "main", **code}, members(OF_A_CONTAINER), ended)
    added = members({**OF_A_CONTAINER, "name": "aws-guardduty-agent-x"})
    return st.tuples(main, added).map(list)


@given(
    task=members(TEXTS),
    containers=containers(),
    stop_code=st.sampled_from((ABSENT, "", "EssentialContainerExited", "TaskFailedToStart")),
    version=st.integers(0, 9),
)
def test_the_item_says_what_the_record_does(
    task: dict[str, Any], containers: list[dict[str, Any]], stop_code: Any, version: int
) -> None:
    """A text that ECS leaves empty is kept as one that it leaves out. Else no function could read what one wrote."""
    known = event("task-stopped")["detail"]
    stopped = {} if stop_code is ABSENT else {"stopCode": stop_code}
    detail = {**task, **stopped, "containers": containers, "startedBy": known["startedBy"], "version": version}
    try:
        fact = observe_event({**event("task-stopped"), "detail": detail}, prefix="sockerless", at=at(100))
    except MalformedEvent:
        return
    assert isinstance(fact, TaskObserved)
    for record in (pending(), running(), resolved(), healthy(), failed(), exited()):
        for policy in (POLICY, replace(POLICY, reads_output=True)):
            after = apply(record, fact, policy)
            assert isinstance(after, Stale) or from_item(to_item(after)) == after
