"""AgentHealthFunction: what a prober that cannot do its work says, to whom, and what it answers Lambda."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable
from typing import Any

import pytest

from core.model.errors import CallFailed, MalformedEvent
from core.model.facts import AgentAnswered
from core.model.record import Record
from core.model.state import State
from core.ports import Loaded
from core.probe import prober as probing
from core.probe.answer import HEALTHY, Answer, ProbeErrorKind, probe_error
from core.probe.outcome import CannotProbe, Outcome, OutOfTime, ProbeResult
from handlers import agent_health, telemetry
from handlers.app import PROBER_TABLE, App
from tests.factories import ADDRESS, CONTAINER_ID, POLICY, SETTINGS, TOKEN, event
from tests.fakes import MemoryStore
from tests.records import resolved
from tests.template import load_template
from tests.unit.handlers.test_reconcile import Context

NO_ROUTE = CallFailed(
    "BatchGetItem",
    "ConnectTimeoutError",
    'Connect timeout on endpoint URL: "https://dynamodb.us-east-1.amazonaws.com/"',
    transient=True,
    uncertain=True,
    unreached=True,
)
FILTER = load_template()["Resources"]["ReconcileFunction"]["Properties"]["Events"]["ProbeAborted"]["Properties"]


class Table(MemoryStore):
    """A table that can be out of reach; `written` are the records that were saved."""

    def __init__(self, *records: Record) -> None:
        super().__init__(*records)
        self.unreadable: CallFailed | None = None
        self.unwritable: CallFailed | None = None

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        if self.unreadable is not None:
            raise self.unreadable
        return super().load_many(container_ids)

    def save(self, record: Record) -> None:
        if self.unwritable is not None:
            raise self.unwritable
        super().save(record)


class Agents:
    """Stands for `HttpProbe`: agents that answer, or refuse."""

    answer: Answer = HEALTHY

    async def check_health(self, _address: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - the port's
        return self.answer

    async def check_identity(self, _address: str, token: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - the port's
        assert token == TOKEN
        return self.answer


class World:
    """What the handler is wired to. A table is given up at its first failure: nothing is waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.table = Table(resolved(agent_token=TOKEN))
        monkeypatch.setattr(App, "settings", SETTINGS)
        monkeypatch.setattr(App, "store", self.table)
        monkeypatch.setattr(agent_health, "HttpProbe", Agents)
        monkeypatch.setattr(probing, "TABLE_PATIENCE", 0.0)

    @property
    def state(self) -> State:
        record = self.table.load(CONTAINER_ID)
        assert record is not None
        return record.state


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "reach")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SockerlessReach")
    return World(monkeypatch)


def handle(document: dict[str, Any], seconds: int = 300) -> dict[str, Any]:
    context = Context(function_name="agent-health")
    context.get_remaining_time_in_millis = lambda: seconds * 1000  # type: ignore[method-assign]
    answer: dict[str, Any] = agent_health.handler(document, context)  # type: ignore[arg-type]
    return answer


