"""`sam local invoke` of every function with its file of `events/`, against a local cloud with real containers."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from core.model.state import State
from local.cloud.build import INVOKED
from local.cloud.environment import REGION, engine_environment
from local.cloud.sam import sam_environment, sam_program
from local.fargate.engine.network import network_name
from local.fargate.engine.ownership import Ownership
from local.fargate.runtime import RuntimeName
from tests import event_files
from tests.docker import lambda_image
from tests.e2e.artefacts import found
from tests.e2e.deployed import deployed
from tests.e2e.engine import docker
from tests.e2e.stack import HEALTH_TIMEOUT, Stack
from tests.e2e.test_z_secrets import of_overrides
from tests.template import load_template

CONTAINER: Final = event_files.container_id()


@dataclass(frozen=True, slots=True)
class Case:
    """One invocation: the task's status before it, what must be in the answer, and in the item afterwards.

    Names of the item are paths (`stop.code`); None stands for what is absent.
    """

    function: str
    file: str
    answer: Mapping[str, Any]
    item: Mapping[str, Any]
    status: str | None = None
    due: bool = field(default=False)
    """The record is due for a check by the reconciler."""


CASES: Final = (
    Case("StartContainer", "start-container", {"generation": 1, "state": "pending"}, {"agent_address": None}),
    Case("TaskState", "task-running", {"state": "eni-resolved"}, {"state": "eni-resolved"}, status="RUNNING"),
    Case("AgentHealth", "agent-health", {"batchItemFailures": []}, {"state": "agent-healthy"}),
    Case("StopContainer", "stop-container", {"state": "agent-healthy"}, {"stop.requested": True}),
    Case(
        "Reconcile",
        "reconcile",
        {"due": 1, "healed": 1, "errors": {}},
        {"state": "stopped", "stop.code": "UserInitiated", "agent_address": None},
        status="STOPPED",
        due=True,
    ),
)
"""The life of one container, in this order."""


class SamLocal:
    """`sam local invoke` for one stack, in containers of the look-alike image on the network of its tasks."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory
        self.said = ""

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """The answer of `<function>Function`."""
        layout = self._stack.cloud.layout
        file = self._directory / "event.json"
        file.write_text(json.dumps(event))
        arguments = [
            *(sam_program(), "local", "invoke", f"{function}Function"),
            *("--event", str(file)),
            *("--template-file", str(layout.sam / "build" / INVOKED)),
            *("--env-vars", str(layout.function_variables)),
            *("--invoke-image", lambda_image.IMAGE, "--skip-pull-image"),
            *("--docker-network", network_name(Ownership(layout.fargate))),
            *("--region", REGION),
        ]
        # SAM asks STS for the account. It unpacks the function into TMPDIR.
        extra = {"AWS_ENDPOINT_URL": self._stack.cloud.endpoint, "TMPDIR": str(self._directory), **engine_environment()}
        environment = sam_environment(extra)
        done = subprocess.run(
            arguments, env=environment, cwd=self._directory, capture_output=True, text=True, check=False, timeout=180
        )
        self.said += done.stdout + done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose deployed functions stay idle, on an address that containers reach."""
    lambda_image.build(tmp_path_factory.mktemp("image"))
    subnet = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}")
    host = str(ipaddress.ip_network(subnet)[1])  # this machine's own; engines do not always name it as the gateway
    directory = tmp_path_factory.mktemp("cloud")
    with deployed(directory, runtime=RuntimeName.DOCKER, host=host, HealthTimeoutSeconds=HEALTH_TIMEOUT) as stack:
        _silence(stack)
        yield stack


@pytest.fixture
def sam(own: Stack, tmp_path: Path) -> SamLocal:
    """`sam local invoke` for that stack."""
    return SamLocal(own, tmp_path)


def test_every_function_has_a_case() -> None:
    """Those of the template, each once."""
    resources = load_template()["Resources"].items()
    deployed = {name for name, one in resources if one["Type"] == "AWS::Serverless::Function"}
    assert sorted(f"{case.function}Function" for case in CASES) == sorted(deployed)


def test_every_function_with_its_file(own: Stack, sam: SamLocal) -> None:
    """The five of them, in containers, bring one real container from its start to its end; no token is printed."""
    for case in CASES:
        if case.status is not None:
            _wait_for(own, case.status)
        if case.due:
            _make_due(own)
        answer = sam.invoke(case.function, _event(own, case))
        assert case.answer.items() <= answer.items(), case
        item = own.item(CONTAINER)
        assert {path: _at(item, path) for path in case.item} == case.item, case
    record = own.record(CONTAINER)
    assert record is not None
    assert [step.to for step in record.history] == [
        State.TASK_RUNNING,
        State.ENI_RESOLVED,
        State.AGENT_HEALTHY,
        State.STOPPED,
    ]
    assert _task(own)["stop_code"] == "UserInitiated"
    [described] = own.ecs.describe_tasks(tasks=[_task(own)["arn"]])["tasks"]
    tokens = set(of_overrides(described["overrides"]))
    assert tokens
    assert found({"sam local": sam.said}, tokens) == {}


def test_a_function_that_fails_says_why(sam: SamLocal) -> None:
    """What it raised is its answer."""
    assert sam.invoke("TaskState", event_files.read("malformed-empty-detail"))["errorType"] == "MalformedEvent"


def _silence(stack: Stack) -> None:
    """The deployed functions would do the same as those in containers, a little earlier."""
    for mapping in stack.functions.list_event_source_mappings()["EventSourceMappings"]:
        stack.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    schedules = stack.cloud.client("scheduler")
    for summary in schedules.list_schedules()["Schedules"]:
        shown = schedules.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
        members = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
        schedules.update_schedule(**{name: shown[name] for name in members}, State="DISABLED")
    stack.fargate.fault(CONTAINER, "events", drop=1.0)


def _event(stack: Stack, case: Case) -> dict[str, Any]:
    """The file; about the task that really runs, once there is one."""
    if not stack.tasks(CONTAINER):
        return event_files.read(case.file)
    task = _task(stack)
    return event_files.for_task(case.file, container=CONTAINER, task_arn=task["arn"], address=task["address"])


def _wait_for(stack: Stack, status: str) -> None:
    stack.eventually(lambda: _task(stack)["last_status"] == status, lambda: f"the task is {status}")


def _task(stack: Stack) -> dict[str, Any]:
    [task] = stack.tasks(CONTAINER)
    return task


def _make_due(stack: Stack) -> None:
    record = stack.record(CONTAINER)
    assert record is not None
    stack.store.save(replace(record, revision=record.revision + 1, check_at=datetime.now(UTC)))


def _at(item: Mapping[str, Any] | None, path: str) -> Any:
    value: Any = item
    for name in path.split("."):
        value = (value or {}).get(name)
    return value
