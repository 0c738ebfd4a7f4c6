"""`sam local invoke` of every function, against a local cloud with real containers."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.model.state import State
from local import event_files
from local.cloud.environment import published_environment
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError, noted
from local.fargate.runtime import RuntimeName
from local.sam_local import image
from local.sam_local.invoke import FUNCTIONS, SamLocal, sam_local
from local.sam_local.script import Script
from tests.e2e.deployed import deployed
from tests.e2e.engine import docker
from tests.e2e.stack import HEALTH_TIMEOUT, Stack
from tests.e2e.test_up import ended, eventually, shell
from tests.e2e.test_z_secrets import of_overrides, tokens_in


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: its functions are not to do by themselves what is asked of the containers."""
    directory = tmp_path_factory.mktemp("cloud")
    with deployed(directory, runtime=RuntimeName.DOCKER, HealthTimeoutSeconds=HEALTH_TIMEOUT) as stack:
        yield stack


@pytest.fixture
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


@pytest.fixture
def command(own: Stack) -> list[str]:
    """One function, as at a shell: any that takes long enough to be interrupted."""
    options = ["--directory", str(own.cloud.layout.directory), "--event", "events/reconcile.json"]
    return [sys.executable, "-m", "local", "sam-local", "Reconcile", *options]


@pytest.fixture
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """It runs."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=shell(), stdout=pipe, stderr=pipe, text=True) as process:
        yield process
        process.terminate()


def functions(*which: str) -> str:
    """The containers of functions: they inherit the label of their image."""
    return docker("ps", "--all", "--quiet", "--filter", f"label={image.LABEL}", *which)


@pytest.mark.parametrize("state", ["created", "running"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_no_container(
    own: Stack, started: subprocess.Popen[str], number: signal.Signals, state: str
) -> None:
    """However far it has come; and nothing of it is noted or unpacked any more."""
    which = ("--filter", "status=running") if state == "running" else ()
    eventually(lambda: functions(*which), f"a function's container; see {own.cloud.layout.logs}")
    started.send_signal(number)
    done = ended(started)
    assert (done.returncode, done.stdout) == (130, ""), done
    assert functions() == ""
    assert {daemon.name for daemon in noted(own.cloud.layout.run)} == {"fargate", "ministack"}
    assert list(own.cloud.layout.scratch.glob("sam-local-*")) == []


def test_only_one_at_a_time(own: Stack, sam: SamLocal, command: list[str]) -> None:
    """The second is told so: both would show the same endpoints to their functions."""
    done = subprocess.run(command, cwd=ROOT, env=shell(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(
        f"Another sam-local uses the local cloud of {own.cloud.layout.directory}. What to do: wait for it or end it.\n"
    )


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    """Without a cloud in Docker mode there is no network that the functions could share with tasks."""
    with pytest.raises(CloudError, match="--runtime docker"), sam_local(Layout(tmp_path), {}, print):
        pass
