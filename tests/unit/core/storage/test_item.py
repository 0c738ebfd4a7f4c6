"""The record and its item say the same, in the words of contract.md 3."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import GenericAlias
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.errors import UnreadableRecord
from core.model.facts import ContainerSeen
from core.model.instants import truncate
from core.model.parts import Stop
from core.model.record import SCHEMA, Record
from core.model.state import State
from core.storage.attributes import (
    BOOLEAN,
    FLAG,
    ID,
    INSTANT,
    INTEGER,
    SECONDS,
    STRINGS,
    TEXT,
    TEXTS,
    Kind,
    Map,
)
from core.storage.item import ITEM, from_item, to_item
from tests.factories import CONTAINER_ID, TOKEN, pending
from tests.golden.items import GOLDEN_FILE, golden_items, written
from tests.records import complete, exited, failed, healthy, resolved, running

ATTRIBUTES = {one.name for one in ITEM.attributes}
ALWAYS = golden_items()["the least"].keys()
SCHEMA_KIND = next(one.kind for one in ITEM.attributes if one.name == "schema")

WORDS = st.text(min_size=1, max_size=20)
INSTANTS = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(2099, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(truncate)
COUNTS = st.integers(0, 10**9)
_LISTS_OF_TEXTS = {one.name for one in ITEM.attributes if one.kind is STRINGS}
NOT_KEPT: dict[type, set[str]] = {ContainerSeen: {"interfaces", "complaint"}, Record: {"unknown"}}
"""Fields of a snapshot that a record has no use for: the address is known by then, the output is still to be read. And
what has no name here."""
VALUES: dict[Kind, tuple[Any, st.SearchStrategy[Any]]] = {
    TEXT: (str, WORDS),
    ID: (str, st.integers(0, 16**64 - 1).map("{:064x}".format)),
    SECONDS: (int, st.integers(0, 10**8)),
    INTEGER: (int, COUNTS),
    SCHEMA_KIND: (int, st.just(SCHEMA)),
    BOOLEAN: (bool, st.booleans()),
    FLAG: (bool, st.booleans()),
    INSTANT: (datetime, INSTANTS),
    STRINGS: (tuple[str, ...], st.lists(st.text(max_size=8), max_size=4).map(tuple)),
    TEXTS: (Mapping[str, str], st.dictionaries(WORDS, st.text(max_size=8), max_size=4)),
}


def values(kind: Kind) -> tuple[Any, st.SearchStrategy[Any]]:
    """The type of the field that holds an attribute of this kind, and what it may hold."""
    match kind.dynamo_type, kind.of:
        case "M", Map() as table:
            return table.dataclass, records(table)
        case "L of M", Map() as table:
            return GenericAlias(tuple, (table.dataclass, ...)), st.lists(records(table), max_size=3).map(tuple)
        case "S", type() as words:
            return words, st.sampled_from(words)
        case "M of S", type() as words:
            return GenericAlias(Mapping, (words, datetime)), st.dictionaries(st.sampled_from(words), INSTANTS)
        case _:
            return VALUES[kind]


def records(table: Map[Any]) -> st.SearchStrategy[Any]:
    """What the dataclass of a table may hold, its defaults often. One that is written as nothing is not kept."""
    held = {one.field or one.name: values(one.kind)[1] for one in table.attributes}
    defaults = {field.name: field.default for field in fields(table.dataclass)} | table.absent
    for name, some in held.items():
        if defaults.get(name, MISSING) is not MISSING:
            held[name] = st.just(defaults[name]) | some
    return st.builds(table.dataclass, **held).filter(table.write)


def tables(table: Map[Any]) -> list[Map[Any]]:
    """A table and all those of its members."""
    return [
        table,
        *(found for one in table.attributes if isinstance(one.kind.of, Map) for found in tables(one.kind.of)),
    ]


USERS = ("labels", *_LISTS_OF_TEXTS)
"""Attributes whose members are what the user wrote."""
RECORDS: st.SearchStrategy[Record] = records(ITEM)
BY_TABLE = pytest.mark.parametrize("table", dict.fromkeys(tables(ITEM)), ids=lambda table: table.dataclass.__name__)


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
    """A value and all that it holds, but arguments of commands and values of labels, which may be empty."""
    if isinstance(value, dict):
        users = [value[name] for name in USERS if name in value]
        others = [member for name, member in value.items() if name not in USERS]
        return [value, *users, *(found for member in others for found in members(member))]
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


def test_golden_items_keep_their_bytes() -> None:
    """Each golden item is read, and what PutItem then gets is that item to the byte, in the same order."""
    items = {name: to_item(from_item(item)) for name, item in golden_items().items()}
    assert written(items) == GOLDEN_FILE.read_text()


def test_golden_items_show_every_state() -> None:
    """No state is without an item that proves how it is spelt."""
    assert {item["state"] for item in golden_items().values()} == {*State}


@pytest.mark.parametrize(
    "record", [pending(), running(), resolved(), healthy(), failed(), exited()], ids=lambda record: record.state
)
def test_a_golden_item_is_its_record(record: Record) -> None:
    """A life's items are read as the records that a life has, types included."""
    read = from_item(golden_items()[record.state])
    record = replace(record, expires_at=read.expires_at)
    assert read == record
    assert repr(replace(read, timings={})) == repr(replace(record, timings={}))


