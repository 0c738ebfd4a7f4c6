"""`events/` against the pattern of the deployed rule: what reaches TaskStateFunction, and what must not."""

from __future__ import annotations

import pytest

from tests.e2e import documents
from tests.e2e.stack import Stack
from tests.factories import EVENTS

FILES = sorted(path.stem for path in EVENTS.glob("*.json"))
OURS = [name for name in FILES if name.startswith("task-")]
IGNORED = [name for name in FILES if name.startswith("ignored-")]
OTHERS = ("agent-health", "malformed-", "reconcile", "start-container", "stop-container")


def test_every_file_is_of_a_known_kind() -> None:
    """The name of a file says what must become of it, so none escapes these tests."""
    assert [name for name in FILES if not name.startswith(("task-", "ignored-", *OTHERS))] == []
    assert OURS
    assert IGNORED


@pytest.mark.parametrize("name", OURS)
def test_what_can_change_a_record_gets_through(stack: Stack, container_id: str, name: str) -> None:
    """Every change of our tasks that a record can learn from matches."""
    assert stack.matches(documents.of(name, container_id))


@pytest.mark.parametrize("name", IGNORED)
def test_nothing_else_gets_through(stack: Stack, container_id: str, name: str) -> None:
    """Other events, tasks that are not ours and statuses that prove nothing do not cost an invocation."""
    assert not stack.matches(documents.of(name, container_id))
