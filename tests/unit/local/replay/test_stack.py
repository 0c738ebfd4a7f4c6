from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.control.settle import settle_event
from core.machine.task_documents import observe_event
from core.model.errors import MalformedEvent
from core.model.facts import TaskObserved
from core.model.state import State
from local.cloud.environment import write_environment
from local.cloud.layout import Layout
from local.replay import command
from local.replay.adoption import adopted
from local.replay.command import run
from local.replay.options import add_replay
from local.replay.reading import Found
from local.replay.stack import Deployed, read_rule
from local.replay.step import Outcome
from tests.factories import CLUSTER, CONTAINER_ID, EVENTS, event, pending
from tests.fakes import MemoryStore, SettableClock
from tests.world import NONE, World

PATTERN = json.dumps({
    "source": ["aws.ecs"],
    "detail": {"clusterArn": [CLUSTER], "startedBy": [{"prefix": "sockerless/"}],
               "$or": [{"lastStatus": ["RUNNING"]}, {"desiredStatus": ["STOPPED"]}]},
})  # fmt: skip
CLOCK = SettableClock()


class FakeBus:
    """TestEventPattern for the one pattern of the template."""

    def test_event_pattern(self, **request: Any) -> dict[str, Any]:
        event = json.loads(request["Event"])
        if not isinstance(event, dict) or "id" not in event:
            raise ClientError(
                {"Error": {"Code": "InvalidEventPatternException", "Message": "no id"}}, "TestEventPattern"
            )
        detail, wanted = event["detail"], json.loads(request["EventPattern"])["detail"]
        ours = str(detail.get("startedBy")).startswith(wanted["startedBy"][0]["prefix"])
        right = detail.get("lastStatus") == "RUNNING" or detail.get("desiredStatus") == "STOPPED"
        return {"Result": ours and right and detail.get("clusterArn") in wanted["clusterArn"]}


