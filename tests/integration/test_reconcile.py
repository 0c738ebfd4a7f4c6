"""ReconcileFunction: what was lost is done again, and what nobody wants goes. Its files are in `events/`."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.control.retire_definitions import PAUSE
from core.model.errors import CallFailed, MalformedEvent
from core.model.failure import ErrorCode
from core.model.state import State
from tests.factories import CONTAINER_ID, event
from tests.integration.account import HOST, Account
from tests.integration.agents import agent_of
from tests.integration.refusals import refused, throttled
from tests.moto_aws import ecs_backend, task_of
from tests.records import resolved
from tests.unit.local.ports import free_port

OTHER = "0" * 63 + "1"
IDLE = {"due": 0, "healed": 0, "oldest_due_seconds": 0.0, "errors": {}, "stopped": None}


def long_ago(account: Account) -> datetime:
    return account.record().created_at - timedelta(days=2)


def test_nothing_due_is_an_answer(account: Account) -> None:
    """A container that was just started is left alone."""
    account.started()
    assert account.reconcile(event("reconcile")) == IDLE


def test_a_lost_event_is_made_up_for(account: Account) -> None:
    """ECS is asked, the probe is sent, and the container is reached as if the event had come."""
    task = account.started()
    account.falls_due(long_ago(account))
    assert account.reconcile(event("reconcile")) | {"oldest_due_seconds": 0.0} == IDLE | {"due": 1, "healed": 1}
    assert account.record().state is State.ENI_RESOLVED
    with agent_of(task):
        assert account.agent_health(account.probes()) == {"batchItemFailures": []}
    assert account.record().state is State.AGENT_HEALTHY


def test_a_start_that_died_before_its_answer_is_adopted(account: Account) -> None:
    """The task carries startedBy: the record that lost its ARN finds it."""
    task = account.started()
    record = account.record()
    account.forgets(CONTAINER_ID)
    account.put(replace(record, task_arn=None, task_definition_arn=None, check_at=record.created_at))
    assert account.reconcile(event("reconcile"))["errors"] == {}
    assert account.record().task_arn == task


def test_a_stop_that_ecs_did_not_take_is_made_again(account: Account) -> None:
    """It is in the record first, so it outlives the function's error."""
    task = account.started()
    with (
        refused("stop_task", "ClientException", "not now", times=1),
        pytest.raises(CallFailed, match="StopTask failed with ClientException"),
    ):
        account.stop(event("stop-container"))
    assert task_of(task).desired_status == "RUNNING"
    account.falls_due(long_ago(account))
    assert account.reconcile(event("reconcile"))["errors"] == {}
    assert task_of(task).desired_status == "STOPPED"


def test_a_throttled_run_leaves_the_rest_for_the_next(account: Account) -> None:
    """No call is repeated: the rate belongs to the starts. What was due stays due."""
    account.started()
    account.falls_due(long_ago(account))
    with throttled("describe_tasks"):
        report = account.reconcile(event("reconcile"))
    assert (report["errors"], report["healed"]) == ({"CallFailed": 1}, 0)
    assert account.reconcile(event("reconcile"))["healed"] == 1


def test_a_silent_agent_ends_its_container(aws: None) -> None:
    """The prober writes the silence and the table's stream brings it here: the container fails, its task is stopped."""
    account = Account(AgentPort=str(free_port(HOST)), HealthTimeoutSeconds="1")
    task = account.started()
    account.told("task-running", task)
    assert account.agent_health(account.probes()) == {"batchItemFailures": []}
    assert account.record().state is State.ENI_RESOLVED
    assert account.reconcile(event("reconcile-silence"))["healed"] == 1
    error = account.record().error
    assert error is not None
    assert error.code is ErrorCode.AGENT_UNREACHABLE
    assert f"{HOST}:{account.port}" in error.message
    assert task_of(task).desired_status == "STOPPED"


def test_what_a_prober_could_only_log_is_noted(account: Account) -> None:
    """A delivery of CloudWatch Logs: the item says why nothing answers, and the probe stays pending."""
    account.put(resolved())
    assert account.reconcile(event("reconcile-probe-aborted")) == {"noted": 1, "errors": 0}
    probe = account.record().probe
    assert probe is not None
    assert "ConnectTimeoutError" in (probe.last_error or "")


def test_a_leaked_task_is_stopped(account: Account) -> None:
    """Of a container that is not recorded; a task that is wanted, and one of others, run on."""
    wanted = account.started()
    leaked = account.started(container_id=OTHER)
    account.forgets(OTHER)
    for task in (wanted, leaked):
        task_of(task).created_at -= timedelta(hours=1)
    report = account.reconcile(event("reconcile-leaks"))
    assert report == {"listed": 2, "ours": 2, "leaked": 1, "parameters": 0, "errors": {}, "stopped": None}
    assert (task_of(wanted).desired_status, task_of(leaked).desired_status) == ("RUNNING", "STOPPED")
    assert account.reconcile(event("reconcile-leaks"))["leaked"] == 0


def test_unused_definitions_go(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that are days old, the one of a container that lives stays, and ECS deletes the other, unhurriedly."""
    living = account.started(container_id=OTHER, image="debian:bookworm")
    account.falls_due(account.record(OTHER).created_at, OTHER)
    account.reconcile(event("reconcile"))
    needed = task_of(living).task_definition_arn
    unused = account.started()
    account.ecs.stop_task(cluster=account.cluster, task=unused)
    account.forgets(CONTAINER_ID)
    for revisions in ecs_backend().task_definitions.values():
        for definition in revisions.values():
            definition.registered_at -= timedelta(days=2)  # type: ignore[attr-defined]  # given by tests.moto_aws
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)

    report = account.reconcile(event("reconcile-definitions"))

    assert report | {"errors": {}} == report
    assert (report["families"], report["needed"], report["deregistered"], report["deleted"]) == (2, 1, 1, 1)
    [pause] = slept
    assert 0 < pause <= PAUSE
    assert account.ecs.list_task_definitions()["taskDefinitionArns"] == [needed]
    assert account.ecs.list_task_definitions(status="INACTIVE")["taskDefinitionArns"] == []


def test_a_job_that_does_not_exist_is_an_error(account: Account) -> None:
    """A schedule that asks for it is wrong, and says so."""
    with pytest.raises(MalformedEvent, match="no job 'sweep'"):
        account.reconcile({"job": "sweep"})
