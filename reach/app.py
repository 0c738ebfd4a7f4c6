"""The command `reach`: its commands, and their exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from reach import Refused, __version__
from reach.commands.record import record
from reach.commands.replay import replay
from reach.options import console

REFUSED = 2
"""Also typer's own code for a wrong command line."""

_EXIT_CODES = """exit codes
  0    done
  1    done, but something in the input or in the answer is wrong
  2    not done: wrong command line, no such file, no permission, no answer
  130  interrupted"""

# No pretty tracebacks: they show local variables, and so tokens.
app = typer.Typer(name="reach", no_args_is_help=True, epilog=_EXIT_CODES, pretty_exceptions_enable=False)
app.command()(record)
app.command()(replay)


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
    """For operators of sockerless-reach: the events of its containers, recorded and replayed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. `arguments` are those of the process unless given."""
    try:
        app(arguments, prog_name="reach")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else REFUSED
    except (Refused, BotoCoreError, ClientError) as error:
        console(stderr=True).print(str(error))
        return REFUSED
    return 0
