from __future__ import annotations

import pytest

from core.client import ReachClient
from core.model.errors import ContainerFailed, WaitTimeout
from core.model.record import Record
from core.storage.item import to_item
from reach.stack.waiting import Until, awaited
from tests.factories import CONTAINER_ID, at, pending
from tests.fakes import MemoryStore, SettableClock
from tests.records import exited, failed, healthy


def client(end: Record | None, seconds: float = 0.0) -> ReachClient:
    """A container that is pending until then."""
    store = MemoryStore(pending())

    class Clock(SettableClock):
        def sleep(self, pause: float) -> None:
            super().sleep(pause * 60)
            if end is not None and sum(self.slept) >= seconds:
                store.put_item(to_item(end))

    return ReachClient(store, Clock(at(0)))


@pytest.mark.parametrize("until", Until)
def test_a_wait_is_as_long_as_a_start_may_take(until: Until) -> None:
    """A stack may allow ten launches an hour each. The reason of a failure arrives before the end of the wait."""
    good = healthy() if until is Until.HEALTHY else exited()
    assert awaited(client(good, 36_000), CONTAINER_ID, until, None).state is good.state
    with pytest.raises(ContainerFailed):
        awaited(client(failed(), 36_000), CONTAINER_ID, until, None)


def test_a_stack_that_does_not_work_is_not_awaited_for_ever() -> None:
    """Nor is any wait longer than the caller said."""
    for timeout in (None, 5.0):
        with pytest.raises(WaitTimeout):
            awaited(client(None), CONTAINER_ID, Until.HEALTHY, timeout)
