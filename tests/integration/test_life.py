"""One container's life through all the functions, told by the files of `events/`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.adapters.clients import reach_client
from core.adapters.start_times import DynamoStartTimes
from core.client import ReachClient
from core.machine.early_probe import early, learnt
from core.model.errors import MalformedEvent
from core.model.state import State
from tests.docker_payloads.record import HERE
from tests.factories import CONTAINER_ID, event
from tests.integration.account import HOST, TABLE, Account
from tests.integration.agents import agent_of
from tests.moto_aws import task_of
from tests.unit.local.ports import free_port

DONE: dict[str, Any] = {"batchItemFailures": []}


def backend(account: Account) -> ReachClient:
    return reach_client(TABLE, account.dynamodb)


def answer(state: str, **more: Any) -> dict[str, Any]:
    """A function's answer about the container of the files (contract.md 4)."""
    return {"container_id": CONTAINER_ID, "generation": 1, "state": state, **more}


def test_a_container_is_started_reached_and_stopped(account: Account) -> None:
    """Each file goes on where the one before it stopped, and the backend reads it from the table."""
    started = account.start(event("start-container"))
    task = started["task_arn"]
    assert started == answer("pending", task_arn=task, task_definition_arn=task_of(task).task_definition_arn)

    with agent_of(task):
        running = account.told("task-running", task)
        assert running == answer("eni-resolved", revision=running["revision"])
        assert account.agent_health(account.probes()) == DONE
        agent = backend(account).wait_until_healthy(CONTAINER_ID, timeout=0)
    assert agent.address.startswith(f"{HOST}:")
    assert agent.token == account.record().agent_token

    assert account.start(event("start-container"))["error"]["code"] == "AlreadyRunning"
    assert "not newer" in account.told("task-running", task)["ignored"]
    assert account.stop(event("stop-container")) == answer("agent-healthy")
    assert (task_of(task).desired_status, task_of(task).stopped_reason) == ("STOPPED", "the backend asked for it")
    assert account.told("task-stopped-by-user", task)["state"] == "stopped"
    assert account.stop(event("stop-container")) == answer("stopped")
    assert backend(account).inspect(CONTAINER_ID)["exit_code"] == 143


@pytest.mark.usefixtures("aws")
def test_with_early_probes_a_start_teaches_the_next_one() -> None:
    """PENDING brings no probe while no start is known; the answer to RUNNING's is written down, as the roles allow."""
    account = Account(AgentPort=str(free_port(HOST)), EarlyProbe="on")
    task = account.started()
    with agent_of(task):
        assert account.told("ignored-pending", task)["state"] == "pending"
        assert account.record().early_address == f"{HOST}:{account.port}"
        assert account.probes()["Records"] == []
        account.told("task-running", task)
        assert account.agent_health(account.probes()) == DONE
    record = account.record()
    assert record.state is State.AGENT_HEALTHY
    usual = DynamoStartTimes(TABLE, account.dynamodb).usual(early(record).family)
    assert usual == pytest.approx(learnt(None, record), abs=0.1)


def test_a_container_ends_by_itself(account: Account) -> None:
    """Its exit is known before its task has stopped, and the address of a dead task is gone at once."""
    task = account.started()
    account.told("task-running", task)
    assert account.record().agent_address is not None
    assert account.told("task-deprovisioning", task)["state"] == "stopped"
    assert account.record().agent_address is None
    account.told("task-stopped", task)
    assert backend(account).inspect(CONTAINER_ID)["exit_code"] == 0
    assert account.agent_health(account.probes()) == DONE, "a probe of a container that has ended is over"
    assert account.record().state is State.STOPPED


def test_a_container_that_only_waits_is_reached(account: Account) -> None:
    """`tail -f /dev/null`: the agent runs alone, and says that it is there."""
    started = account.start(event("start-container-keep-alive"))
    container_id = started["container_id"]
    account.shows(started["task_arn"])
    [main] = task_of(started["task_arn"]).overrides["containerOverrides"]
    assert main["command"] == ["--keep-alive", "--"]
    with agent_of(started["task_arn"]):
        # No event comes: the reconciler sees the task, and asks for the probe.
        account.falls_due(account.record(container_id).created_at, container_id)
        assert account.reconcile(event("reconcile"))["healed"] == 1
        assert account.agent_health(account.probes()) == DONE
    record = account.record(container_id)
    assert (record.state, record.keep_alive) == (State.AGENT_HEALTHY, True)


