"""What the engine makes of a task definition: one test for each member that the local Fargate honours."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.docker.definitions import container, mount, one, with_volume
from tests.docker.registry import FILE, REPOSITORY, TAG, registry
from tests.e2e.engine import inspected
from tests.unit.local.fargate.harness import LocalServer, address_of, definition, until


def ended(server: LocalServer, wanted: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """The task, once it has stopped."""
    task = server.run(wanted, **parameters)
    return server.task_when(task["taskArn"], "STOPPED")


def named(task: dict[str, Any], name: str) -> dict[str, Any]:
    """One container of a task."""
    found: dict[str, Any] = next(each for each in task["containers"] if each["name"] == name)
    return found


def printed(server: LocalServer, wanted: dict[str, Any], name: str = "main", **parameters: Any) -> str:
    """What a container has printed by its end, which must be 0."""
    task = ended(server, wanted, **parameters)
    log = server.log(task, name)
    assert named(task, name)["exitCode"] == 0, log
    return log


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_exit_code(server: LocalServer, code: int) -> None:
    """The exit code of the main process is the container's."""
    task = ended(server, one("sh", "-c", f"exit {code}"))
    assert (named(task, "main")["exitCode"], task["stopCode"]) == (code, "EssentialContainerExited")


def test_a_killed_container_exits_with_137(server: LocalServer) -> None:
    """SIGKILL from outside ends the container with 128 + 9, and everything it started with it."""
    task = server.run(one("sh", "-c", "sleep 3600 & echo started; wait"))
    server.task_when(task["taskArn"], "RUNNING")
    until(lambda: server.log(task, "main"))
    server.local.kill(task["taskArn"])
    assert named(server.task_when(task["taskArn"], "STOPPED"), "main")["exitCode"] == 137


def test_stop_is_sigterm_first(server: LocalServer) -> None:
    """A container that obeys SIGTERM ends with its own exit code."""
    task = server.run(one("sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done", stopTimeout=30))
    server.task_when(task["taskArn"], "RUNNING")
    until(lambda: server.log(task, "main"))
    server.ecs.stop_task(task=task["taskArn"])
    stopped = server.task_when(task["taskArn"], "STOPPED")
    assert (named(stopped, "main")["exitCode"], stopped["stopCode"]) == (5, "UserInitiated")


def test_stop_is_sigkill_after_stop_timeout(server: LocalServer) -> None:
    """One that ignores SIGTERM is killed when its stopTimeout is over, not before."""
    command = "trap 'echo heard' TERM; echo ready; while :; do sleep 0.1; done"
    task = server.run(one("sh", "-c", command, stopTimeout=2))
    server.task_when(task["taskArn"], "RUNNING")
    until(lambda: server.log(task, "main"))
    server.ecs.stop_task(task=task["taskArn"])
    stopped = server.task_when(task["taskArn"], "STOPPED")
    assert named(stopped, "main")["exitCode"] == 137
    assert server.log(task, "main") == "ready\nheard\n"
    assert (stopped["executionStoppedAt"] - stopped["stoppingAt"]).total_seconds() >= 2


def test_entry_point_command_and_environment(server: LocalServer) -> None:
    """entryPoint stays, command and environment give way to their overrides, variable by variable."""
    wanted = one(
        "default", entryPoint=["sh", "-c", 'echo "$0 $A $B $AWS_EXECUTION_ENV"'],
        environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    )  # fmt: skip
    assert printed(server, wanted) == "default 1 2 AWS_ECS_FARGATE\n"
    override = {"name": "main", "command": ["other"], "environment": [{"name": "B", "value": "3"}]}
    assert printed(server, wanted, overrides={"containerOverrides": [override]}) == "other 1 3 AWS_ECS_FARGATE\n"


def test_user_and_working_directory(server: LocalServer) -> None:
    """Both are the definition's; a directory that the image lacks is made."""
    assert (
        printed(server, one("sh", "-c", "id -u; pwd", user="1000", workingDirectory="/srv/app")) == "1000\n/srv/app\n"
    )


def test_containers_share_one_address(server: LocalServer) -> None:
    """The containers of a task meet on loopback, and this machine reaches them at the task's address."""
    listen = "import socket; s = socket.create_server(('127.0.0.1', 8000)); s.accept()[0].sendall(b'met')"
    connect = "until exec 3<>/dev/tcp/127.0.0.1/8000; do sleep 0.05; done; cat <&3; hostname -I"
    task = ended(
        server,
        definition(
            container("python3", "-c", listen, name="side", essential=False),
            container("bash", "-c", connect, dependsOn=[{"containerName": "side", "condition": "START"}]),
        ),
    )
    met, _, addresses = server.log(task, "main").partition("met")
    assert named(task, "main")["exitCode"] == 0
    assert addresses.split() == [address_of(task)], met


@pytest.mark.parametrize(
    ("condition", "code", "runs"), [("COMPLETE", 3, True), ("SUCCESS", 0, True), ("SUCCESS", 3, False)]
)
def test_depends_on(server: LocalServer, condition: str, code: int, runs: bool) -> None:
    """COMPLETE waits for the end, SUCCESS for a good end; where it was bad, `main` is never started."""
    task = ended(
        server,
        with_volume(
            container("sh", "-c", f"echo written > /v/file; exit {code}", name="first", essential=False,
                      mountPoints=mount("/v")),
            container("cat", "/v/file", mountPoints=mount("/v", read_only=True),
                      dependsOn=[{"containerName": "first", "condition": condition}]),
        ),
    )  # fmt: skip
    assert named(task, "first")["exitCode"] == code
    assert server.log(task, "main") == ("written\n" if runs else "")
    assert task["stopCode"] == ("EssentialContainerExited" if runs else "TaskFailedToStart")
    assert ("startedAt" in task) is runs
    if not runs:
        assert "dependency [first]" in named(task, "main")["reason"]