def lines(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    """The lines with this message, as they are printed."""
    spelt = telemetry.logger.registered_formatter
    return [json.loads(spelt.format(one)) for one in caplog.records if one.getMessage() == message]


def documents(capsys: pytest.CaptureFixture[str], metric: str) -> list[dict[str, Any]]:
    """What was printed for CloudWatch about this metric."""
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [one for one in printed if metric in one]


def test_an_agent_that_answers_leaves_no_word_behind(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict is written, nothing is counted as without one."""
    assert handle(event("agent-health")) == {"batchItemFailures": []}
    assert world.state is State.AGENT_HEALTHY
    assert lines(caplog, telemetry.PROBE_ABORTED) == []
    assert documents(capsys, "ProbesWithoutVerdict") == []


def test_a_table_out_of_reach_is_an_error_a_line_and_a_metric(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The invocation counts as failed, and the log names container, call, error and endpoint."""
    world.table.unreadable = NO_ROUTE

    with pytest.raises(CannotProbe, match=r"BatchGetItem failed with ConnectTimeoutError.*gateway endpoint"):
        handle(event("agent-health"))

    [line] = lines(caplog, telemetry.PROBE_ABORTED)
    assert (line["level"], line["container_id"], line["generation"]) == ("ERROR", CONTAINER_ID, 1)
    assert line["agent_address"] == ADDRESS
    assert "ConnectTimeoutError" in line["last_error"]
    assert "ProberRouteTableIds" in line["remedy"]
    [measured] = documents(capsys, "ProbesWithoutVerdict")
    [defined] = measured["_aws"]["CloudWatchMetrics"]
    assert defined["Metrics"] == [{"Name": "ProbesWithoutVerdict", "Unit": "Count", "StorageResolution": 1}]
    assert (defined["Dimensions"], measured["service"]) == ([["service"]], "reach")
    assert measured["ProbesWithoutVerdict"] == [1.0]


def test_a_verdict_that_cannot_be_written_is_the_same(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The table is read and not written: the text says which."""
    world.table.unwritable = CallFailed("PutItem", "AccessDeniedException", "not authorized", remedy="Allow it.")

    with pytest.raises(CannotProbe):
        handle(event("agent-health"))

    [line] = lines(caplog, telemetry.PROBE_ABORTED)
    assert line["last_error"].startswith("The verdict could not be written to the table: PutItem failed with AccessDen")
    assert "endpoint" not in line["remedy"]


def test_the_subscription_matches_the_line_that_is_printed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Its pattern is a phrase in quotation marks; the line has it, no other line of a probe does."""
    phrase = FILTER["FilterPattern"].strip('"')
    assert {"LogGroupName": {"Ref": "AgentHealthLogGroup"}, "FilterPattern": f'"{phrase}"'} == FILTER
    handle(event("agent-health"))
    handle(event("agent-health-malformed"))
    spelt = telemetry.logger.registered_formatter
    assert not [one for one in caplog.records if phrase in spelt.format(one)]

    world.table.unreadable = NO_ROUTE
    world.table.put_item({**(world.table.item(CONTAINER_ID) or {}), "state": "eni-resolved"})
    with pytest.raises(CannotProbe):
        handle(event("agent-health"))
    assert [one.getMessage() for one in caplog.records if phrase in spelt.format(one)] == [telemetry.PROBE_ABORTED]


def test_the_event_file_holds_a_line_of_today(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """An operator who invokes ReconcileFunction with it tries what a deployed stack would bring."""
    world.table.unreadable = NO_ROUTE
    with pytest.raises(CannotProbe):
        handle(event("agent-health"))
    [line] = lines(caplog, telemetry.PROBE_ABORTED)

    delivered = json.loads(gzip.decompress(base64.b64decode(event("reconcile-probe-aborted")["awslogs"]["data"])))
    [entry] = delivered["logEvents"]
    sent = json.loads(entry["message"])
    assert sent.keys() == line.keys()
    for name in ("level", "message", "container_id", "generation", "agent_address", "last_error", "remedy"):
        assert sent[name] == line[name]


def batch(*bodies: str) -> dict[str, Any]:
    """Messages with these bodies, named by their numbers."""
    [message] = event("agent-health")["Records"]
    return {"Records": [{**message, "messageId": str(number), "body": body} for number, body in enumerate(bodies)]}


OURS = event("agent-health")["Records"][0]["body"]


def test_one_verdict_of_a_batch_is_kept(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Only a batch that failed as a whole is an error; the metric counts the others."""
    other = "b" * 64
    world.table.save(resolved(container_id=other, revision=1, agent_token=TOKEN))
    broken = world.table.item(other)
    assert broken is not None
    world.table.put_item({**broken, "state": "levitating"})

    assert handle(batch(OURS, OURS.replace(CONTAINER_ID, other))) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert len(documents(capsys, "ProbesWithoutVerdict")) == 1
    assert world.state is State.AGENT_HEALTHY


def test_a_message_that_is_not_ours_is_no_fault_of_the_prober(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays in the queue until it is a dead letter, which has an alarm; the function has not failed."""
    assert handle(batch("nonsense")) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    [line] = lines(caplog, "probe not understood")
    assert (line["message_id"], line["exception_name"]) == ("0", MalformedEvent.__name__)
    assert documents(capsys, "ProbesWithoutVerdict") == []

    world.table.unreadable = NO_ROUTE
    with pytest.raises(CannotProbe):
        handle(batch("nonsense", OURS))


def test_a_worker_whose_time_ends_is_no_fault(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The next delivery goes on: a failed message, and neither an error nor a count; the log says how it stands."""
    monkeypatch.setattr(Agents, "answer", Answer(probe_error(ProbeErrorKind.REFUSED, ADDRESS)))

    assert handle(event("agent-health"), seconds=10) == {
        "batchItemFailures": [{"itemIdentifier": event("agent-health")["Records"][0]["messageId"]}]
    }
    [line] = lines(caplog, "probe goes on")
    assert (line["level"], line["container_id"]) == ("WARNING", CONTAINER_ID)
    assert "The time of this worker ended after" in line["why"]
    assert OutOfTime.__name__ not in line["message"]
    assert documents(capsys, "ProbesWithoutVerdict") == []


@pytest.mark.parametrize(
    "body", ["[" * 10_000, '{"container_id": "a", "generation": Infinity, "address": "b"}', "{}", "7"]
)
def test_a_message_of_another_shape_is_refused(body: str) -> None:
    """Whatever its depth and its numbers: its error says what a message holds."""
    with pytest.raises(MalformedEvent, match="no JSON object with container_id"):
        agent_health.target_of(body)


def test_failed_looks_are_told_with_the_result(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """How many, and why the last one failed, also when the probe came to a verdict."""
    target = agent_health.target_of(OURS)
    agent_health._log(target, ProbeResult(Outcome.HEALTHY, 3, failed_reads=2, last_read_error="no"))
    [line] = lines(caplog, "probe ended")
    assert (line["failed_reads"], line["last_read_error"], line["attempts"]) == (2, "no", 3)
    assert AgentAnswered.__name__ not in line


def test_a_worker_has_time_for_its_last_try_and_report() -> None:
    """Two requests of one try, then a read and a write that are not answered at once: all before Lambda ends it."""
    config = vars(PROBER_TABLE[1])
    attempts = config["retries"]["total_max_attempts"]
    pause = 1  # botocore's standard mode waits so long at most before its first repetition
    call = attempts * max(config["connect_timeout"], config["read_timeout"]) + (attempts - 1) * pause
    assert 2 * POLICY.probe_request_timeout + call <= agent_health.MARGIN
    assert probing.TABLE_PATIENCE + POLICY.probe_interval + call <= 14
