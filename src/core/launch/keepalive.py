"""Recognises the keep-alive pattern: a command that only keeps the container running.

Docker clients start `tail -f /dev/null` or `sleep infinity` in order to `exec` later. The agent itself keeps the
container running, so it gets a flag and starts no child (contract.md 5; agent-protocol.md 1).
"""

import shlex
from typing import Final

_DIRECTORIES: Final = ("", "/bin/", "/usr/bin/")
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash"})
_IDLE: Final = frozenset({("tail", "-f", "/dev/null"), ("sleep", "infinity")})


def is_keep_alive(entrypoint: tuple[str, ...], cmd: tuple[str, ...]) -> bool:
    """Whether entrypoint and cmd together are `tail -f /dev/null` or `sleep infinity`.

    A shell's script (`sh -c "tail -f /dev/null"`) and one string in shell form count too. A second command or a
    redirection does not.
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
    return bool(words) and (_program(words[0]), *words[1:]) in _IDLE


def _split(script: str) -> tuple[str, ...]:
    """The words of a command; none if a quotation mark is missing."""
    try:
        return tuple(shlex.split(script))
    except ValueError:
        return ()


def _program(path: str) -> str:
    """The name of a program without a standard directory; any other path stays."""
    directory, slash, name = path.rpartition("/")
    return name if directory + slash in _DIRECTORIES else path
