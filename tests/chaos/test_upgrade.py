"""A stack is updated in the middle of many starts, and rolled back in the middle of others: none is lost.

`sam deploy` replaces the code and the environment of every function while containers start, live and end. The next
version adds an attribute to each item that it writes; once it is rolled back, this version writes those items again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from core.model.state import ENDS, State
from tests.chaos.conftest import stormy
from tests.chaos.crowd import POLL_SECONDS
from tests.chaos.lives import CALM, members
from tests.chaos.next_version import ATTRIBUTE, Versions
from tests.chaos.storm import weather
from tests.e2e.queues import DEAD_LETTER_QUEUES
from tests.e2e.stack import Stack

CHECK_AFTER: Final = 4.0
"""Seconds."""
WINDOW: Final = 20
"""Containers at a time at most, so that the starts last for longer than two deployments."""
STUCK: Final = 400.0
"""Seconds. The local AWS answers nobody while it replaces functions: on two busy cores for minutes."""
REPEATS: Final = 3
RETRY_SECONDS: Final = 20
"""Until the first retry of an event; to the second it is the local AWS's longest, 30. AWS waits one and two minutes."""


SERVED: Final = f"{1:064x}"
"""A container that is started by the next version and lives on through the rollback."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed stack. Its AWS kills workers that it replaces, and would retry within seconds, so in vain."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LAMBDA_ASYNC_RETRY_BASE_SECONDS", str(RETRY_SECONDS))
        with stormy(tmp_path_factory.mktemp("cloud")) as stack:
            yield stack


def test_an_update_in_the_middle_of_starts_loses_none(
    stack: Stack, pytestconfig: pytest.Config, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """Everybody ends as announced, no message is lost, and what the next version wrote survives the rollback."""
    number = pytestconfig.getoption("containers")
    window = min(WINDOW, pytestconfig.getoption("window"))
    crowd = members(pytestconfig.getoption("seed") + 1, number, CALM)
    ids = {member.container_id for member in crowd}
    held_back = number // 4  # until the rollback is over
    versions = Versions(stack.cloud, tmp_path, tell)
    seen: dict[str, set[str]] = {}
    over, changed = Event(), Event()

    def begun() -> set[str]:
        return {task["started_by"].split("/")[1] for task in stack.fargate.tasks()} & ids

    def change() -> None:
        _until(over, lambda: len(begun()) >= number // 4)
        versions.update()
        stack.start(SERVED)
        stack.reaches(SERVED, State.AGENT_HEALTHY)
        enough = min(len(begun()) + number // 8, number - held_back)
        _until(over, lambda: len(begun()) >= enough)
        versions.roll_back()
        seen.update(begun=begun(), added=added(stack), alive=added(stack, alive=True))
        stack.stop(SERVED)
        changed.set()

    def hold(left: int) -> bool:
        return left <= held_back and not changed.is_set() and not changing.done()

    with ThreadPoolExecutor(1) as hands:
        changing = hands.submit(change)
        try:
            run = weather(
                stack,
                crowd,
                window=window,
                check_after=CHECK_AFTER,
                tell=tell,
                repeats=REPEATS,
                stuck_seconds=STUCK,
                hold=hold,
            )
        finally:
            over.set()
        changing.result()
    for line in (run.summary, *run.problems):
        tell(line)
    tell(
        f"{len(seen['begun'])} of {number} had begun at the rollback. {len(seen['added'])} items had what the next "
        f"version adds, {len(seen['alive'])} of them of live containers."
    )
    # The local AWS kills the workers of a function that it replaces, and answers late meanwhile. AWS does neither.
    tell(
        f"{run.repeated} calls were sent again because their worker was killed. "
        f"{len(run.trouble)} lines of the log are errors."
    )
    assert run.problems == ()
    assert [stack.queues.dead_letters(queue) for queue in DEAD_LETTER_QUEUES] == [[], []]
    assert len(seen["begun"]) < number
    assert SERVED in seen["alive"]
    assert seen["added"] <= added(stack)


def added(stack: Stack, *, alive: bool = False) -> set[str]:
    """The containers whose item has what only the next version writes; those that have not ended."""
    pages = stack.cloud.client("dynamodb").get_paginator("scan")
    return {
        item["container_id"]["S"]
        for page in pages.paginate(TableName=stack.cloud.outputs["ContainersTableName"], ConsistentRead=True)
        for item in page["Items"]
        if ATTRIBUTE in item and not (alive and item["state"]["S"] in ENDS)
    }


def _until(over: Event, true: Callable[[], bool]) -> None:
    """Raises `TimeoutError` when the crowd is over before."""
    while not true():
        if over.wait(POLL_SECONDS):
            raise TimeoutError("all containers had ended before it was time to deploy")
