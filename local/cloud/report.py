"""What a keeper tells the command that started it, through a pipe: a JSON document in each line.

`{"say": text}` for each step, then either `{"ready": true}` or `{"failed": text}`. The end of the pipe without one of
these means that the keeper is gone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from local.cloud.processes import CloudError, tail


class Report:
    """The keeper's end. After the verdict, or without a descriptor, nobody listens and nothing is sent.

    Raises `BrokenPipeError` when the command has gone before the verdict: nobody waits for this cloud any more.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def say(self, line: str) -> None:
        """A step is done."""
        self._send({"say": line})

    def ready(self) -> None:
        """The cloud is usable."""
        self._verdict({"ready": True})

    def failed(self, why: str) -> None:
        """It could not be started, and nothing of it runs."""
        self._verdict({"failed": why})

    def _verdict(self, document: dict[str, object]) -> None:
        self._send(document)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _send(self, document: dict[str, object]) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, json.dumps(document).encode() + b"\n")


def follow(lines: Iterable[str], say: Callable[[str], None], log: Path) -> None:
    """The command's end: returns when the cloud is usable. Raises `CloudError` with why it is not.

    `log` is the keeper's, for the case that it ends without a word.
    """
    for line in lines:
        document = json.loads(line)
        if "failed" in document:
            raise CloudError(document["failed"])
        if "ready" in document:
            return
        say(document["say"])
    raise CloudError(f"The keeper ended while it started the cloud.\n{tail(log)}")
