"""Draws what `reach` shows on a terminal: `python -m docs.pictures`, or `make pictures`.

Each picture is the output of the command as a person runs it, with its arguments, on a stack whose containers, clock
and answers are given here. So it changes with the program alone, and `tests/unit/test_pictures.py` compares the files
with what would be drawn.
"""

from __future__ import annotations

import io
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Final
from unittest.mock import patch

from moto.awslambda.models import LambdaFunction
from moto.moto_api._internal import mock_random
from rich.console import Console
from rich.text import Text

from core.adapters.clock import SystemClock
from core.machine.messages import agent_unreachable
from core.model.parts import Instant, Logs, Probe, Step
from core.model.record import Record
from core.model.state import State, Trigger
from core.probe.answer import ProbeErrorKind, probe_error
from reach.app import main as reach
from reach.commands import doctor as doctor_command
from reach.stack import opening
from tests.factories import ADDRESS, CONTAINER_ID, POLICY, TASK, at
from tests.moto_aws import REGION, client, moto_aws
from tests.records import failed, healthy, resolved
from tests.terminal import on_terminal
from tests.unit.local.agent.running import running_agent
from tests.unit.reach.commands.on_one_container import command, environment
from tests.unit.reach.deployment import Deployment
from tests.unit.reach.doctor.answers import Answers
from tests.unit.reach.doctor.answers import client as answering
from tests.unit.reach.doctor.faults import FAULTS

HERE: Final = Path(__file__).parent
WIDTH, LINES = 120, 30
PROMPT: Final = "4f5c$ "
"""Of the shell in the container; each image has another one."""
GROUP: Final = "/sockerless/tasks"
LOGS: Final = Logs(GROUP, "sockerless").of_task(TASK)
COURSE: Final = {
    Instant.CREATED: at(1),
    Instant.CONNECTIVITY: at(9),
    Instant.PULL_STARTED: at(14),
    Instant.PULL_STOPPED: at(25),
    Instant.STARTED: at(29.4),
    Instant.RESOLVED: at(30),
}
"""Of a start on Fargate."""
ENVIRONMENT: Final = {
    "FORCE_COLOR": "1",
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "COLUMNS": str(WIDTH),
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""A terminal, and nothing of the caller's."""


def start() -> str:
    """A container on Fargate's own time; the view that stays when the agent has answered."""
    with _stack(at(32)) as deployment:
        deployment.next = [resolved(timings=COURSE), healthy(timings={**COURSE, Instant.HEALTHY: at(31.2)})]
        return _shown("start", "--id", CONTAINER_ID, "python:3.13-slim", "python", "-m", "http.server")


def why() -> str:
    """A container whose agent could not be reached."""
    with _stack(at(105)) as deployment:
        deployment.put(unreachable())
        _print("Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...")
        return _shown("why", "4f5c")


def doctor() -> str:
    """An account with two things wrong: the prober is not let in to the agents, and the rule is disabled."""
    with _account(), patch.object(LambdaFunction, "_invoke_lambda", lambda *_, **__: ("{}", False, "")):
        mock_random.seed(1)  # of moto's ids
        answers = Answers()
        answers.account.make()
        for fault in ("prober not let in", "rule disabled"):
            FAULTS[fault].plant(answers)
        with (
            patch.object(Answers, "current", answers),
            patch.object(doctor_command, "aws_clients", lambda **_: answering),
        ):
            return _shown("doctor", "--only", "network", "--only", "events")


def exec_() -> str:
    """A shell: it knows the terminal's size, Ctrl-C is a key, and its exit code is that of `reach`."""
    given = command("exec", "-it", "-e", f"PS1={PROMPT}", "--", "sh")
    with (
        running_agent("--keep-alive", "--") as agent,
        on_terminal(given, environment(agent), columns=WIDTH, lines=LINES) as terminal,
    ):
        for line in (b"stty size\r", b"sh -c 'echo waiting; exec sleep 100'\r", b"exit 3\r"):
            terminal.until(re.escape(PROMPT.encode()))
            terminal.type(line)
            if b"sleep" in line:
                terminal.until(rb"\r\nwaiting\r\n")  # so that it runs in the foreground, and Ctrl-C is for it
                terminal.type(b"\x03")
        terminal.end()
        return terminal.shown.decode()


PICTURES: Final[Mapping[str, tuple[str, Callable[[], str]]]] = {
    "start.svg": ("reach start python:3.13-slim python -m http.server", start),
    "why.svg": ("reach why 4f5c", why),
    "doctor.svg": ("reach doctor --only network --only events", doctor),
    "exec.svg": (f"reach exec -it -e PS1='{PROMPT}' 4f5c -- sh", exec_),
}
"""File -> its title, which is what was typed, and what the terminal shows then."""


def drawn(name: str) -> str:
    """The picture as SVG."""
    title, show = PICTURES[name]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(screen(show())))
    return console.export_svg(title=title)


