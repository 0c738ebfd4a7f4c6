"""Draws what `reach` shows on a terminal: `python -m docs.pictures`, or `make pictures`.

Each picture is the output of the command as a person runs it, with its arguments, on a stack whose containers, clock
and answers are given here. So it changes with the program alone, and `tests/unit/test_pictures.py` compares the files
with what would be drawn.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Final
from unittest.mock import patch

from rich.console import Console
from rich.text import Text

from core.adapters.clock import SystemClock
from core.machine.messages import agent_unreachable
from core.model.parts import Instant, Probe, Step
from core.model.record import Record
from core.model.state import State, Trigger
from core.probe.answer import ProbeErrorKind, probe_error
from reach.app import main as reach
from reach.stack import opening
from tests.factories import ADDRESS, POLICY, at
from tests.moto_aws import REGION, moto_aws
from tests.records import failed, resolved
from tests.unit.reach.deployment import Deployment

HERE: Final = Path(__file__).parent
WIDTH: Final = 110
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


def why() -> str:
    """A container whose agent could not be reached."""
    with _stack(at(105)) as deployment:
        deployment.put(unreachable())
        return _shown("why", "4f5c")


PICTURES: Final[Mapping[str, tuple[str, Callable[[], str]]]] = {
    "why.svg": ("reach why 4f5c", why),
}
"""File -> its title, which is what was typed, and what the terminal shows then."""


def drawn(name: str) -> str:
    """The picture as SVG."""
    title, show = PICTURES[name]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(show()))
    return console.export_svg(title=title)


def unreachable() -> Record:
    """On Fargate's own time: nothing let the prober in on the agent's port."""
    tried = probe_error(ProbeErrorKind.TIMED_OUT, ADDRESS, "2 s")
    timings = {
        Instant.CREATED: at(1),
        Instant.CONNECTIVITY: at(9),
        Instant.PULL_STARTED: at(14),
        Instant.PULL_STOPPED: at(25),
        Instant.STARTED: at(29.4),
        Instant.RESOLVED: at(30),
    }
    silent = resolved(
        timings=timings,
        probe=Probe(at(90), attempts=62, last_error=tried.text, silent_at=at(90.3), remedy=tried.remedy),
    )
    step = Step(at(90.6), State.ENI_RESOLVED, State.FAILED, Trigger.AGENT_UNREACHABLE)
    return failed(
        timings={**timings, Instant.STOPPING: at(91), Instant.STOPPED: at(104)},
        probe=silent.probe,
        error=agent_unreachable(silent, POLICY),
        history=(*silent.history, step),
        updated_at=at(104),
    )


@contextmanager
def _stack(now: datetime) -> Iterator[Deployment]:
    """A deployed stack at this instant, and a terminal of `WIDTH` columns; all is as it was afterwards."""
    with ExitStack() as undo:
        undo.enter_context(patch.dict(os.environ, {**ENVIRONMENT, "PATH": os.environ["PATH"]}, clear=True))
        undo.enter_context(moto_aws())
        undo.enter_context(patch.object(SystemClock, "now", lambda _: now))
        deployment = Deployment()
        undo.enter_context(patch.object(opening, "aws_client", deployment.client))
        yield deployment


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
