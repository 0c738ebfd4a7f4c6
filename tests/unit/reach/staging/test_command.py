"""`reach stage-agent` in an account of moto's: what it does, says and leaves."""

from __future__ import annotations

import hashlib
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from core.adapters.clock import SystemClock
from reach.app import main
from reach.commands import stage_agent as command
from reach.staging.access import ROLE_TAG
from reach.staging.versions import version_of
from tests.authorization import actions, condition_keys, resource_type, resource_types
from tests.factories import at
from tests.moto_aws import client, moto_aws
from tests.unit.reach.staging.account import OWNER, Account
from tests.unit.reach.staging.elf_files import AARCH64, elf
from tests.unit.reach.staging.stacks import EXECUTION, ROLE, S3_FILES

FIRST, SECOND = elf(), elf(kind=3)
STOPPED = "stoppedReason: Task ended"
DOCUMENT = Path(__file__).parents[4] / "docs" / "reach.md"
Shell = pytest.CaptureFixture[str]


def named(content: bytes) -> str:
    return version_of(hashlib.sha256(content).hexdigest())


@pytest.fixture
def account(environment: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
    """It is 100 s after the usual start, and sleeping takes no time."""
    with moto_aws():
        found = Account(tmp_path)
        found.agent = FIRST
        environment.setattr(SystemClock, "now", lambda _: at(100))
        environment.setattr(SystemClock, "monotonic", lambda _: found.now)
        environment.setattr(SystemClock, "sleep", lambda _, seconds: found.sleep(seconds))
        environment.setattr(command, "aws_client", found.client)
        yield found


@pytest.fixture
def bucket(account: Account) -> Account:
    """The stack's tasks mount a bucket."""
    account.parameters |= {"EfsFileSystemId": "", "EfsAccessPointId": "", "AgentImage": "", **S3_FILES}
    return account


def shown(capsys: Shell, code: int, *arguments: object) -> tuple[str, str]:
    """Standard output and standard error of a run that ends with this code."""
    capsys.readouterr()
    assert main(["stage-agent", *map(str, arguments)]) == code
    found = capsys.readouterr()
    return found.out, found.err


def document(capsys: Shell, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shown(capsys, 0, *arguments, "--output", "json")[0])
    return found


def test_a_version_to_efs(account: Account, capsys: Shell) -> None:
    """It is copied out of the agent image and put into use; nothing of the task is left."""
    before = account.left()
    out, err = shown(capsys, 0)
    assert out == (
        f"Version {named(FIRST)} is staged in {account.system}:/bin\nThe next task runs version {named(FIRST)}.\n"
    )
    assert (account.directory / "sockerless-agent").read_bytes() == FIRST
    assert account.left() == before == {**before, "tasks": [], "definitions": []}
    assert [word for word in ("access point fsap-", "PROVISIONING", "RUNNING", "STOPPED") if word in err] != []
    assert re.search(r"^ +\d\.\d s  task [0-9a-f-]+: STOPPED$", err, re.MULTILINE)


def test_the_same_version_again(account: Account, capsys: Shell) -> None:
    """It says that nothing changed."""
    shown(capsys, 0)
    out, _ = shown(capsys, 0)
    assert out.splitlines()[0] == f"Version {named(FIRST)} was staged already in {account.system}:/bin"
    assert out.splitlines()[1] == f"Nothing changed: the next task runs version {named(FIRST)}."


def test_versions_side_by_side(account: Account, capsys: Shell) -> None:
    """One beside the one in use, a switch to it, and the list that shows which one the next task runs."""
    shown(capsys, 0, "--version", "1")
    account.agent = SECOND
    out, _ = shown(capsys, 0, "--version", "2", "--no-switch")
    assert "The next task runs version 1, as before. To use this one: --switch 2" in out
    assert shown(capsys, 0, "--switch", "2")[0] == "The next task runs version 2; before, 1.\n"
    assert shown(capsys, 0, "--switch", "2")[0] == "Nothing changed: the next task runs version 2.\n"
    lines = shown(capsys, 0, "--list")[0].splitlines()
    assert lines[0] == f"{account.system}:/bin"
    assert [line.split()[:2] for line in lines if line.startswith("*  ")] == [["*", "2"]]
    assert {"1", "2"} <= {word for line in lines for word in line.split()}


def test_as_json(account: Account, capsys: Shell) -> None:
    """One document, with the digest, and what was in use before."""
    shown(capsys, 0, "--version", "1")
    account.agent = SECOND
    found = document(capsys, "--version", "2")
    assert (found["version"], found["new"], found["before"], found["current"]) == ("2", True, "1", "2")
    assert found["sha256"] == hashlib.sha256(SECOND).hexdigest()
    assert [one["size"] for one in found["versions"]] == [len(FIRST), len(SECOND)]
    listed = document(capsys, "--list")
    assert (listed["version"], listed["new"], listed["versions"]) == (None, False, found["versions"])


@pytest.mark.parametrize("arguments", [("--list",), ("--switch", "1"), ("--version", "2"), ()])
def test_a_dry_run_makes_nothing(account: Account, capsys: Shell, arguments: tuple[str, ...]) -> None:
    """It says each step, and makes no call that changes anything."""
    account.calls.clear()
    steps = document(capsys, "--dry-run", *arguments)["steps"]
    out, _ = shown(capsys, 0, "--dry-run", *arguments)
    assert out.splitlines() == [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    assert set(account.calls) == {"elasticfilesystem:DescribeAccessPoints"}
    assert any("register the task definition sockerless-stage-agent" in step for step in steps)
    assert not account.directory.joinpath("versions").exists()


def test_an_empty_file_system(account: Account, capsys: Shell) -> None:
    """There is no version, and nothing is in use."""
    assert shown(capsys, 0, "--list")[0] == f"No version is staged in {account.system}:/bin.\n"


@pytest.mark.parametrize(
    ("agent", "arguments", "said"),
    [
        (None, (), "has written no file sockerless-agent"),
        (b"#!/bin/sh\n", (), "no 64-bit ELF executable"),
        (elf(machine=AARCH64), (), "for another processor"),
        (FIRST, ("--architecture", "arm64"), "for another processor"),
        (FIRST, ("--switch", "9"), "no version of this name"),
    ],
)
def test_what_is_no_agent_is_not_staged(
    account: Account, capsys: Shell, agent: bytes | None, arguments: tuple[str, ...], said: str
) -> None:
    """The reason, what to do, and what the script printed; nothing is staged, and nothing left."""
    before = account.left()
    account.agent = agent
    _, err = shown(capsys, 1, *arguments)
    assert said in err
    assert "What to do: " in err
    assert "Its output:\n  stage: stage.sh: " in err
    assert not (account.directory / "versions").exists()
    assert account.left() == before


def test_any_file_is_taken_on_request(account: Account, capsys: Shell) -> None:
    """A script, for images that have its interpreter."""
    account.agent = b"#!/bin/sh\n"
    assert "is staged" in shown(capsys, 0, "--unchecked")[0]


NO_IMAGE = "CannotPullContainerError: pull image manifest has been retried 1 time(s): agent:1: not found"
NO_SHELL = 'CannotStartContainerError: exec: "sh": executable file not found in $PATH'
READ_ONLY = "mkdir: cannot create directory: Read-only file system"


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (
            {"code": None, "init": None, "at": "init", "reason": NO_IMAGE, "stop_code": "TaskFailedToStart"},
            ("no such image or tag (container init)", f"ECS says: stopCode: TaskFailedToStart; {STOPPED}", NO_IMAGE),
        ),
        (
            {"code": None, "reason": NO_SHELL, "stop_code": "TaskFailedToStart"},
            ("could not run stage.sh: its image lacks sh", "--tools-image IMAGE", NO_SHELL),
        ),
        (
            {"code": 1, "printed": {"stage": ["exec /bin/sh: exec format error"]}},
            ("could not run stage.sh", "exec format error"),
        ),
        (
            {"code": 1, "printed": {"stage": [READ_ONLY]}},
            ("stage.sh ended with 1", "elasticfilesystem:ClientWrite", f"Its output:\n  stage: {READ_ONLY}"),
        ),
        (
            {"code": None, "init": 1, "printed": {"init": ["cp: /sockerless-agent: No such file"]}},
            ("The init container failed", "AgentCopyCommand", "  init: cp: /sockerless-agent"),
        ),
    ],
    ids=["no image", "no shell", "shell of another processor", "read-only", "copy failed"],
)
def test_a_task_that_fails_is_explained(
    account: Account, capsys: Shell, ended: dict[str, Any], said: tuple[str, ...]
) -> None:
    """By the diagnosis of ECS's words, and with the lines that its containers printed; nothing is left."""
    before = account.left()
    account.exits = ended
    _, err = shown(capsys, 1)
    assert [one for one in said if one.lower() not in err.lower()] == [], err
    assert account.left() == before


