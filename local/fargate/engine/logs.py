"""What a container prints, followed while it runs and kept in a file, as process mode does, and in its log stream."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self

from aiodocker.containers import DockerContainer

from local.fargate.log_groups import LogStream


class Output:
    """Both streams of one container in the order in which they come. `follow` before it starts: nothing is missed."""

    def __init__(self, ended: asyncio.Task[None]) -> None:
        self._ended = ended

    @classmethod
    async def follow(cls, container: DockerContainer, file: Path, stream: LogStream | None) -> Self:
        """Attached when it returns; from then on everything is appended to `file`, and fed to `stream`."""
        file.parent.mkdir(parents=True, exist_ok=True)
        attached = container.attach(stdout=True, stderr=True)
        await attached.__aenter__()

        async def copy() -> None:
            try:
                with file.open("ab", buffering=0) as log:
                    while (message := await attached.read_out()) is not None:
                        log.write(message.data)
                        if stream is not None:
                            stream.feed(message.data)
                if stream is not None:
                    # Before the exit is told: on Fargate the log is complete long before ECS shows it.
                    await stream.close()
            finally:
                await attached.close()

        return cls(asyncio.create_task(copy()))

    async def ended(self) -> None:
        """Returns when the container has closed its output, that is, when it has ended, and all of it is written."""
        await asyncio.shield(self._ended)

    async def close(self) -> None:
        """Stops following, for a container that never started."""
        self._ended.cancel()
        await asyncio.wait([self._ended])
