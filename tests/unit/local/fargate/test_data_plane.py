from __future__ import annotations

import os
import resource
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.fargate.harness import (
    AGENT,
    LocalServer,
    address_of,
    agent_definition,
    container,
    definition,
    efs_definition,
    environment,
    init_definition,
    until,
)

START_ERROR = (
    "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: "
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
)


def answers(address: str, port: int) -> bool:
    """Whether the address accepts a connection."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def failed_start(server: LocalServer, task: dict[str, Any]) -> dict[str, Any]:
    """The task once stopped; it never ran."""
    ended = server.task_when(task["taskArn"], "STOPPED")
    assert ended["stopCode"] == "TaskFailedToStart"
    assert "startedAt" not in ended
    statuses = [event["detail"]["lastStatus"] for event in server.local.events(task["taskArn"])]
    assert statuses == ["PROVISIONING", "PENDING", "DEPROVISIONING", "STOPPED"]
    return ended


def container_named(task: dict[str, Any], name: str) -> dict[str, Any]:
    """One container of a task document."""
    found: dict[str, Any] = next(one for one in task["containers"] if one["name"] == name)
    return found


@pytest.mark.parametrize("strategy", [agent_definition, efs_definition, init_definition])
def test_each_strategy_reaches_its_agent(agents: LocalServer, port: int, strategy: Any) -> None:
    """With the agent in its strategy's place, it accepts connections on the task's address, and only there."""
    task = agents.run(strategy(port))
    running = agents.task_when(task["taskArn"], "RUNNING", "STOPPED")
    assert running["lastStatus"] == "RUNNING"
    until(lambda: answers(address_of(running), port))
    assert not answers("127.0.0.1", port)
    assert "['--keep-alive', '--']" in agents.log(task, "main")
    agents.ecs.stop_task(task=task["taskArn"])
    ended = agents.task_when(task["taskArn"], "STOPPED")
    assert container_named(ended, "main")["exitCode"] == 0
    assert not answers(address_of(running), port)


def test_init_container_is_shown_stopped_when_main_runs(agents: LocalServer, port: int) -> None:
    """`init` has exited with 0 before `main` starts; the task is RUNNING with it STOPPED."""
    task = agents.run(init_definition(port))
    running = agents.task_when(task["taskArn"], "RUNNING")
    init, main = container_named(running, "init"), container_named(running, "main")
    assert (init["lastStatus"], init["exitCode"]) == ("STOPPED", 0)
    assert (main["lastStatus"], "exitCode" in main) == ("RUNNING", False)


def test_absent_agent_fails_in_runc_words(server: LocalServer, port: int) -> None:
    """An entryPoint that resolves to nothing fails the start, in Fargate's words."""
    (server.state_dir / "efs/fs-0123456789abcdef0/fsap-0123456789abcdef0").mkdir(parents=True)
    ended = failed_start(server, server.run(efs_definition(port)))
    agent = "/sockerless-agent/sockerless-agent"
    assert ended["stoppedReason"] == "Task failed to start"
    main = container_named(ended, "main")
    assert main["reason"] == f'{START_ERROR}exec: "{agent}": stat {agent}: no such file or directory: unknown'
    assert "exitCode" not in main


