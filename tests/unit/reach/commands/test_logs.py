from __future__ import annotations

import json
import sys
import time
from functools import partial

import pytest
from botocore.exceptions import ClientError

from core.model.parts import Launch, Logs
from core.model.record import Record
from reach.app import main
from reach.output.stream import Stream
from tests.factories import TASK, at, pending
from tests.moto_aws import client
from tests.records import complete, exited, failed, healthy
from tests.unit.reach.commands.test_containers import SHORT, Shell, document, printed, refused
from tests.unit.reach.deployment import Deployment
from tests.unit.reach.output.test_stream import Refusing

GROUP = "/tasks"
LOGS = Logs(GROUP, "sockerless").of_task(TASK)
OLD_TASK = TASK.replace("0f6a", "aaaa")
BEGUN = int(time.time() * 1000) - 60_000
"""Now, as moto sees it: it refuses older events."""


def put(*lines: str, task: str = TASK) -> None:
    """In the container's stream, a second apart."""
    logs, stream = client("logs"), Logs(GROUP, "sockerless").of_task(task).stream
    if not logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        logs.create_log_group(logGroupName=GROUP)
    if not logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=stream)["logStreams"]:
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": BEGUN + number * 1000, "message": line} for number, line in enumerate(lines)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


@pytest.fixture
def container(deployment: Deployment) -> str:
    """A healthy container that has printed three lines."""
    deployment.put(healthy(logs=LOGS))
    put("first", "\x1b[31msecond\tcolumn", "third")
    return SHORT


def test_all_lines(container: str, capsys: Shell) -> None:
    """Piped, they are as they were printed."""
    assert printed(capsys, "logs", container) == "first\n\x1b[31msecond\tcolumn\nthird\n"


