"""The parts of Docker mode that need no engine."""

from __future__ import annotations

import asyncio
import socket
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local.fargate import reasons
from local.fargate.engine import connection, images
from local.fargate.engine.connection import engine_url, ready
from local.fargate.engine.containers import Placement, configuration
from local.fargate.engine.ownership import OWNER, TASK, Ownership
from local.fargate.task import Container, NetworkInterface, Task

RUNC = 'OCI runtime create failed: runc create failed: unable to start container process: exec: "/a": permission denied'
PLACEMENT = Placement("sha256:1", {"TOKEN": "secret"}, (), "container:abc", {"owner": "me"})


def configured(override: dict[str, Any] | None = None, **definition: Any) -> dict[str, Any]:
    """The engine's configuration of this one container of a task of 512 MiB."""
    container = Container({"name": "main", "image": "any", **definition}, override or {}, "arn")
    task = Task(
        id="1", arn="arn", cluster_arn="cluster/default", definition={"family": "f", "memory": "512"},
        containers=[container], interface=NetworkInterface("subnet-1", "us-east-1"), availability_zone="us-east-1a",
    )  # fmt: skip
    return configuration(task, container, PLACEMENT)


@pytest.mark.parametrize("prefix", ["", "failed to create shim task: ", "failed to create task for container: "])
def test_a_refusal_of_runc_reads_as_on_fargate(prefix: str) -> None:
    """ECS's beginning of the sentence replaces the engine's."""
    assert reasons.cannot_start(f"{prefix}{RUNC}: unknown") == (
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: "
        f"failed to create shim task: {RUNC}: unknown"
    )


def test_another_refusal_keeps_its_words() -> None:
    """A refusal that is not runc's is passed on whole."""
    refusal = "unable to find user nobodyx: no matching entries in passwd file"
    assert reasons.cannot_start(refusal).endswith(f"unable to create new container: {refusal}")
    assert reasons.cannot_create("no command specified") == "CannotCreateContainerError: no command specified"


def test_what_a_definition_leaves_out_is_the_image_s() -> None:
    """No entry point, command, user or directory is sent unless the definition has one."""
    config = configured()
    assert not {"Entrypoint", "Cmd", "User", "WorkingDir", "Tty", "OpenStdin"} & config.keys()
    assert config["Image"] == "sha256:1"
    assert config["HostConfig"]["NetworkMode"] == "container:abc"


def test_members_of_a_definition_have_their_place() -> None:
    """Each member that the engine knows is passed on under the engine's name."""
    config = configured(
        entryPoint=["/agent"], command=["default"], user="1000", workingDirectory="/srv", pseudoTerminal=True,
        interactive=True, readonlyRootFilesystem=True,
        linuxParameters={"initProcessEnabled": True, "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}},
        ulimits=[{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
        override={"command": ["--", "mine"]},
    )  # fmt: skip
    host = config.pop("HostConfig")
    assert config == {
        "Entrypoint": ["/agent"], "Cmd": ["--", "mine"], "User": "1000", "WorkingDir": "/srv", "Tty": True,
        "OpenStdin": True, "Image": "sha256:1", "Env": ["TOKEN=secret"], "Labels": {"owner": "me"},
    }  # fmt: skip
    assert (host["ReadonlyRootfs"], host["Init"]) == (True, True)
    assert (host["CapAdd"], host["CapDrop"]) == (["SYS_PTRACE"], ["ALL"])
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 1, "Hard": 2}]


@pytest.mark.parametrize(
    ("definition", "override", "mib"),
    [({}, {}, 512), ({"memory": 256}, {}, 256), ({"memory": 256}, {"memory": 128}, 128)],
)
def test_memory_is_the_innermost_limit(definition: dict[str, Any], override: dict[str, Any], mib: int) -> None:
    """The memory limit is the override's, else the container's, else the task's."""
    assert configured(override, **definition)["HostConfig"]["Memory"] == mib * 1024**2


def test_a_placement_shows_no_environment() -> None:
    """The repr of a placement hides the environment, which has tokens."""
    assert "secret" not in repr(PLACEMENT)


def test_labels_follow_from_the_state_directory(tmp_path: Path) -> None:
    """One state directory always has the same labels, another has others; a task's include its owner's."""
    mine = Ownership(tmp_path)
    assert mine.labels() == Ownership(tmp_path).labels() != Ownership(tmp_path / "other").labels()
    assert mine.labels("1") == {OWNER: mine.id, TASK: "1"}
    assert mine.filters("1") == {"label": [f"{OWNER}={mine.id}", f"{TASK}=1"]}


def test_a_staged_image_is_the_base_image_with_files(tmp_path: Path) -> None:
    """The files are of root and keep their modes: 0644 stays not executable."""
    (tmp_path / "agent").write_text("x")
    (tmp_path / "agent").chmod(0o644)
    with tarfile.open(fileobj=images._context(tmp_path)) as tar:
        entry = tar.getmember("files/agent")
        dockerfile = tar.extractfile("Dockerfile")
        assert (entry.uid, entry.gid, entry.mode) == (0, 0, 0o644)
        assert dockerfile is not None
        assert dockerfile.read().decode().startswith(f"FROM {connection.BASE_IMAGE}\n")


def test_docker_host_goes_first() -> None:
    """DOCKER_HOST decides which engine is used."""
    assert engine_url({"DOCKER_HOST": "tcp://127.0.0.1:2375"}) == "tcp://127.0.0.1:2375"


@pytest.mark.parametrize("bound", [True, False])
def test_no_answer_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: bool) -> None:
    """Without a socket, or with one that refuses connections, there is no engine."""
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        if bound:
            listener.bind(str(path))
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        assert asyncio.run(ready()) is False
