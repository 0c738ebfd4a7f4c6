"""The command `reach`: its commands, each imported when it is called for, and their exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from core.model.errors import ReachError
from reach import Refused, __version__
from reach.exits import Exit, code_of, text_of
from reach.options import ID, console
from reach.showing.words import plain

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

_CONTAINERS: Final = "Containers of a deployed stack"
_STACK: Final = "The stack itself"
_EVENTS: Final = "Events"


class _Commands(Mapping[str, Any]):
    """Commands by name, each imported when it is called for: all of them need more than AWS's SDK and the core."""

    def __init__(self, makers: Mapping[str, Callable[[str], Any]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> Any:
        return self._makers[name](name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class _Exec(TyperCommand):
    """`ID COMMAND`: as for `docker exec` the first word of COMMAND ends the options, which stand around ID."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises as click does for an option that is wrong."""
        before, words = self._split(ctx, args)
        if words and before[-1:] != ["--"]:
            after, command = self._split(ctx, words[1:])
            args = [*before, *(after[:-1] if after[-1:] == ["--"] else after), "--", words[0], *command]
        return super().parse_args(ctx, args)

    def _split(self, ctx: Any, args: list[str]) -> tuple[list[str], list[str]]:
        """The options that stand first, and the words from the first one that is none."""
        parser = type(self.make_parser(ctx))(ctx)
        for one in self.get_params(ctx):
            if one.param_type_name == "option":
                one.add_to_parser(parser, ctx)
        _, words, _ = parser.parse_args(list(args))
        return args[: len(args) - len(words)], words


def _command(function: str, **options: Any) -> Callable[[str], Any]:
    """`function`: its module in `reach.commands`, and where they differ its name. `options` are typer's."""
    module, _, name = function.partition(":")

    def make(command: str) -> Any:
        alone = typer.Typer(add_completion=False)
        alone.command(command, **options)(getattr(import_module(f"reach.commands.{module}"), name or module))
        return typer.main.get_command(alone)

    return make


def _group(makers: Mapping[str, Callable[[str], Any]]) -> type[TyperGroup]:
    class Group(TyperGroup):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.commands = _Commands(makers)  # type: ignore[assignment]  # it is only read

    return Group


def _events(name: str) -> Any:
    group = _group({one: _command(one) for one in ("record", "replay")})
    about = "Record the events of a running stack, and replay them."
    made = typer.main.get_group(typer.Typer(name=name, cls=group, no_args_is_help=True, help=about))
    made.rich_help_panel = _EVENTS  # typer takes it with `add_typer` alone
    return made


# As for `docker run`, what follows IMAGE is the container's.
_FIRST: Final = {"rich_help_panel": _CONTAINERS, "context_settings": {"allow_interspersed_args": False}}
_MAKERS: Final = {
    "start": _command("start", **_FIRST),
    **{name: _command(name, rich_help_panel=_CONTAINERS) for name in ("ps", "inspect", "wait", "why", "logs", "stop")},
    "exec": _command("exec_:exec_command", cls=_Exec, **_FIRST),
    "attach": _command("attach", rich_help_panel=_CONTAINERS),
    "doctor": _command("doctor", rich_help_panel=_STACK),
    "stage-agent": _command("stage_agent", rich_help_panel=_STACK),
    # Scripts may have these two names for one more release. click adds the text to its notice.
    **{name: _command(name, hidden=True, deprecated=f"Use reach events {name}.") for name in ("record", "replay")},
    "events": _events,
}
# No pretty tracebacks: they show local variables, and so tokens.
app = typer.Typer(
    name="reach",
    cls=_group(_MAKERS),
    no_args_is_help=True,
    epilog=_EXIT_CODES,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _live_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    from reach.stack.completion import live_ids  # noqa: PLC0415 - what it needs is much, and only a shell's

    return live_ids(ctx, incomplete)


ID.autocompletion = _live_ids


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
    except _expected() as error:
        console(stderr=True).print("\n".join(map(plain, text_of(error).splitlines())))
        return code_of(error)
    except OSError as error:
        if error.filename is not None:
            raise
        _leave_output()
        remedy = "check where it is sent to."
        console(stderr=True).print(f"The output cannot be written: {error.strerror}. What to do: {remedy}")
        return Exit.USAGE
    return 0


def _leave_output() -> None:
    """What was not written would be written again at the end of the process."""
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _expected() -> tuple[type[Exception], ...]:
    """What a command may end with. Of an error alone AWS's are needed, whose SDK takes a while to be imported."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    return Refused, ReachError, BotoCoreError, ClientError