def test_a_terminal_is_not_steered(container: str, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """Control characters are spelt out; a tab is blanks."""
    environment.setattr(sys.stdout, "isatty", lambda: True)
    assert printed(capsys, "logs", container).splitlines()[1] == "\\x1b[31msecond     column"


def test_the_newest_lines(container: str, capsys: Shell) -> None:
    """With the instant of each, if it is asked for."""
    assert printed(capsys, "logs", container, "--tail", "1") == "third\n"
    assert printed(capsys, "logs", container, "--tail", "0") == ""
    assert printed(capsys, "logs", container, "--tail", "all").splitlines()[0] == "first"
    for wrong in ("-1", "every", "²", "1.5"):
        assert "is neither a number of lines" in refused(capsys, 2, "logs", container, f"--tail={wrong}")
    shown = printed(capsys, "logs", container, "-n", "1", "-t")
    instant, _, text = shown.partition(" ")
    assert text == "third\n"
    assert instant.endswith("Z")


def test_since(container: str, capsys: Shell) -> None:
    """An instant in any of its spellings."""
    assert printed(capsys, "logs", container, "--since", str((BEGUN + 1500) / 1000)) == "third\n"
    assert "--since x is not an instant" in refused(capsys, 2, "logs", container, "--since", "x")


def test_json_lines(container: str, capsys: Shell) -> None:
    """An object for each line."""
    shown = printed(capsys, "logs", container, "--output", "json").splitlines()
    assert [json.loads(line)["message"] for line in shown] == ["first", "\x1b[31msecond\tcolumn", "third"]
    assert json.loads(shown[0]).keys() == {"timestamp", "message"}


def test_follow(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """Until the container has ended and its last line is there."""
    deployment.put(healthy(logs=LOGS))
    put("first")
    steps = iter([partial(put, "second"), partial(deployment.put, exited(logs=LOGS)), partial(put, "third")])

    def sleep() -> None:
        if step := next(steps, None):
            step()

    environment.setattr(deployment, "sleep", sleep)
    assert printed(capsys, "logs", SHORT, "--follow") == "first\nsecond\nthird\n"


def test_follow_from_the_newest_line(container: str, deployment: Deployment, capsys: Shell) -> None:
    """Nothing twice, and nothing left out."""
    deployment.next = [exited(logs=LOGS)]
    assert printed(capsys, "logs", container, "-f", "-n", "1") == "third\n"


def test_follow_a_start(deployment: Deployment, capsys: Shell) -> None:
    """Before it has a task there is no stream; then it is followed."""
    put("first")
    deployment.put(pending(logs=Logs(GROUP, "sockerless")))
    deployment.next = [healthy(logs=LOGS), exited(logs=LOGS)]
    assert printed(capsys, "logs", SHORT, "--follow") == "first\n"


@pytest.mark.parametrize(
    "record", [pending(logs=Logs(GROUP, "sockerless")), failed(logs=Logs(GROUP, "x"), task_arn=None)]
)
@pytest.mark.parametrize("options", [[], ["--tail", "5"]])
def test_no_task(deployment: Deployment, capsys: Shell, record: Record, options: list[str]) -> None:
    """Nothing was printed, and that is said on standard error."""
    deployment.put(record)
    assert main(["logs", SHORT, *options]) == 0
    assert capsys.readouterr() == ("", f"{SHORT} has no task, so it has printed nothing.\n")


def test_nothing_printed(deployment: Deployment, capsys: Shell, environment: pytest.MonkeyPatch) -> None:
    """Its stream is not there."""
    deployment.put(exited(logs=LOGS))
    environment.setattr(Stream, "_read", lambda *_, **__: None)
    assert main(["logs", SHORT, "--follow"]) == 0
    assert capsys.readouterr() == ("", f"{SHORT} has printed nothing.\n")


def test_a_launch_that_was_given_up(deployment: Deployment, capsys: Shell) -> None:
    """Its output is in the stream of its task."""
    given_up = Launch(at(5), complete().launches[0].failure, OLD_TASK)
    deployment.put(healthy(logs=LOGS, launches=(given_up,)))
    put("of the old task", task=OLD_TASK)
    put("of the new task")
    assert printed(capsys, "logs", SHORT, "--launch", "1") == "of the old task\n"
    assert printed(capsys, "logs", SHORT, "--launch", "2") == printed(capsys, "logs", SHORT) == "of the new task\n"
    assert "has no launch 3" in refused(capsys, 3, "logs", SHORT, "--launch", "3")


def test_no_log_group_is_2(deployment: Deployment, capsys: Shell) -> None:
    """The error says what to set."""
    deployment.put(healthy())
    assert "set the stack parameter TaskLogGroup" in refused(capsys, 2, "logs", SHORT)


def test_a_group_that_is_gone_is_3(deployment: Deployment, capsys: Shell) -> None:
    """It was deleted after the start."""
    deployment.put(healthy(logs=LOGS))
    assert "no log group /tasks" in refused(capsys, 3, "logs", SHORT)


@pytest.mark.parametrize("ended", [failed(logs=LOGS), exited(3, logs=LOGS)], ids=lambda one: one.state)
def test_why_has_the_last_lines(deployment: Deployment, capsys: Shell, ended: Record) -> None:
    """Ten at most, as lines that cannot steer a terminal; also in JSON; not with --no-logs."""
    deployment.put(ended)
    put(*(f"line {number}" for number in range(12)), "a\x1bb")
    lines = printed(capsys, "why", SHORT).partition("Its last lines:\n")[2].splitlines()
    assert lines == [*(f"  line {number}" for number in range(3, 12)), "  a\\x1bb"]
    assert document(capsys, "why", SHORT)["last_lines"][-1] == "a\x1bb"
    assert "last lines" not in printed(capsys, "why", SHORT, "--no-logs")
    assert document(capsys, "why", SHORT, "--no-logs")["last_lines"] is None


@pytest.mark.parametrize("record", [healthy(logs=LOGS), exited(0, logs=LOGS), pending(logs=LOGS)])
def test_why_reads_no_log_without_need(deployment: Deployment, capsys: Shell, record: Record) -> None:
    """What is well needs no explanation."""
    deployment.put(record)
    put("first")
    assert document(capsys, "why", SHORT)["last_lines"] is None


def test_why_without_a_log_group(deployment: Deployment, capsys: Shell) -> None:
    """The reason may have been printed, so what to set is said."""
    deployment.put(failed())
    assert "No log group has its output. What to do: set" in printed(capsys, "why", SHORT)


def test_why_without_permission(deployment: Deployment, capsys: Shell) -> None:
    """It shows all else, and one line about the log."""
    deployment.put(failed(logs=LOGS))
    said = "User: x is not authorized to perform: logs:GetLogEvents"
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": said}}, "GetLogEvents")
    deployment.logs = Refusing(denied)
    shown = printed(capsys, "why", SHORT)
    assert "What to do: Check that the security group" in shown
    [line] = [one for one in shown.splitlines() if one.startswith("Its output could not be read")]
    assert "allow logs:GetLogEvents on the log group /tasks, or leave it out with --no-logs" in line
    assert "AccessDenied" in document(capsys, "why", SHORT)["last_lines_unread"]
