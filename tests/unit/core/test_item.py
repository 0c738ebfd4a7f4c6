"""The record and its item say the same, in the contract's words (section 3)."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.errors import UnreadableRecord
from core.model.facts import ContainerSeen
from core.model.failure import Cause, ErrorCode, Failure
from core.model.instants import truncate
from core.model.record import Injection, Instant, Probe, Record, Step, Stop, UnexplainedEnd
from core.model.state import State, Trigger
from core.storage.item import from_item, to_item
from tests.factories import CONTAINER_ID, TOKEN, pending
from tests.records import complete, failed

ATTRIBUTES = {
    *("container_id", "schema", "state", "generation", "revision", "task_version"),
    *("cluster_arn", "task_arn", "task_definition_arn", "image", "injection", "entrypoint", "cmd", "keep_alive"),
    *("agent_address", "agent_token", "created_at", "updated_at", "timings", "probe", "error", "stop", "history"),
    *("watch", "check_at", "expires_at"),
}
# The first column of the table in the contract.

ALWAYS = {
    *("container_id", "schema", "state", "generation", "revision", "task_version", "keep_alive"),
    *("created_at", "updated_at"),
}

TEXTS = st.text(min_size=1, max_size=20)
INSTANTS = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(2099, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(truncate)
COUNTS = st.integers(0, 10**9)
COMMANDS = st.lists(st.text(max_size=8), max_size=4).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Absent, or one of these."""
    return st.none() | strategy


RECORDS = st.builds(
    Record,
    container_id=TEXTS,
    state=st.sampled_from(State),
    generation=COUNTS,
    revision=COUNTS,
    created_at=INSTANTS,
    updated_at=INSTANTS,
    task_version=COUNTS,
    cluster_arn=maybe(TEXTS),
    task_arn=maybe(TEXTS),
    task_definition_arn=maybe(TEXTS),
    image=maybe(TEXTS),
    injection=maybe(st.sampled_from(Injection)),
    entrypoint=COMMANDS,
    cmd=COMMANDS,
    keep_alive=st.booleans(),
    agent_address=maybe(TEXTS),
    agent_token=maybe(TEXTS),
    timings=st.dictionaries(st.sampled_from(Instant), INSTANTS),
    probe=maybe(st.builds(Probe, deadline=INSTANTS, attempts=COUNTS, last_error=maybe(TEXTS))),
    error=maybe(
        st.builds(
            Failure,
            code=st.sampled_from(ErrorCode),
            message=st.text(max_size=20),
            remedy=st.text(max_size=20),
            cause=maybe(st.sampled_from(Cause)),
            transient=st.booleans(),
        )
    ),
    stop=maybe(
        st.builds(
            Stop,
            code=maybe(TEXTS),
            reason=maybe(TEXTS),
            exit_code=maybe(st.integers(0, 255)),
            requested=st.booleans(),
            oom_killed=st.booleans(),
            cause=maybe(st.sampled_from(Cause)),
        ).filter(lambda stop: stop != Stop())
    ),
    history=st.lists(
        st.builds(
            Step,
            at=INSTANTS,
            origin=st.sampled_from(State),
            to=st.sampled_from(State),
            trigger=st.sampled_from(Trigger),
        ),
        max_size=3,
    ).map(tuple),
    unexplained=maybe(
        st.builds(
            UnexplainedEnd,
            at=INSTANTS,
            container=TEXTS,
            containers=st.lists(
                st.builds(
                    ContainerSeen,
                    name=TEXTS,
                    last_status=st.text(max_size=9),
                    exit_code=maybe(st.integers(0, 255)),
                    reason=maybe(TEXTS),
                    image=maybe(TEXTS),
                ),
                max_size=3,
            ).map(tuple),
            reason=maybe(TEXTS),
        )
    ),
    watch=maybe(TEXTS),
    check_at=maybe(INSTANTS),
    expires_at=maybe(COUNTS),
)


