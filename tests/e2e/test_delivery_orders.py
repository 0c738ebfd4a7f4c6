"""EventBridge promises each event at least once, and no order: every delivery of a life ends in the same item."""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest

from core.model.instants import truncate
from core.model.state import State
from tests import event_files
from tests.e2e import documents
from tests.e2e.stack import FunctionFailed, Stack
from tests.factories import pending

Life = Sequence[dict[str, Any]]

# What depends on when and how often an event came, and not on what it said.
ACCIDENTAL = {"container_id", "revision", "task_version", "history", "updated_at", "probe", "expires_at", "check_at"}
FILES = ("task-running", "task-deprovisioning", "task-stopped")
LIVES = ("of the event files", "seen on the stack")
MEETINGS = 15
CONTAINERS = int(os.environ.get("RACING_CONTAINERS", "40"))
"""In the crowd; `make races` has more."""
COPIES = 10
"""Events of each of them."""
SENDERS = 8
"""Invocations at a time: each is a process of the local AWS."""
LAMBDA_RETRIES = 2
MEETING = 4
"""Containers whose events are sent at the same time."""
START = truncate(datetime.now(UTC))


def name(*parts: object) -> str:
    """A container id of its own for each of these."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@pytest.fixture(autouse=True)
def _no_verdicts(stack: Stack) -> Iterator[None]:
    """Nobody answers at these addresses, and a prober that says so in time would be a fact of another life."""
    with stack.queues.prober_off():
        yield


@pytest.fixture(scope="module")
def seen_on_the_stack(stack: Stack) -> tuple[str, Life]:
    """A life that was lived here: the container's id and every event of it."""
    container_id = name("the life that is copied")
    stack.start(container_id)
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    stack.stop(container_id)
    stack.shown(record.task_arn, "STOPPED")
    return container_id, stack.fargate.events(str(record.task_arn))


@pytest.fixture(scope="module")
def life_of(seen_on_the_stack: tuple[str, Life]) -> Callable[[str, str], Life]:
    """The same life for any container: `life_of(which, container_id)`. The task's ARN stays the same."""
    lived, events = seen_on_the_stack
    task = documents.task_arn()

    def make(which: str, container_id: str) -> Life:
        if which == "of the event files":
            return [documents.of(file, container_id, task) for file in FILES]
        return [event_files.with_names(event, {lived: container_id}) for event in events]

    return make


def recorded(stack: Stack, container_id: str, at: datetime = START) -> None:
    """The pending item, as it is before RunTask has answered. No run of the reconciler finds it due meanwhile."""
    token = name("token", container_id)
    unwatched = {"watch": None, "check_at": None}
    stack.put(pending(container_id=container_id, agent_token=token, created_at=at, updated_at=at, **unwatched))


def outcome(stack: Stack, container_id: str, but: str = "") -> dict[str, Any]:
    """The item, without what is accidental; and `but` for that member."""
    item = stack.item(container_id)
    assert item is not None
    for accidental in ("resolved", "stopped"):  # our clock; there if STOPPED was written for another reason
        item["timings"].pop(accidental, None)
    return {name: value for name, value in item.items() if name not in {*ACCIDENTAL, but}}


def deliver_in_order(stack: Stack, events: Life) -> None:
    """One after the other, as far as the rule lets them through."""
    for event in events:
        if stack.matches(event):
            stack.invoke("TaskState", event)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("which", LIVES)