def test_a_task_that_hangs_is_stopped(account: Account, capsys: Shell) -> None:
    """After --timeout, with 124."""
    before = account.left()
    account.hangs = True
    _, err = shown(capsys, 124, "--timeout", "30")
    assert "has not ended, its status is RUNNING" in err
    assert 30 <= account.now < 40
    assert account.left() == before


def test_a_report_that_does_not_come(account: Account, capsys: Shell) -> None:
    """The work is done, and the error says how to look at it."""
    account.silent = True
    _, err = shown(capsys, 124)
    assert "did its work, but its report is not in the log group /sockerless/tasks" in err
    assert "reach stage-agent --list" in err


@pytest.mark.parametrize(
    "operation",
    ["DescribeAccessPoints", "CreateAccessPoint", "RegisterTaskDefinition", "RunTask", "DescribeTasks", None],
)
def test_ctrl_c_leaves_nothing_behind(account: Account, capsys: Shell, operation: str | None) -> None:
    """Whatever call was under way, or while it waits: no task, no active definition, no access point."""
    before, handler = account.left(), signal.getsignal(signal.SIGINT)
    if operation is None:
        account.on_sleep = lambda: signal.raise_signal(signal.SIGINT)
    else:
        account.signal_after = operation
    account.hangs = True
    shown(capsys, 130)
    assert account.left() == before
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_during_the_clean_up_waits_for_its_end(account: Account, capsys: Shell) -> None:
    """The staging is done, and nothing is left."""
    before = account.left()
    account.signal_after = "StopTask"
    shown(capsys, 130)
    assert account.left() == before
    assert (account.directory / "sockerless-agent").read_bytes() == FIRST


