"""What Docker mode leaves in the engine: nothing, however it ends, and it touches nothing else."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud.environment import engine_environment, isolated_environment
from local.cloud.layout import ROOT
from local.cloud.processes import LOOPBACK, Command, Daemon, free_port, spawn
from local.fargate.client import LocalFargate
from local.fargate.engine.connection import BASE_IMAGE, connected
from local.fargate.engine.network import network_name
from local.fargate.engine.ownership import Ownership, remove_containers, remove_leftovers
from local.fargate.runtime import RuntimeName
from local.fargate.state_directory import engine_marker
from tests.docker.definitions import container, mount, with_volume
from tests.e2e.engine import NOTHING, attached, docker, inspected, owned
from tests.unit.local.fargate.harness import LocalServer, ecs_client, request, until

LONG = with_volume(container("sleep", "3600", image="staged/image:1", mountPoints=mount("/v")))


def stage(state_dir: Path) -> None:
    """An image that is made of a directory, so that there is one to remove."""
    directory = state_dir / "images" / "staged_image_1"
    directory.mkdir(parents=True)
    (directory / "file").write_text("")


def test_a_stopped_task_leaves_nothing(tmp_path: Path) -> None:
    """With STOPPED its containers and volumes are gone; the network and images go with the server."""
    with LocalServer(tmp_path, runtime=RuntimeName.DOCKER) as server:
        stage(tmp_path)
        task = server.run(LONG)
        server.task_when(task["taskArn"], "RUNNING")
        held = owned(tmp_path)
        assert {kind: len(ids) for kind, ids in held.items()} == {"container": 2, "network": 1, "volume": 1, "image": 1}
        server.ecs.stop_task(task=task["taskArn"])
        server.task_when(task["taskArn"], "STOPPED")
        assert owned(tmp_path) == {**held, "container": [], "volume": []}
    assert owned(tmp_path) == NOTHING
    assert not engine_marker(tmp_path).exists()


def test_the_end_of_the_server_ends_running_tasks(tmp_path: Path) -> None:
    """Running containers are killed and removed."""
    with LocalServer(tmp_path, runtime=RuntimeName.DOCKER) as server:
        stage(tmp_path)
        server.task_when(server.run(LONG)["taskArn"], "RUNNING")
    assert owned(tmp_path) == NOTHING


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The state directory of a local Fargate that was killed while a task ran."""
    stage(tmp_path)
    port = free_port()
    arguments = ["--port", str(port), "--state-dir", str(tmp_path), "--runtime", RuntimeName.DOCKER]
    command = Command(
        [sys.executable, "-m", "local.fargate", *arguments],
        isolated_environment({"PYTHONPATH": str(ROOT / "src"), **engine_environment()}),
        cwd=ROOT,
        log=tmp_path / "fargate.log",
    )
    daemon: Daemon = spawn("fargate", command, tmp_path / "run")
    try:
        daemon.wait_until_ready(LOOPBACK, port, "/_local/health", 20)
        ecs = ecs_client(f"http://127.0.0.1:{port}")
        ecs.register_task_definition(**LONG)
        ecs.run_task(**request(LONG["family"]))
        local = LocalFargate(f"http://127.0.0.1:{port}")
        until(lambda: [task for task in local.tasks() if task["last_status"] == "RUNNING"])
    finally:
        subprocess.run(["kill", "-s", signal.SIGKILL.name.removeprefix("SIG"), str(daemon.pid)], check=True)
        daemon.stop()
    assert owned(tmp_path)["container"]
    return tmp_path


def test_what_a_killed_server_left_is_removed(killed: Path) -> None:
    """`make down` removes it: the mark says that there is something to remove."""
    assert engine_marker(killed).exists()
    remove_leftovers(killed)
    assert owned(killed) == NOTHING
    assert not engine_marker(killed).exists()


def test_containers_that_are_being_removed_are_waited_for(killed: Path) -> None:
    """As a killed local Fargate leaves them to the engine: they keep the network until they are gone."""
    ownership = Ownership(killed)

    async def remove() -> None:
        async with connected() as engine:
            others = [remove_containers(engine, ownership.filters()) for _ in range(3)]
            await asyncio.gather(*others, ownership.remove_everything(engine))

    asyncio.run(remove())
    assert owned(killed) == NOTHING


def test_what_others_attached_goes_with_the_network(killed: Path) -> None:
    """A function of `sam local invoke` has no label of ours; it would keep the network, running or not."""
    network = network_name(Ownership(killed))
    docker("run", "--detach", "--network", network, BASE_IMAGE, "sleep", "600")
    docker("create", "--network", network, BASE_IMAGE, "true")
    assert len(attached(killed)) == 3  # with the task's own namespace
    remove_leftovers(killed)
    assert (owned(killed), attached(killed)) == (NOTHING, [])


def test_the_next_server_removes_what_a_killed_one_left(killed: Path) -> None:
    """A successor with the same state directory begins with nothing but its own network."""
    before = owned(killed)
    with LocalServer(killed, runtime=RuntimeName.DOCKER):
        after = owned(killed)
        assert (after["container"], after["volume"], len(after["network"])) == ([], [], 1)
        assert after["network"] != before["network"]


def test_containers_of_others_are_left_alone(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither those without labels nor those of another local Fargate are touched."""
    stranger = docker("run", "--detach", "--rm", BASE_IMAGE, "sleep", "600")
    try:
        other = tmp_path_factory.mktemp("other")
        with LocalServer(other, runtime=RuntimeName.DOCKER) as neighbour:
            stage(other)
            task = neighbour.run(LONG)
            neighbour.task_when(task["taskArn"], "RUNNING")
            before = owned(other)
            with LocalServer(tmp_path, runtime=RuntimeName.DOCKER):
                pass
            remove_leftovers(tmp_path)
            assert owned(other) == before
        assert inspected(stranger)["State"]["Running"]
    finally:
        docker("rm", "--force", stranger)