def test_agent_that_is_not_executable(server: LocalServer, port: int) -> None:
    """runc refuses it before the container starts: the start fails in its words."""
    server.image_file("agent/baked:1", "/sockerless-agent", AGENT, mode=0o644)
    ended = failed_start(server, server.run(agent_definition(port)))
    complaint = 'exec: "/sockerless-agent": permission denied: unknown'
    assert container_named(ended, "main")["reason"] == START_ERROR + complaint


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\x7fELF of another machine", "exec format error"),
        ("#!/no/such/interpreter\n", "no such file or directory"),
    ],
)
def test_agent_that_the_kernel_refuses(server: LocalServer, port: int, text: str, why: str) -> None:
    """Another architecture or a missing interpreter: the container has started, prints one line, exits with 1."""
    server.image_file("agent/baked:1", "/sockerless-agent", text)
    ended = server.task_when((task := server.run(agent_definition(port)))["taskArn"], "STOPPED")
    main = container_named(ended, "main")
    assert (ended["stopCode"], ended["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert (main["exitCode"], main.get("reason")) == (1, None)
    assert server.log(task, "main") == f"exec /sockerless-agent: {why}\n"


def test_directory_at_the_agent_path(agents: LocalServer, port: int) -> None:
    """Executing the mount point itself is permission denied: a volume is a directory."""
    wrong = efs_definition(port)
    wrong["containerDefinitions"][0]["entryPoint"] = ["/sockerless-agent"]
    ended = failed_start(agents, agents.run(wrong))
    assert container_named(ended, "main")["reason"].endswith('exec: "/sockerless-agent": permission denied: unknown')


def test_unknown_command_is_looked_for_in_path(server: LocalServer) -> None:
    """A command without a slash that PATH does not have fails as runc says it."""
    ended = failed_start(server, server.run(definition(container("no-such-command"))))
    expected = f'{START_ERROR}exec: "no-such-command": executable file not found in $PATH: unknown'
    assert container_named(ended, "main")["reason"] == expected


def test_failing_init_fails_the_start(server: LocalServer, port: int) -> None:
    """When the copy fails, SUCCESS can never come true: `main` is not started and its reason names the dependency."""
    ended = failed_start(server, server.run(init_definition(port)))
    assert container_named(ended, "init")["exitCode"] == 1
    main = container_named(ended, "main")
    assert "failed to resolve container ordering dependency [init]" in main["reason"]
    assert "exitCode" not in main


def test_copy_into_a_read_only_mount_fails(agents: LocalServer, port: int) -> None:
    """A read-only mount refuses the copy, and the container exits with 1."""
    ended = failed_start(agents, task := agents.run(init_definition(port, read_only_init=True)))
    assert container_named(ended, "init")["exitCode"] == 1
    assert "Read-only file system" in agents.log(task, "init")


def test_missing_file_system(server: LocalServer, port: int) -> None:
    """A file system without a directory here cannot be resolved: ResourceInitializationError, no container runs."""
    ended = failed_start(server, server.run(efs_definition(port)))
    assert ended["stoppedReason"].startswith("ResourceInitializationError: failed to invoke EFS utils commands")
    assert 'Failed to resolve "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com"' in ended["stoppedReason"]
    assert "reason" not in container_named(ended, "main")


def test_missing_access_point(server: LocalServer, port: int) -> None:
    """A file system without the access point's directory fails with the server's own words."""
    (server.state_dir / "efs/fs-0123456789abcdef0").mkdir(parents=True)
    ended = failed_start(server, server.run(efs_definition(port)))
    assert "reason given by server: No such file or directory" in ended["stoppedReason"]


def test_overrides_replace_command_and_add_environment(server: LocalServer) -> None:
    """The override's command replaces the definition's, its variables win, and nothing of the server is inherited."""
    os.environ["OF_THE_SERVER"] = "1"
    main = container("sh", "-c", "exit 3", environment=environment(COLOUR="red", SIZE="big"))
    override = {
        "name": "main",
        "command": ["sh", "-c", 'echo "$COLOUR $SIZE ${OF_THE_SERVER:-unset} $SOCKERLESS_AGENT_HOST"'],
        "environment": environment(COLOUR="blue"),
    }
    task = server.run(definition(main), overrides={"containerOverrides": [override]})
    ended = server.task_when(task["taskArn"], "STOPPED")
    del os.environ["OF_THE_SERVER"]
    assert server.log(task, "main") == f"blue big unset {address_of(ended)}\n"
    assert container_named(ended, "main")["exitCode"] == 0


def test_ulimit_of_open_files(server: LocalServer) -> None:
    """Soft and hard limit are the definition's; one above this user's own limit is cut to it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    high = {"name": "nofile", "softLimit": 20, "hardLimit": 2**20}
    main = container("sh", "-c", "ulimit -Sn; ulimit -Hn", ulimits=[high])
    task = server.run(definition(main))
    server.task_when(task["taskArn"], "STOPPED")
    assert server.log(task, "main") == f"20\n{2**20 if most == resource.RLIM_INFINITY else min(2**20, most)}\n"


def test_a_read_only_root_is_ignored_and_said(server: LocalServer, caplog: pytest.LogCaptureFixture) -> None:
    """A process has this machine's file system: the container runs, and the log has the reason."""
    caplog.set_level("INFO", "local.fargate")
    task = server.run(definition(container("true", readonlyRootFilesystem=True)))
    ended = server.task_when(task["taskArn"], "STOPPED")
    assert container_named(ended, "main")["exitCode"] == 0
    assert "readonlyRootFilesystem is ignored" in caplog.text


def test_volume_is_shared_and_gone_afterwards(server: LocalServer) -> None:
    """Containers of a task share a volume under different paths; with the task it disappears."""
    writer = container(
        "touch", "/out/file", name="writer", essential=False,
        mountPoints=[{"sourceVolume": "shared", "containerPath": "/out"}],
    )  # fmt: skip
    reader = container(
        "test", "-e", "/in/file",
        mountPoints=[{"sourceVolume": "shared", "containerPath": "/in", "readOnly": True}],
        dependsOn=[{"containerName": "writer", "condition": "COMPLETE"}],
    )  # fmt: skip
    task = server.run(definition(writer, reader, volumes=[{"name": "shared"}]))
    ended = server.task_when(task["taskArn"], "STOPPED")
    assert container_named(ended, "main")["exitCode"] == 0
    assert list((server.state_dir / "tasks").iterdir()) == []


def test_working_directory_is_made(server: LocalServer) -> None:
    """A working directory that the image does not have is created, as a container runtime does."""
    task = server.run(definition(container("sh", "-c", "pwd; touch here", workingDirectory="/srv/no/such")))
    server.task_when(task["taskArn"], "STOPPED")
    assert server.log(task, "main").strip().endswith("/srv/no/such")


def test_what_main_started_ends_with_it(server: LocalServer, tmp_path: Path) -> None:
    """When the main process exits, every process it started is killed, even one in another session."""
    note = tmp_path / "pid"
    script = f"setsid sleep 600 & echo $! > {note}; exit 0"
    task = server.run(definition(container("sh", "-c", script)))
    server.task_when(task["taskArn"], "STOPPED")
    assert not Path(f"/proc/{note.read_text().strip()}").exists()


def test_essential_exit_stops_the_others(server: LocalServer) -> None:
    """When one essential container exits, the rest get SIGTERM."""
    main, other = container("sh", "-c", "exit 5"), container("sleep", "60", name="other", essential=False)
    task = server.run(definition(main, other))
    ended = server.task_when(task["taskArn"], "STOPPED")
    assert container_named(ended, "main")["exitCode"] == 5
    assert container_named(ended, "other")["exitCode"] == 143