def as_boto3_reads(value: Any) -> Any:
    """What `TypeDeserializer` makes of a value: numbers become `Decimal`."""
    match value:
        case bool() | str():
            return value
        case int():
            return Decimal(value)
        case list():
            return [as_boto3_reads(member) for member in value]
        case _:
            return {name: as_boto3_reads(member) for name, member in value.items()}


def members(value: Any) -> list[Any]:
    """A value and all that it holds, but the arguments of commands, which may be empty."""
    if isinstance(value, dict):
        commands = [value[name] for name in ("entrypoint", "cmd") if name in value]
        others = [member for name, member in value.items() if name not in ("entrypoint", "cmd")]
        return [value, *commands, *(found for member in others for found in members(member))]
    if isinstance(value, list):
        return [value, *(found for member in value for found in members(member))]
    return [value]


@given(RECORDS)
def test_every_record_comes_back(record: Record) -> None:
    """What is saved is what is read, with Python's numbers and with boto3's."""
    item = to_item(record)
    assert from_item(item) == record
    assert from_item(as_boto3_reads(item)) == record


@given(RECORDS)
def test_absent_is_absent(record: Record) -> None:
    """No attribute and no member of one is null or empty; every value is a plain Python one."""
    for value in members(to_item(record)):
        assert value is not None
        assert value not in ("", [], {})
        assert type(value) in (str, int, bool, list, dict)


def test_the_attributes_are_the_contracts() -> None:
    """All names, and the names of the members, are those of the contract's table."""
    item = to_item(complete())
    assert set(item) == ATTRIBUTES
    assert set(item["timings"]) == {
        *("created", "connectivity", "pull_started", "pull_stopped"),
        *("started", "resolved", "healthy", "stopping", "execution_stopped", "stopped"),
    }
    assert set(item["probe"]) == {"attempts", "last_error", "deadline"}
    assert set(item["error"]) == {"code", "cause", "message", "remedy", "transient"}
    assert set(item["stop"]) == {"code", "reason", "exit_code", "requested", "oom_killed", "cause"}
    assert set(item["history"][0]) == {"at", "from", "to", "trigger"}


def test_the_values_are_the_contracts() -> None:
    """Spelt as a backend in another language expects them."""
    item = to_item(complete())
    assert item["schema"] == 1
    assert item["state"] == "agent-healthy"
    assert item["injection"] == "efs"
    assert item["created_at"] == "2026-11-23T10:00:00.000Z"
    assert item["entrypoint"] == ["sh", "-c"]
    assert item["agent_address"] == "10.0.1.47:9111"
    assert item["error"]["cause"] == "spot-interruption"
    assert item["error"]["transient"] is True
    assert item["stop"]["exit_code"] == 137
    assert item["history"][0] == {
        "at": "2026-11-23T10:00:30.000Z",
        "from": "pending",
        "to": "task-running",
        "trigger": "task-started",
    }


def test_the_least_item() -> None:
    """Nine attributes are always there; all others are absent until they are known."""
    record = pending(
        cluster_arn=None,
        image=None,
        injection=None,
        cmd=(),
        agent_token=None,
        watch=None,
        check_at=None,
        stop=Stop(),
    )
    item = to_item(record)
    assert set(item) == ALWAYS
    assert from_item(item) == replace(record, stop=None)


def test_zero_and_false_are_values() -> None:
    """Exit code 0 is not the absence of an exit code, nor is `false` that of a flag."""
    item = to_item(pending(stop=Stop(exit_code=0)))
    assert item["stop"] == {"exit_code": 0}
    assert item["keep_alive"] is False
    assert item["task_version"] == 0


def test_an_argument_may_be_empty() -> None:
    """`sh -c ''` is a command: arguments are kept as they are."""
    record = pending(entrypoint=("sh", "-c"), cmd=("",))
    assert to_item(record)["cmd"] == [""]
    assert from_item(to_item(record)) == record


