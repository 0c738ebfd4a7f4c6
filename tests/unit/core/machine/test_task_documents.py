"""Documents of ECS -> facts. Every file of `events/` is read here or stands for a refusal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from traceback import format_exception
from typing import Any

import pytest

from core.machine.task_documents import NotOurs, observe_description, observe_event
from core.model.errors import MalformedEvent
from core.model.facts import Source, TaskObserved
from tests.factories import CONTAINER_ID, EVENTS, at, event

NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))
TASKS = [name for name in NAMES if name.startswith("task-") or name in {"ignored-pending", "ignored-provisioning"}]
FOREIGN = ["ignored-service-task", "ignored-without-started-by", "ignored-other-prefix"]


def observe(document: object) -> TaskObserved | NotOurs:
    return observe_event(document, prefix="sockerless", at=at(100))


def observe_ours(document: object) -> TaskObserved:
    fact = observe(document)
    assert isinstance(fact, TaskObserved)
    return fact


@pytest.mark.parametrize("name", TASKS)
def test_every_task_event_is_a_fact_of_our_container(name: str) -> None:
    """startedBy says whose it is; nothing depends on tags (contract.md 4)."""
    fact = observe_ours(event(name))

    assert (*fact.ref, fact.source) == (CONTAINER_ID, 1, Source.EVENT)
    assert fact.version == event(name)["detail"]["version"]


@pytest.mark.parametrize("name", FOREIGN)
def test_a_task_of_others_is_not_ours(name: str) -> None:
    """A service's task, one started by hand, one of another stack on the same cluster."""
    fact = observe(event(name))

    assert isinstance(fact, NotOurs)
    assert fact.task_arn == event(name)["detail"]["taskArn"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("malformed-empty-detail", "no task"),
        ("malformed-without-version", "version: Field required"),
        ("malformed-without-task-arn", "taskArn: Field required"),
        ("ignored-container-instance", "detail-type"),
        ("start-container", "detail-type"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(name: str, reason: str) -> None:
    """Refused, not guessed: the event goes to the dead-letter queue."""
    with pytest.raises(MalformedEvent, match=reason):
        observe(event(name))


@pytest.mark.parametrize("document", [None, [], "event", 7])
def test_an_event_is_an_object(document: object) -> None:
    """An event that is no JSON object is refused."""
    with pytest.raises(MalformedEvent, match="JSON object"):
        observe(document)


def test_a_refusal_never_prints_values() -> None:
    """Overrides of an event hold secrets (ecs.md 1)."""
    document = event("task-running")
    document["detail"]["containers"][0]["exitCode"] = "s3cret"

    with pytest.raises(MalformedEvent, match=r"containers\.0\.exitCode") as refused:
        observe(document)

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [("2026-11-23T10:00:28Z", 0), ("2026-11-23T10:00:28.1Z", 100000), ("2026-11-23T10:00:28.12Z", 120000),
     ("2026-11-23T10:00:28.123Z", 123000)],
)  # fmt: skip
def test_instants_with_any_number_of_digits(text: str, microsecond: int) -> None:
    """ECS drops trailing zeros (ecs.md 1)."""
    document = event("task-running")
    document["detail"]["startedAt"] = text

    assert observe_ours(document).started_at == datetime(2026, 11, 23, 10, 0, 28, microsecond, UTC)


def test_unknown_members_statuses_types_and_codes_are_fine() -> None:
    """AWS adds properties without notice (ecs.md 1)."""
    document = event("task-stopped")
    document["detail"] |= {"lastStatus": "HIBERNATING", "stopCode": "CosmicRay", "colour": {"nested": [1]}}
    document["detail"]["attachments"].append({"type": "Service Connect", "details": None})
    document["detail"]["containers"].append({"name": "aws-guardduty-agent-x", "cpu": "null", "networkInterfaces": None})

    fact = observe_ours(document)

    assert (fact.last_status, fact.stop_code) == ("HIBERNATING", "CosmicRay")
    assert fact.attachments[-1].type == "Service Connect"


@pytest.mark.parametrize("missing", ["attachments", "containers"])
@pytest.mark.parametrize("null", [True, False])
def test_absent_or_null_lists_are_empty(missing: str, null: bool) -> None:
    """A 2018 event has no attachments key at all."""
    document = event("task-running")
    document["detail"].pop(missing)
    if null:
        document["detail"][missing] = None

    assert getattr(observe_ours(document), missing) == ()


def described(name: str) -> dict[str, Any]:
    """The same task as DescribeTasks answers through boto3: other type, other case, datetimes."""
    task: dict[str, Any] = event(name)["detail"]
    for member in [key for key in task if key.endswith("At")]:
        if member == "updatedAt":
            del task[member]
        else:
            task[member] = datetime.fromisoformat(task[member])
    for attachment in task["attachments"]:
        attachment["type"] = "ElasticNetworkInterface"
    task["overrides"]["inferenceAcceleratorOverrides"] = []
    task |= {"tags": [], "healthStatus": "UNKNOWN"}
    return task


@pytest.mark.parametrize("name", ["task-running", "task-stopped", "task-failed-agent-missing"])
def test_a_description_holds_the_same_fact(name: str) -> None:
    """Two spellings, one fact: only the source differs, and `updatedAt`, which the API does not have."""
    seen = observe_ours(event(name))
    described_fact = observe_description(described(name), prefix="sockerless", at=at(100))

    assert isinstance(described_fact, TaskObserved)
    assert described_fact.source is Source.DESCRIBED
    for field in TaskObserved.__dataclass_fields__:
        if field not in {"source", "updated_at", "attachments"}:
            assert getattr(described_fact, field) == getattr(seen, field), field
    assert [one.details for one in described_fact.attachments] == [one.details for one in seen.attachments]


def test_epoch_seconds_are_instants_too() -> None:
    """The wire format of DescribeTasks, for callers that have no boto3 in between."""
    task = event("task-running")["detail"] | {"startedAt": 1795428028.25}

    described_fact = observe_description(task, prefix="sockerless", at=at(100))

    assert isinstance(described_fact, TaskObserved)
    assert described_fact.started_at == datetime.fromtimestamp(1795428028.25, UTC)


@pytest.mark.parametrize("instant", [1e300, -1e300, 10**12, "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59"])
def test_an_instant_that_cannot_be_is_refused(instant: object) -> None:
    """Time-outs are added to instants, so one beyond Python's calendar would end a whole run."""
    with pytest.raises(MalformedEvent, match="stoppedAt"):
        observe({**event("task-running"), "detail": event("task-running")["detail"] | {"stoppedAt": instant}})


@pytest.mark.parametrize(
    "changes", [{"version": 2**63}, {"version": -1}, {"containers": [{"name": "a", "exitCode": 2**31}]}]
)
def test_a_number_that_no_item_holds_is_refused(changes: dict[str, Any]) -> None:
    """DynamoDB's numbers have 38 digits, and boto3 raises for more: ECS's own have 64 bits, exit codes 32."""
    with pytest.raises(MalformedEvent, match=r"version|exitCode"):
        observe({**event("task-running"), "detail": event("task-running")["detail"] | changes})


def test_an_instant_of_another_kind_is_refused() -> None:
    """An instant that is neither text, datetime nor number is refused."""
    with pytest.raises(MalformedEvent, match="startedAt"):
        observe({**event("task-running"), "detail": event("task-running")["detail"] | {"startedAt": ["now"]}})


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"taskArn": ""}, "taskArn: should not be empty"),
        ({"lastStatus": None}, "lastStatus: should be a string"),
        ({"stopCode": 7}, "stopCode: should be a string"),
        ({"version": "4"}, "version: should be an integer"),
        ({"containers": {"name": "main"}}, "containers: should be a list"),
        ({"containers": ["main"]}, "containers.0: should be an object"),
        (
            {"containers": [{"name": "main", "networkInterfaces": [{"ipv6Address": 1}]}]},
            "networkInterfaces.0.ipv6Address",
        ),
        ({"attachments": [{"details": [{"value": "eni"}]}]}, "attachments.0.details.0.name: Field required"),
    ],
)
def test_a_member_of_another_type_is_refused_with_its_place(changes: dict[str, Any], place: str) -> None:
    """AWS adds members and words; a member that is there keeps its type."""
    with pytest.raises(MalformedEvent, match=re.escape(place)):
        observe({**event("task-running"), "detail": event("task-running")["detail"] | changes})


def test_no_exception_of_the_chain_quotes_the_document() -> None:
    """A logger prints causes too, and the overrides hold the token (ecs.md 1)."""
    document = event("malformed-without-version")
    document["detail"]["overrides"]["containerOverrides"][0]["environment"][1]["value"] = "s3cret"

    with pytest.raises(MalformedEvent) as refused:
        observe(document)

    assert "s3cret" not in "".join(format_exception(refused.value))
