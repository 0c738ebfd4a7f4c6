"""The command `reach`: its commands, and their exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from core.model.errors import ReachError
from reach import Refused, __version__
from reach.commands.attach import attach
from reach.commands.doctor import doctor
from reach.commands.exec_ import exec_command
from reach.commands.inspect import inspect
from reach.commands.logs import logs
from reach.commands.ps import ps
from reach.commands.record import record
from reach.commands.replay import replay
from reach.commands.stage_agent import stage_agent
from reach.commands.start import start
from reach.commands.stop import stop
from reach.commands.wait import wait
from reach.commands.why import why
from reach.exits import Exit, code_of, text_of
from reach.options import ID, console
from reach.showing.words import plain
from reach.stack.completion import live_ids

_EXIT_CODES = """exit codes
  0    done
  1    something is wrong in the input, in the answer, with the container
  2    not done: wrong command line, no such file, no permission, no answer
  3    no such container, no such stack
  4    a call of AWS failed
  124  the time of a wait is over
  125  exec, attach: the agent did not run the command, or is gone
  130  interrupted

The help of a command says which of them it has, and what they mean there."""

# No pretty tracebacks: they show local variables, and so tokens.
app = typer.Typer(name="reach", no_args_is_help=True, epilog=_EXIT_CODES, pretty_exceptions_enable=False)
_CONTAINERS = "Containers of a deployed stack"
_STACK = "The stack itself"
_EVENTS = "Events"
events = typer.Typer(no_args_is_help=True)
ID.autocompletion = live_ids
# As for `docker run`, what follows IMAGE is the container's.
app.command(rich_help_panel=_CONTAINERS, context_settings={"allow_interspersed_args": False})(start)
for _command in (ps, inspect, wait, why, logs, stop):
    app.command(rich_help_panel=_CONTAINERS)(_command)
app.command("exec", rich_help_panel=_CONTAINERS)(exec_command)
app.command(rich_help_panel=_CONTAINERS)(attach)
app.command(rich_help_panel=_STACK)(doctor)
app.command(rich_help_panel=_STACK)(stage_agent)
events.command()(record)
events.command()(replay)
# Scripts may have these two names for one more release. typer hands a text on to click, which adds it to its notice.
app.command(hidden=True, deprecated="Use reach events record.")(record)  # type: ignore[arg-type]
app.command(hidden=True, deprecated="Use reach events replay.")(replay)  # type: ignore[arg-type]
app.add_typer(
    events, name="events", rich_help_panel=_EVENTS, help="Record the events of a running stack, and replay them."
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"reach {__version__}")
        raise typer.Exit


@app.callback()
def reach(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """For operators of sockerless-reach: its containers, and their events.

    The stack is found by its name, through CloudFormation's outputs, with the
    Region and the credentials of the AWS CLI. On the laptop: . .local/env
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. `arguments` are those of the process unless given."""
    try:
        app(arguments, prog_name="reach")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.USAGE
    except (Refused, ReachError, BotoCoreError, ClientError) as error:
        console(stderr=True).print("\n".join(map(plain, text_of(error).splitlines())))
        return code_of(error)
    return 0