def screen(output: str) -> str:
    """What a terminal shows after this output, with its colours: as much of one as a view that is drawn anew needs."""
    lines, row = [""], 0
    for part in re.split(r"(\x1b\[2K|\x1b\[1A|\x1b\[\?25[hl]|\r?\n|\r)", output):
        match part:
            case "\x1b[2K":
                lines[row] = ""
            case "\x1b[1A":
                row -= 1
            case "\n" | "\r\n":
                row += 1
                lines += [""] * (row == len(lines))
            case "\r" | "\x1b[?25h" | "\x1b[?25l":
                pass
            case _:
                lines[row] += part
    return "\n".join(lines).strip("\n")


def unreachable() -> Record:
    """On Fargate's own time: nothing let the prober in on the agent's port."""
    tried = probe_error(ProbeErrorKind.TIMED_OUT, ADDRESS, "2 s")
    silent = resolved(
        timings=COURSE,
        probe=Probe(at(90), attempts=62, last_error=tried.text, silent_at=at(90.3), remedy=tried.remedy),
    )
    step = Step(at(90.6), State.ENI_RESOLVED, State.FAILED, Trigger.AGENT_UNREACHABLE)
    return failed(
        timings={**COURSE, Instant.STOPPING: at(91), Instant.STOPPED: at(104)},
        logs=LOGS,
        probe=silent.probe,
        error=agent_unreachable(silent, POLICY),
        history=(*silent.history, step),
        updated_at=at(104),
    )


@contextmanager
def _account() -> Iterator[None]:
    """An empty account, and a terminal of `WIDTH` columns; all is as it was afterwards."""
    environ = {**ENVIRONMENT, "PATH": os.environ["PATH"]}
    with patch.dict(os.environ, environ, clear=True), moto_aws():
        yield


@contextmanager
def _stack(now: datetime) -> Iterator[Deployment]:
    """A stack deployed to it, at this instant."""
    with _account():
        deployment = Deployment()
        with (
            patch.object(SystemClock, "now", lambda _: now),
            patch.object(SystemClock, "sleep", lambda *_: deployment.sleep()),
            patch.object(opening, "aws_client", deployment.client),
        ):
            yield deployment


def _print(line: str) -> None:
    """The container's output."""
    logs = client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=LOGS.stream)
    event = {"timestamp": round(time.time() * 1000), "message": line}
    logs.put_log_events(logGroupName=GROUP, logStreamName=LOGS.stream, logEvents=[event])


def _shown(*arguments: str) -> str:
    """Both outputs, as they come."""
    terminal = io.StringIO()
    with redirect_stdout(terminal), redirect_stderr(terminal):
        reach(arguments)
    return terminal.getvalue()


def main() -> int:
    """Writes those that have changed, and names them."""
    for name in PICTURES:
        file, picture = HERE / name, drawn(name)
        if not file.exists() or file.read_text() != picture:
            file.write_text(picture)
            sys.stdout.write(f"docs/{name} drawn\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