def test_two_orders_at_once_end_in_the_same_item(
    stack: Stack, life_of: Callable[[str, str], Life], which: str, seed: int
) -> None:
    """Two threads deliver the life of one container in different orders, with duplicates, at the same time."""
    calm, contended = name(which, seed, "calm"), name(which, seed, "contended")
    recorded(stack, calm)
    deliver_in_order(stack, life_of(which, calm))
    expected = outcome(stack, calm)
    assert expected["state"] == State.STOPPED

    recorded(stack, contended)
    life = life_of(which, contended)
    chance = random.Random(seed)  # noqa: S311 - an order, no secret
    together = Barrier(2)

    def deliver(order: Life) -> None:
        together.wait()
        deliver_in_order(stack, order)

    orders = [chance.sample([*life, *life], 2 * len(life)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for delivering in [pool.submit(deliver, order) for order in orders]:
            delivering.result()
    assert outcome(stack, contended) == expected


@pytest.mark.parametrize("which", LIVES)
def test_events_that_meet_overwrite_nothing(stack: Stack, life_of: Callable[[str, str], Life], which: str) -> None:
    """Every event of a life once and all at the same moment, for many containers: whoever writes last lost nothing."""
    calm = name(which, "one by one")
    recorded(stack, calm)
    deliver_in_order(stack, life_of(which, calm))
    expected = outcome(stack, calm)
    lives = {each: life_of(which, each) for each in (name(which, number) for number in range(MEETINGS))}
    for each in lives:
        recorded(stack, each)
    together = Barrier(len(life_of(which, calm)))

    def deliver(event: dict[str, Any]) -> None:
        together.wait()
        deliver_in_order(stack, [event])

    with ThreadPoolExecutor(together.parties) as pool:
        for life in lives.values():
            for delivering in [pool.submit(deliver, event) for event in life]:
                delivering.result()
    assert {each: outcome(stack, each) for each in lives} == dict.fromkeys(lives, expected)


def test_no_update_of_a_crowd_is_lost(
    stack: Stack, life_of: Callable[[str, str], Life], tell: Callable[[str], None]
) -> None:
    """Ten events of each container, those of four at once: every write follows the one before, and all end alike.

    No invocation fails but by design: one that met another writer eight times is repeated, as Lambda does it.
    """
    which = "seen on the stack"
    calm = name(which, "alone")
    recorded(stack, calm)
    deliver_in_order(stack, life_of(which, calm))
    expected = outcome(stack, calm, but="created_at")
    crowd = [name(which, "crowd", number) for number in range(CONTAINERS)]
    contended: Counter[str] = Counter()
    answered, dead = len(stack.answers), list(stack.queues.dead_letters())

    def deliver(event: dict[str, Any]) -> None:
        try:
            stack.invoke("TaskState", event)
        except FunctionFailed as failed:
            if "changed under 8 attempts" not in str(failed):
                raise
            contended[event["id"]] += 1
            deliver(event)

    heard = [place for place, event in enumerate(life_of(which, calm)) if stack.matches(event)]
    chance = random.Random(CONTAINERS)  # noqa: S311 - an order, no secret
    with ThreadPoolExecutor(SENDERS) as pool:
        for first in range(0, CONTAINERS, MEETING):
            meeting = crowd[first : first + MEETING]
            for each in meeting:
                # Now, so that the reconciler's schedule finds none of them late.
                recorded(stack, each, truncate(datetime.now(UTC)))
            lives = [life_of(which, each) for each in meeting]
            events = [life[heard[copy % len(heard)]] for life in lives for copy in range(COPIES)]
            list(pool.map(deliver, chance.sample(events, len(events))))
    assert {each: outcome(stack, each, but="created_at") for each in crowd} == dict.fromkeys(crowd, expected)
    written = revisions(stack)
    assert {each: written[each] for each in crowd if written[each] != list(range(1, len(written[each]) + 1))} == {}
    assert max(contended.values(), default=0) <= LAMBDA_RETRIES
    met = sum('"conflicts"' in log for log in stack.answers[answered:])
    tell(f"{CONTAINERS * COPIES} events of {CONTAINERS} containers: {met} met others, {contended.total()} gave up")
    assert met
    assert stack.queues.dead_letters() == dead


def revisions(stack: Stack) -> dict[str, list[int]]:
    """Of every item, in the order in which the table took them; as its stream shows."""
    streams = stack.cloud.client("dynamodbstreams")
    [stream] = streams.list_streams(TableName=stack.cloud.outputs["ContainersTableName"])["Streams"]
    [shard] = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    position = {"StreamArn": stream["StreamArn"], "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = streams.get_shard_iterator(**position)["ShardIterator"]
    found: dict[str, list[int]] = defaultdict(list)
    while (page := streams.get_records(ShardIterator=iterator))["Records"]:
        for record in page["Records"]:
            image = record["dynamodb"].get("NewImage", {})
            if "revision" in image:
                found[image["container_id"]["S"]].append(int(image["revision"]["N"]))
        iterator = page["NextShardIterator"]
    return found