def test_a_task_whose_start_had_no_answer_is_stopped(account: Account, capsys: Shell) -> None:
    """It may run all the same, and is found by its startedBy. The error is that of the call."""
    before = account.left()
    account.unanswered = "RunTask"
    _, err = shown(capsys, 4)
    assert "RunTask failed with ReadTimeoutError" in err
    assert "ecs:ListTasks" in account.calls
    assert account.left() == before


def test_what_cannot_be_removed_is_named(account: Account, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """The rest is removed all the same, and the staging is done."""
    made = account.client

    def refusing(service: str, **where: Any) -> Any:
        found = made(service, **where)
        if service == "ecs":
            found.meta.events.register(
                "before-parameter-build.ecs.DeregisterTaskDefinition",
                lambda params, **_: params.update(taskDefinition="nothing:9"),
            )
        return found

    environment.setattr(command, "aws_client", refusing)
    before = account.left()
    _, err = shown(capsys, 0)
    left = account.left()
    [definition] = left.pop("definitions")
    assert left == {name: before[name] for name in left}
    assert f"task definition {definition} is left behind: DeregisterTaskDefinition failed" in err


def test_the_access_point_for_staging(account: Account, capsys: Shell) -> None:
    """Where there is one, none is made, and the task has the role that it names."""
    role = "arn:aws:iam::123456789012:role/staging"
    account.efs.create_access_point(
        ClientToken="staging",
        FileSystemId=account.system,
        RootDirectory={"Path": "/bin", "CreationInfo": OWNER},
        Tags=[{"Key": ROLE_TAG, "Value": role}],
    )
    assert f"role {role}" in "".join(document(capsys, "--dry-run")["steps"])
    shown(capsys, 0)
    assert "elasticfilesystem:CreateAccessPoint" not in account.calls


def test_another_image_for_the_script(account: Account, capsys: Shell) -> None:
    """Of an agent image from scratch, only the copy command is run."""
    steps = "\n".join(
        document(
            capsys, "--dry-run", "--image", "scratch:1", "--copy-command", "/agent,copy", "--tools-image", "busybox"
        )["steps"]
    )
    assert "image busybox, role" in steps
    assert "in it: /agent copy in scratch:1; check it, keep it as /bin/versions/<its SHA-256>/sockerless-agent" in steps


def test_a_file_to_s3_files(bucket: Account, capsys: Shell, tmp_path: Path) -> None:
    """Staged, listed, and switched; what is in use is said."""
    file = tmp_path / "agent"
    file.write_bytes(FIRST)
    out, err = shown(capsys, 0, "--file", file, "--version", "1")
    assert out.splitlines()[0] == "Version 1 is staged in s3://agents/sockerless/bin/"
    assert "put s3://agents/sockerless/bin/versions/1/sockerless-agent" in err
    file.write_bytes(SECOND)
    assert document(capsys, "--file", file, "--version", "2")["before"] == "1"
    assert shown(capsys, 0, "--switch", "1")[0] == "The next task runs version 1; before, 2.\n"
    assert shown(capsys, 0, "--file", file, "--version", "1x", "--dry-run")[0].startswith("1. put s3://agents/")
    assert shown(capsys, 0, "--switch", "1", "--dry-run")[0] == "Nothing to do.\n"


def test_a_file_that_is_no_agent_goes_nowhere(bucket: Account, capsys: Shell) -> None:
    """It is checked before anything is put."""
    _, err = shown(capsys, 1, "--file", "/bin/sh")
    assert "/bin/sh: it is linked dynamically" in err
    assert client("s3").list_objects_v2(Bucket="agents")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--list", "--switch", "1"), "exclude each other"),
        (("--file", "x", "--image", "y"), "exclude each other"),
        (("--switch", "../1"), "'../1' is no version"),
        (("--version", "a b"), "'a b' is no version"),
        (("--file", "x"), "EFS is reached from inside the VPC alone"),
        (("--to", "s3-files"), "has no S3FilesFileSystemArn"),
        (("--architecture", "mips"), "mips"),
    ],
)
def test_a_wrong_command_line_is_2(account: Account, capsys: Shell, arguments: tuple[str, ...], said: str) -> None:
    """The reason, and nothing is done."""
    out, err = shown(capsys, 2, *arguments)
    assert said in err
    assert (out, account.calls) == ("", [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "--file BINARY"), (("--image", "agent:1"), "no image"), (("--file", "/no/such"), "No such file")],
)
def test_s3_files_takes_a_file(bucket: Account, capsys: Shell, arguments: tuple[str, ...], said: str) -> None:
    """And nothing else."""
    assert said in shown(capsys, 2, *arguments)[1]


