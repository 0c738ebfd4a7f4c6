"""The keep-alive pattern: a command whose only purpose is not to end.

Docker clients that mean to `exec` later start `tail -f /dev/null` (or `sleep infinity`). The agent stays up by
itself, so it is told to run no child instead (contract.md 5; agent-protocol.md 1).
"""

from __future__ import annotations

import shlex
from typing import Final

_DIRECTORIES: Final = ("", "/bin/", "/usr/bin/")
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash"})
_IDLE: Final = frozenset({("tail", "-f", "/dev/null"), ("sleep", "infinity")})


def is_keep_alive(entrypoint: tuple[str, ...], cmd: tuple[str, ...]) -> bool:
    """True for `tail -f /dev/null` and `sleep infinity`, however they are divided between the two.

    Also as the script of a shell (`sh -c "tail -f /dev/null"`) and as one string in shell form.
    Anything more, such as a second command or a redirection, is a command of its own.
    """
    words = (*entrypoint, *cmd)
    if len(words) == 1:
        words = _split(words[0])
    match words:
        case (shell, "-c", script) if _program(shell) in _SHELLS:
            words = _split(script)
            words = words[1:] if words[:1] == ("exec",) else words
        case _:
            pass
    return (_program(words[0]), *words[1:]) in _IDLE if words else False


def _split(script: str) -> tuple[str, ...]:
    """The words of a simple command; none when the quotes do not close."""
    try:
        return tuple(shlex.split(script))
    except ValueError:
        return ()


def _program(path: str) -> str:
    """The bare name of a program given by name or in a standard directory; any other path stays as it is."""
    directory, slash, name = path.rpartition("/")
    return name if directory + slash in _DIRECTORIES else path