def declared(table: Map[Any], path: str = "") -> set[str]:
    """Every attribute, and every member with the names around it."""
    found = set()
    for one in table.attributes:
        found.add(f"{path}{one.name}")
        match one.kind.of:
            case Map() as inner:
                found |= declared(inner, f"{path}{one.name}.")
            case words if one.kind.dynamo_type == "M of S" and words:
                found |= {f"{path}{one.name}.{name}" for name in words}
            case _:
                pass
    return found


def shown(value: Any, path: str = "") -> set[str]:
    """The same of an item. The names of labels are no members."""
    if path == "labels.":
        return set()
    if isinstance(value, list):
        return {name for one in value for name in shown(one, path)}
    if isinstance(value, dict):
        return {f"{path}{name}" for name in value}.union(*(shown(one, f"{path}{name}.") for name, one in value.items()))
    return set()


def test_the_attributes_are_the_contracts() -> None:
    """A golden item has each attribute and each member that is declared, and no other."""
    assert shown(to_item(complete())) == declared(ITEM)


@BY_TABLE
def test_every_field_is_declared(table: Map[Any]) -> None:
    """A field of a record, or of one of its parts, is an attribute of the item: nothing is lost between two reads."""
    declared = {one.field or one.name for one in table.attributes}
    assert declared | NOT_KEPT.get(table.dataclass, set()) == {field.name for field in fields(table.dataclass)}
    assert not declared & NOT_KEPT.get(table.dataclass, set())


@BY_TABLE
def test_every_attribute_has_the_type_of_its_field(table: Map[Any]) -> None:
    """What is read is what the field takes: no text where an enumeration is wanted, no other part of a record."""
    hints = get_type_hints(table.dataclass)
    for one in table.attributes:
        assert hints[one.field or one.name] in (wanted := values(one.kind)[0], wanted | None), one.name


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


def test_a_label_may_be_empty() -> None:
    """Docker's `--label debug` has a name and no value: it is kept, and so is a name with any characters."""
    record = pending(labels={"debug": "", "com.example/a b": "ü"})
    assert to_item(record)["labels"] == {"debug": "", "com.example/a b": "ü"}
    assert from_item(to_item(record)) == record


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
        ({"container_id": "definition/sockerless"}, "container_id is no container id"),
        ({"revision": 2**63}, "revision is too large"),
        ({"health_timeout": -1}, "health_timeout is no time-out"),
        ({"max_lifetime": 10**9}, "max_lifetime is no time-out"),
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
        ({"labels": "team"}, "labels should be a map, not str"),
        ({"labels": {"team": 1}}, "labels.team should be a string, not int"),
        ({"logs": {"group": "/containers"}}, "logs.stream_prefix is missing"),
        ({"history": "once"}, "history should be a list, not str"),
        ({"launches": [{"at": "2026-11-23T10:00:00.000Z", "error": {"code": "Oops"}}]}, r"launches\[0\].error.code is"),
        ({"launching": {"asked": [{"by": "invocation-1"}]}}, r"launching.asked\[0\].at is missing"),
        ({"unwanted_tasks": [{"task_arn": ""}]}, r"unwanted_tasks\[0\].task_arn is empty"),
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