class FakeFunctions:
    """TaskStateFunction, with the real core behind it."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.sent: list[str] = []
        self.broken = False

    def invoke(self, **request: Any) -> dict[str, Any]:
        if request.get("InvocationType") == "Event":
            self.sent.append(request["Payload"])
            return {"StatusCode": 202}
        if self.broken:
            return _failure("Runtime.ExitError", "it ended")
        try:
            fact = observe_event(json.loads(request["Payload"]), prefix="sockerless", at=CLOCK.now())
        except MalformedEvent as error:
            return _failure("MalformedEvent", str(error))
        assert isinstance(fact, TaskObserved)
        ignored = settle_event(World(store=self.store).performing(NONE), fact).ignored
        return {"Payload": io.BytesIO(json.dumps({"ignored": ignored} if ignored else {}).encode())}


def _failure(kind: str, message: str) -> dict[str, Any]:
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return {"FunctionError": "Unhandled", "Payload": io.BytesIO(payload)}


def deployed(*records: Any, **options: Any) -> tuple[Deployed, FakeFunctions]:
    store = MemoryStore(*records)
    functions = FakeFunctions(store)
    stack = Deployed(
        rule=read_rule("reach-rule", PATTERN),
        function="arn:task-state",
        events=FakeBus(),
        functions=functions,
        store=store,
        clock=CLOCK.now,
        **options,
    )
    return stack, functions


def fed(stack: Deployed, *documents: Any) -> list[Any]:
    return [stack.feed(Found("here", document)) for document in documents]


def test_the_stack_s_own_answer_is_shown() -> None:
    """The item before and after the function: what moved it, what it learnt, and why an event was ignored."""
    stack, _ = deployed(pending())
    running = event("task-running")
    first, again, end = fed(stack, running, running, event("task-stopped"))
    assert (first.outcome, first.state) == (Outcome.MOVED, "eni-resolved")
    assert first.changes["agent_address"] == (None, "10.0.1.47:9111")
    assert (again.outcome, again.why) == (Outcome.IGNORED, "version 3 is not newer than 3")
    assert end.state == "stopped"
    assert stack.records()[CONTAINER_ID].state is State.STOPPED
    assert "agent_token" not in {**first.changes, **end.changes}


def test_the_rule_is_asked_first() -> None:
    """What the bus would not bring is not invoked."""
    stack, _ = deployed(pending())
    steps = fed(stack, event("ignored-activating"), event("ignored-other-cluster"), event("ignored-service-task"))
    assert {(step.outcome, step.why) for step in steps} == {(Outcome.WITHHELD, "the rule reach-rule does not match it")}


def test_what_the_stack_refuses_is_told() -> None:
    """The bus refuses what is no event, the function what it cannot read; a crash is another thing."""
    stack, functions = deployed(pending())
    steps = [*fed(stack, {"detail": {}}, event("malformed-without-version")), stack.feed(Found("x", problem="bad"))]
    assert [step.outcome for step in steps] == [Outcome.MALFORMED] * 3
    assert [str(step.why)[:15] for step in steps] == ["The bus does no", "MalformedEvent:", "bad"]
    functions.broken = True
    [step] = fed(stack, event("task-running"))
    assert (step.outcome, step.why) == (Outcome.FAILED, "Runtime.ExitError: it ended")


def test_an_unknown_container_is_ignored() -> None:
    """Without an item there is nothing to fold into, as in production."""
    stack, _ = deployed()
    [step] = fed(stack, event("task-running"))
    assert (step.outcome, step.why) == (Outcome.IGNORED, "no such container is recorded")
    assert stack.records() == {}


def test_an_adopted_container_gets_an_item() -> None:
    """It is as young as the replay, so that no timeout has passed; one that exists is left alone."""
    stack, _ = deployed(create=True)
    foreign = adopted(event("ignored-service-task"), stack.rule.prefix, cluster_arn=stack.rule.cluster_arn)
    first, second = fed(stack, foreign, foreign)
    assert (first.outcome, second.outcome) == (Outcome.MOVED, Outcome.IGNORED)
    [record] = stack.records().values()
    assert record.created_at == CLOCK.now()


def test_asynchronously_nothing_is_awaited() -> None:
    """As the bus does: invoked, and the answer is Lambda's own business."""
    stack, functions = deployed(pending(), wait=False)
    [step] = fed(stack, event("task-running"))
    assert step.outcome is Outcome.SENT
    assert json.loads(functions.sent[0]) == event("task-running")


def test_prefix_and_cluster_are_the_rule_s() -> None:
    """Nobody has to give what the deployed pattern says."""
    rule = read_rule("name", PATTERN)
    assert (rule.prefix, rule.cluster_arn) == ("sockerless", CLUSTER)


def options(*arguments: str) -> Any:
    import argparse

    parser = argparse.ArgumentParser()
    add_replay(parser.add_subparsers())
    return parser.parse_args(["replay", str(EVENTS / "task-running.json"), "--stack", *arguments])


def test_without_a_stack_it_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No local cloud, or one whose file says too little: told, with what to do."""
    layout = Layout(tmp_path)
    assert run(options(), layout) == 2
    assert "make up" in capsys.readouterr().err
    write_environment(layout.env, {"AWS_REGION": "us-east-1"})
    assert run(options(), layout) == 2
    assert "is not complete" in capsys.readouterr().err


def test_another_prefix_than_the_stack_s_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule would let none of them through."""
    layout = Layout(tmp_path)
    write_environment(layout.env, {"AWS_REGION": "us-east-1"})
    monkeypatch.setattr(command, "deployed", lambda *_, **__: deployed(pending())[0])
    assert run(options("--prefix", "green"), layout) == 2
    assert "The stack's prefix is sockerless, not green" in capsys.readouterr().err
    assert run(options("--json"), layout) == 0
    assert json.loads(capsys.readouterr().out)["steps"][0]["state"] == "eni-resolved"