@pytest.mark.parametrize(("arguments", "option"), [((), "--image"), (("--list",), "--tools-image")])
def test_a_stack_without_an_agent_image_needs_one(
    account: Account, capsys: Shell, arguments: tuple[str, ...], option: str
) -> None:
    """To copy out of, or to run the script in."""
    account.parameters["AgentImage"] = ""
    assert f"{option} IMAGE" in shown(capsys, 2, *arguments)[1]


def test_a_stack_whose_tasks_mount_nothing(account: Account, capsys: Shell) -> None:
    """There is nothing to stage, and the reason says why."""
    account.parameters["InjectionStrategy"] = "init-container"
    assert "Nothing is staged: the stack sockerless-reach injects by init-container" in shown(capsys, 2)[1]


def test_a_stack_that_is_not_there_is_3(account: Account, capsys: Shell) -> None:
    """By the name that was given."""
    assert "There is no stack other" in shown(capsys, 3, "--stack", "other")[1]


def test_a_call_that_fails_is_4(account: Account, capsys: Shell) -> None:
    """The error names it, and nothing is left."""
    account.parameters["ClusterName"] = "other"
    before = account.left()
    assert "RunTask failed with" in shown(capsys, 4)[1]
    assert account.left() == before


def test_on_a_terminal_the_newest_step_moves(account: Account, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """The steps stay above it."""
    environment.setattr(Console, "is_terminal", True)
    environment.setenv("TERM", "xterm")
    _, err = shown(capsys, 0)
    assert "task" in err
    assert "\x1b[?25l" in err


PLACES = {
    "<region>": "us-east-1",
    "<account>": "123456789012",
    "<S3FilesFileSystemArn>": S3_FILES["S3FilesFileSystemArn"],
    "<S3FilesAccessPointArn>": S3_FILES["S3FilesAccessPointArn"],
    "<ExecutionRoleArn>": EXECUTION,
    "<StagingRoleArn>": ROLE,
}


def policy(title: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Action, resource and conditions of the policy of docs/reach.md after this text, with an account's values."""
    [block] = re.findall(rf"{title}[^\n]*\n+```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    for place, value in PLACES.items():
        block = block.replace(place, value)
    return [
        (action, resource, one.get("Condition", {}))
        for one in json.loads(re.sub(r"<\w+>", "x", block))["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        for resource in ([one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"])
    ]


def documented(title: str) -> set[str]:
    return {action for action, _, _ in policy(title)}


NAMES = {
    "s3:HeadObject": {"s3:GetObject", "s3:ListBucket"},  # without ListBucket an absent object is Forbidden
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:CopyObject": {"s3:GetObject", "s3:PutObject"},
    "ecs:RunTask": {"ecs:RunTask", "iam:PassRole"},
}
"""What IAM is asked for a call, where it is no action of its name (Service Authorization Reference)."""


def needed(calls: list[str]) -> set[str]:
    return {action for call in calls for action in NAMES.get(call, {call})}


def test_the_policy_to_efs_is_what_it_calls(account: Account, capsys: Shell) -> None:
    """Each action of the document is needed, and no other; ListTasks only where RunTask has had no answer."""
    shown(capsys, 0)
    asked = needed(account.calls) | {"cloudformation:DescribeStacks", "ecs:ListTasks"}
    assert documented("To EFS") == asked


def test_the_policy_to_s3_files_is_what_it_calls(bucket: Account, capsys: Shell, tmp_path: Path) -> None:
    """The same, of the bucket."""
    file = tmp_path / "agent"
    file.write_bytes(FIRST)
    client("s3").put_object(Bucket="agents", Key="sockerless/bin/sockerless-agent", Body=SECOND)
    shown(capsys, 0, "--file", file)
    of_s3_files = {"s3files:GetFileSystem", "s3files:GetAccessPoint"}
    asked = needed(bucket.calls) | of_s3_files | {"cloudformation:DescribeStacks"}
    assert documented("`reach stage-agent` to S3 Files") == asked


@pytest.mark.parametrize("title", ["To EFS", "`reach stage-agent` to S3 Files"])
def test_the_policies_fit_the_reference(title: str) -> None:
    """Each action exists, takes its resource, and has the key of its condition; S3 Files is not in the reference."""
    for action, resource, conditions in policy(title):
        if action.startswith("s3files:"):
            continue
        assert actions(action) == [action]
        if resource != "*":
            kind = resource_type(resource, partition="aws", region="us-east-1", account="123456789012")
            assert kind in resource_types(action), (action, resource, kind)
        assert {key for keys in conditions.values() for key in keys} <= condition_keys(action)