def test_a_container_starts_from_dockers_words(account: Account) -> None:
    """The body that the Docker CLI sends becomes a definition and overrides; the last value of a variable counts."""
    request = event("start-container-docker")
    recorded = json.loads((HERE / "docker_cli.json").read_text())
    assert request["docker"] in [one["body"] for one in recorded]
    started = account.start(request)
    assert started["state"] == "pending"
    [main] = task_of(started["task_arn"]).overrides["containerOverrides"]
    given = {one["name"]: one["value"] for one in main["environment"] if not one["name"].startswith("SOCKERLESS_")}
    assert main["command"] == ["--", "env"]
    assert given == {"APP_ENV": "test", "EMPTY": "", "SPACED": "a b", "FROM_THE_SHELL": "yes"}
    definition = account.ecs.describe_task_definition(taskDefinition=started["task_definition_arn"])["taskDefinition"]
    assert "alpine" in {one["image"] for one in definition["containerDefinitions"]}
    assert account.record(request["container_id"]).cmd == ("env",)


@pytest.mark.parametrize(
    ("host", "path"), [({"Privileged": True}, "Privileged"), ({"Binds": ["/srv:/srv"]}, "Binds[0]")]
)
def test_what_fargate_cannot_do_is_refused_in_dockers_words(account: Account, host: dict[str, Any], path: str) -> None:
    """Nothing is written or started."""
    request = event("start-container-docker")
    request["docker"]["HostConfig"] |= host
    error = account.start(request)["error"]
    assert error["code"] == "InvalidRequest"
    assert f"docker.HostConfig.{path}: " in error["message"]
    assert account.dynamodb.scan(TableName=TABLE)["Items"] == []


def test_a_stopped_container_starts_again(account: Account) -> None:
    """A new generation with a task and a token of its own; what the old task still tells changes nothing."""
    first = account.started()
    account.told("task-stopped", first)
    old = account.record()
    second = account.started()
    record = account.record()
    assert (record.generation, record.state, record.task_arn) == (2, State.PENDING, None)
    assert second != first
    assert record.agent_token != old.agent_token
    assert "ignored" in account.told("task-running", first)
    assert account.record() == record
    account.falls_due(record.created_at)
    account.reconcile(event("reconcile"))
    assert account.record().task_arn == second


def test_a_reported_exit_stops_the_container_with_its_code(account: Account) -> None:
    """The backend saw the end of the process; the agent that stays is stopped, and its own code is not taken."""
    task = account.started()
    account.told("task-running", task)
    assert account.stop(event("stop-container-exited"))["state"] == "stopped"
    record = account.record()
    assert record.stop is not None
    assert (record.stop.exit_code, record.agent_address, record.agent_token) == (7, None, None)
    [shown] = account.ecs.describe_tasks(cluster="default", tasks=[task])["tasks"]
    assert shown["desiredStatus"] == "STOPPED"


@pytest.mark.parametrize(
    ("function", "name", "code"),
    [
        ("start", "start-container-refused", "InvalidRequest"),
        ("stop", "stop-container-unknown", "NotFound"),
        ("stop", "stop-container-exited", "NotFound"),
    ],
)
def test_a_refusal_is_an_answer(account: Account, function: str, name: str, code: str) -> None:
    """With the shape of the item's error, and nothing is written or started."""
    error = getattr(account, function)(event(name))["error"]
    assert error["code"] == code
    assert error.keys() >= {"code", "message", "remedy", "transient"}
    assert account.dynamodb.scan(TableName=TABLE)["Items"] == []
    assert account.ecs.list_tasks(cluster="default")["taskArns"] == []


def test_a_message_that_is_no_probe_fails_alone(account: Account) -> None:
    """The other one of its batch is settled; SQS delivers this one again."""
    task = account.started()
    account.told("task-running", task)
    batch = account.probe_of("agent-health-malformed")
    with agent_of(task):
        failures = account.agent_health(batch)["batchItemFailures"]
    assert failures == [{"itemIdentifier": batch["Records"][1]["messageId"]}]
    assert account.record().state is State.AGENT_HEALTHY


@pytest.mark.parametrize("name", ["malformed-empty-detail", "malformed-without-task-arn", "malformed-without-version"])
def test_an_event_that_says_nothing_is_an_error(account: Account, name: str) -> None:
    """Lambda retries it, and keeps it in the dead-letter queue."""
    with pytest.raises(MalformedEvent):
        account.task_state(event(name))


@pytest.mark.parametrize("name", ["ignored-service-task", "ignored-without-started-by", "ignored-other-prefix"])
def test_a_task_of_others_is_left_alone(account: Account, name: str) -> None:
    """Should the rule let it through, the function does not."""
    assert account.task_state(event(name)).keys() == {"ignored"}
    assert account.dynamodb.scan(TableName=TABLE)["Items"] == []
