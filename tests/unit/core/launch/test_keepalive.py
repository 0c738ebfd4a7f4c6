"""Which commands only keep a container up."""

import pytest

from core.launch.keepalive import is_keep_alive


def splits(*words: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every way to divide the words between entrypoint and cmd."""
    return [(words[:at], words[at:]) for at in range(len(words) + 1)]


@pytest.mark.parametrize(
    ("entrypoint", "cmd"),
    [
        *splits("tail", "-f", "/dev/null"),
        *splits("/usr/bin/tail", "-f", "/dev/null"),
        *splits("/bin/tail", "-f", "/dev/null"),
        *splits("sleep", "infinity"),
        *splits("/bin/sleep", "infinity"),
        *splits("sh", "-c", "tail -f /dev/null"),
        *splits("/bin/sh", "-c", "tail  -f '/dev/null'"),
        *splits("/bin/bash", "-c", "exec tail -f /dev/null"),
        *splits("ash", "-c", "sleep infinity"),
        *splits("tail -f /dev/null"),
        *splits("sleep infinity"),
        *splits("/bin/sh -c 'tail -f /dev/null'"),
    ],
)
def test_keep_alive_in_every_split(entrypoint: tuple[str, ...], cmd: tuple[str, ...]) -> None:
    """The pattern counts wherever Docker's image and command line happened to divide it."""
    assert is_keep_alive(entrypoint, cmd)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("",),
        ("tail",),
        ("tail", "-f", "/var/log/x"),
        ("tail", "-f", "/dev/null", "/var/log/x"),
        ("tail", "-n", "1", "/dev/null"),
        ("/opt/tail", "-f", "/dev/null"),
        ("sleep", "5"),
        ("sleep infinity", "x"),
        ("sh", "-c", "tail", "-f", "/dev/null"),
        ("sh", "-c", "tail -f /dev/null; rm -rf /data"),
        ("sh", "-c", "tail -f /dev/null &"),
        ("sh", "-c", "tail -f /dev/null > /log"),
        ("sh", "-c", "tail -f '/dev/null"),
        ("sh", "-c", "exec"),
        ("sh", "-c", ""),
        ("sh", "-x", "tail -f /dev/null"),
        ("python", "-c", "tail -f /dev/null"),
        ("docker-entrypoint.sh", "tail", "-f", "/dev/null"),
    ],
)
def test_a_real_command_is_no_keep_alive(words: tuple[str, ...]) -> None:
    """A command that does anything else, or might, runs as the agent's child in every split."""
    assert not any(is_keep_alive(entrypoint, cmd) for entrypoint, cmd in splits(*words))