def test_the_task_goes_on_without_a_container_that_is_not_essential(server: LocalServer) -> None:
    """Only the end of an essential container ends the task."""
    side = container("sh", "-c", "exit 4", name="side", essential=False)
    task = server.run(definition(side, container("sleep", "3600")))
    server.task_when(task["taskArn"], "RUNNING")
    until(lambda: not inspected(f"{task['taskArn'].rpartition('/')[2]}-side")["State"]["Running"])
    assert server.task(task["taskArn"])["desiredStatus"] == "RUNNING"
    server.ecs.stop_task(task=task["taskArn"])
    stopped = server.task_when(task["taskArn"], "STOPPED")
    assert named(stopped, "side")["exitCode"] == 4


@pytest.mark.parametrize("efs", [True, False], ids=["efs", "ephemeral"])
def test_the_engine_enforces_read_only_mounts(server: LocalServer, efs: bool) -> None:
    """Whatever command writes, root or not, the kernel refuses."""
    server.efs_file("fs-0123456789abcdef0", "fsap-0123456789abcdef0", "kept", "")
    writing = container("python3", "-c", "open('/v/new', 'w')", mountPoints=mount("/v", read_only=True))
    task = ended(server, with_volume(writing, efs=efs))
    assert named(task, "main")["exitCode"] == 1
    assert "Read-only file system: '/v/new'" in server.log(task, "main")


def test_efs_is_a_directory_of_this_machine(server: LocalServer) -> None:
    """What is on the access point is in the container, and what the container writes outlives the task."""
    file = server.efs_file("fs-0123456789abcdef0", "fsap-0123456789abcdef0", "greeting", "hello")
    command = container("sh", "-c", "cat /v/greeting; echo back > /v/answer", mountPoints=mount("/v"))
    assert printed(server, with_volume(command, efs=True)) == "hello"
    assert file.with_name("answer").read_text() == "back\n"


def test_out_of_memory(server: LocalServer) -> None:
    """A container over its hard limit is killed, and ECS says what for."""
    task = ended(server, one("python3", "-c", "b'x' * 200_000_000", memory=64))
    main = named(task, "main")
    assert (main["exitCode"], main["reason"]) == (137, "OutOfMemoryError: Container killed due to memory usage")


def test_an_image_that_the_engine_lacks_is_pulled(server: LocalServer) -> None:
    """What is missing comes from its registry; that its program cannot be executed shows that it has come."""
    with registry() as host:
        image = f"{host}/{REPOSITORY}:{TAG}"
        task = ended(server, one(f"/{FILE}", image=image))
        subprocess.run(["docker", "image", "rm", image], check=True, capture_output=True)
    [main] = task["containers"]
    assert f'exec: "/{FILE}": permission denied' in main["reason"]
    assert task["pullStoppedAt"]


def test_an_image_that_its_registry_does_not_know_cannot_be_pulled(server: LocalServer) -> None:
    """The registry's own words are ECS's reason."""
    with registry() as host:
        task = ended(server, one("true", image=f"{host}/{REPOSITORY}:2.0"))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "manifest unknown" in task["stoppedReason"]


def test_ulimit_of_open_files(server: LocalServer) -> None:
    """Soft and hard limit are the definition's."""
    main = one("sh", "-c", "ulimit -Sn; ulimit -Hn", ulimits=[{"name": "nofile", "softLimit": 20, "hardLimit": 40}])
    task = ended(server, main)
    assert server.log(task, "main") == "20\n40\n"


def test_memory_and_labels(server: LocalServer) -> None:
    """The task's memory is the limit of a container without one of its own, and there is no swap."""
    task = server.run(one("sleep", "3600"))
    server.task_when(task["taskArn"], "RUNNING")
    host = inspected(f"{task['taskArn'].rpartition('/')[2]}-main")["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (512 * 1024**2, 512 * 1024**2)
    server.ecs.stop_task(task=task["taskArn"])
    server.task_when(task["taskArn"], "STOPPED")


def test_a_read_only_root(server: LocalServer) -> None:
    """The kernel refuses every write to the root file system; a volume stays as it is mounted."""
    writing = container("sh", "-c", "echo x > /v/file && echo kept; echo x > /file", mountPoints=mount("/v"),
                        readonlyRootFilesystem=True)  # fmt: skip
    task = ended(server, with_volume(writing))
    assert "kept" in server.log(task, "main")
    assert "Read-only file system" in server.log(task, "main")
    assert named(task, "main")["exitCode"] != 0


@pytest.mark.parametrize("added", [True, False])
def test_sys_ptrace(server: LocalServer, added: bool) -> None:
    """The main process has the capability, number 19, when the definition adds it."""
    parameters = {"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}}} if added else {}
    (line,) = printed(server, one("grep", "CapEff", "/proc/self/status", **parameters)).splitlines()
    assert bool(int(line.split()[1], 16) >> 19 & 1) is added