def test_unknown_attributes_are_tolerated_and_dropped() -> None:
    """An addition of a later version with the same schema is read over, at any depth, and not written back."""
    item = to_item(complete())
    extended = {**item, "colour": "blue", "timings": {**item["timings"], "thawed": "soon"}}
    extended["probe"] = {**item["probe"], "path": "/health"}
    assert to_item(from_item(extended)) == item


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_a_missing_attribute_is_named(name: str) -> None:
    """An item without what is always there cannot be read."""
    item = to_item(complete())
    del item[name]
    with pytest.raises(UnreadableRecord, match=rf"\b{name} is missing"):
        from_item(item)


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
@pytest.mark.parametrize("broken", [None, {1, 2}], ids=["null", "set"])
def test_a_mistyped_attribute_is_named(name: str, broken: object) -> None:
    """No attribute may be null, and none is a set."""
    with pytest.raises(UnreadableRecord, match=rf"\b{name} should be") as caught:
        from_item({**to_item(complete()), name: broken})
    assert caught.value.container_id == ("(without an id)" if name == "container_id" else CONTAINER_ID)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "dancing"}, "state is 'dancing', a word this version does not know"),
        ({"state": ""}, "state is empty"),
        ({"schema": 2}, "schema is 2, and this version reads 1"),
        ({"schema": True}, "schema should be a whole number, not bool"),
        ({"revision": Decimal("1.5")}, "revision should be a whole number, not a fraction"),
        ({"revision": "1"}, "revision should be a whole number, not str"),
        ({"keep_alive": 1}, "keep_alive should be a boolean, not int"),
        ({"injection": "magic"}, "injection is 'magic'"),
        ({"created_at": "yesterday"}, "created_at is no ISO 8601 instant"),
        ({"updated_at": "2026-11-23T10:00:00.000"}, "updated_at is no ISO 8601 instant"),
        ({"agent_address": ""}, "agent_address is empty"),
        ({"entrypoint": ["sh", 1]}, r"entrypoint\[1\] should be a string, not int"),
        ({"timings": {"created": 5}}, "timings.created should be a string, not int"),
        ({"probe": {"attempts": 1}}, "probe.deadline is missing"),
        ({"error": {"code": "Oops", "transient": False}}, "error.code is 'Oops'"),
        ({"error": {"code": "TaskLost", "transient": False, "cause": "moon"}}, "error.cause is 'moon'"),
        ({"error": {"code": "TaskLost"}}, "error.transient is missing"),
        ({"stop": {"exit_code": "0"}}, "stop.exit_code should be a whole number, not str"),
        ({"history": [{"at": "2026-11-23T10:00:00.000Z"}]}, r"history\[0\].from is missing"),
        ({"history": ["once"]}, r"history\[0\] should be a map, not str"),
    ],
)
def test_an_unreadable_attribute_is_named(changes: dict[str, Any], why: str) -> None:
    """The error says which attribute is wrong and how, down to the member."""
    with pytest.raises(UnreadableRecord, match=why):
        from_item({**to_item(complete()), **changes})


@pytest.mark.parametrize("broken", [*sorted(ATTRIBUTES - {"agent_token"}), "agent_token"])
def test_the_token_is_in_no_error(broken: str) -> None:
    """Neither the error nor its traceback shows the token, whichever attribute is wrong, the token's own included."""
    item = {**to_item(complete()), broken: {TOKEN} if broken == "agent_token" else None}
    with pytest.raises(UnreadableRecord) as caught:
        from_item(item)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert TOKEN not in repr(caught.value)


def test_the_token_is_in_no_repr() -> None:
    """A record that is logged by accident keeps its secret."""
    assert TOKEN not in repr(complete())


def test_the_item_is_json() -> None:
    """The item can be shown, compared and sent as JSON."""
    assert json.loads(json.dumps(to_item(failed()))) == to_item(failed())
