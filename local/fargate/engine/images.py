"""The images of task definitions: staged on this machine, known to the engine, or pulled by it.

An image with an `image_directory` is the base image with these files on top, so that what is staged for process mode
is an image here. What the engine has is used as it is, so that an image that was just built, or pulled with
credentials, need not be in a registry; what it lacks is pulled. With `repositoryCredentials` the registry is asked
every time, as on Fargate, so a wrong password is refused whatever the engine has.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import tarfile
from collections import defaultdict
from pathlib import Path
from typing import Final

from aiodocker import Docker

from local.fargate.engine.connection import BASE_IMAGE, image_id
from local.fargate.engine.ownership import Ownership
from local.fargate.state_directory import image_directory

log: Final = logging.getLogger("local.fargate")
_FILES: Final = "files"
_DOCKERFILE: Final = f"FROM {BASE_IMAGE}\nCOPY {_FILES}/ /\n".encode()


class Images:
    """Gets images; builds those that are staged as directories, with the engine's cache."""

    def __init__(self, docker: Docker, ownership: Ownership, state_dir: Path) -> None:
        self._docker = docker
        self._ownership = ownership
        self._state_dir = state_dir
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, name: str, login: dict[str, str] | None = None) -> str:
        """The id of an image. Raises `DockerError` when it can be neither found, nor pulled, nor built."""
        async with self._turns[name]:
            directory = image_directory(self._state_dir, name)
            if not directory.is_dir():
                if login is not None or await image_id(self._docker, name) is None:
                    log.info("image %s is pulled", name)
                    await self._docker.images.pull(name, auth=login)
                return await self._id(name)
            context = await asyncio.to_thread(_context, directory)
            tag = f"sockerless-local/{self._ownership.id}/{directory.name.lower()}"
            labels = self._ownership.labels()
            await self._docker.images.build(fileobj=context, encoding="identity", tag=tag, labels=labels)
            return await self._id(tag)

    async def _id(self, name: str) -> str:
        return str((await self._docker.images.inspect(name))["Id"])


def _context(directory: Path) -> io.BytesIO:
    """The archive of which the engine builds the image. Files belong to root, whoever owns them here; modes stay."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        dockerfile = tarfile.TarInfo("Dockerfile")
        dockerfile.size = len(_DOCKERFILE)
        tar.addfile(dockerfile, io.BytesIO(_DOCKERFILE))
        tar.add(os.path.realpath(directory), _FILES, filter=_of_root)
    archive.seek(0)
    return archive


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
