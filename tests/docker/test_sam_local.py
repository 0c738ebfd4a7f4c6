"""`sam local invoke` of every function, against a local cloud with real containers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.lifecycle import State
from local import event_files
from local.cloud.environment import published_environment
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.fargate.runtime import RuntimeName
from local.sam_local.invoke import FUNCTIONS, SamLocal, sam_local
from local.sam_local.script import Script
from tests.e2e.deployed import deployed
from tests.e2e.stack import HEALTH_TIMEOUT, Stack
from tests.e2e.test_z_secrets import of_overrides, tokens_in


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: its functions are not to do by themselves what is asked of the containers."""
    directory = tmp_path_factory.mktemp("cloud")
    with deployed(directory, runtime=RuntimeName.DOCKER, HealthTimeoutSeconds=HEALTH_TIMEOUT) as stack:
        yield stack


@pytest.fixture(scope="module")
def sam(own: Stack) -> Iterator[SamLocal]:
    """`sam local invoke` for that stack."""
    cloud = own.cloud
    environ = published_environment(cloud.endpoint, cloud.ecs_endpoint, cloud.outputs)
    with sam_local(cloud.layout, environ, print) as sam:
        yield sam


def test_every_function_with_its_file(own: Stack, sam: SamLocal) -> None:
    """The five of them, in containers, bring one real container from its start to its end; no token is printed."""
    lines: list[str] = []
    container = event_files.container_id()
    Script(own.cloud, sam, lines.append).play()
    record = own.record(container)
    assert record is not None
    assert [step.to for step in record.history] == [
        State.TASK_RUNNING,
        State.ENI_RESOLVED,
        State.AGENT_HEALTHY,
        State.STOPPED,
    ]
    [task] = own.tasks(container)
    assert task["stop_code"] == "UserInitiated"
    said = "\n".join([*lines, *(sam.log(function).read_text() for function in FUNCTIONS)])
    [described] = own.ecs.describe_tasks(tasks=[task["arn"]])["tasks"]
    tokens = set(of_overrides(described["overrides"]))
    assert tokens
    assert tokens_in(said, tokens) == []


def test_a_function_that_fails_is_told_with_its_log(sam: SamLocal) -> None:
    """What it raised, and where its log is."""
    with pytest.raises(CloudError, match=r"(?s)MalformedEvent.*sam-local-TaskState\.log"):
        sam.invoke("TaskState", event_files.read("malformed-empty-detail"))


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    """Without a cloud in Docker mode there is no network that the functions could share with tasks."""
    with pytest.raises(CloudError, match="--runtime docker"), sam_local(Layout(tmp_path), {}, print):
        pass
