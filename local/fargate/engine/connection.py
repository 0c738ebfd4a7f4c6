"""The connection to the container engine, and the base image that it must have."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from aiodocker import Docker, DockerError

BASE_IMAGE: Final = "sockerless-local/debian:latest"
"""Debian's minimal system with Python. `local/docker/base_image.sh` makes it."""

_UNIX: Final = "unix://"
_SOCKETS: Final = ("/var/run/docker.sock", "~/.docker/run/docker.sock")
_PROBE_SECONDS: Final = 5
_CANNOT_CONNECT: Final = 900
"""aiodocker's own status, where there was no answer that could have one."""
NOT_FOUND: Final = 404
CONFLICT: Final = 409


class NoEngine(Exception):
    """There is no usable container engine. The message says what to do."""


def engine_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """DOCKER_HOST, else the first of the usual sockets that is there, else None. Docker contexts are not read."""
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    candidates = (Path(path).expanduser() for path in _SOCKETS)
    return next((f"{_UNIX}{path}" for path in candidates if path.is_socket()), None)


@asynccontextmanager
async def connected() -> AsyncIterator[Docker]:
    """A client of the engine. Raises `NoEngine` when none is found, and at any call that it does not answer."""
    where = engine_url()
    if where is None:
        raise NoEngine("No container engine was found. What to do: start Docker, or set DOCKER_HOST.")
    try:
        async with _client(where) as docker:
            yield docker
    except DockerError as exc:
        if exc.status != _CANNOT_CONNECT:
            raise
        raise _silent(where, exc.__context__) from exc
    except aiohttp.ClientError as exc:
        raise _silent(where, exc) from exc


@asynccontextmanager
async def _client(where: str) -> AsyncIterator[Docker]:
    if not where.startswith(_UNIX):
        try:
            other = Docker(url=where)
        except (ValueError, OSError) as exc:  # an address of no known kind, no certificates
            raise NoEngine(f"{where} cannot be used: {exc} What to do: correct DOCKER_HOST.") from exc
        async with other as docker:
            yield docker
        return
    # Each running container holds a connection, its output; a connector's own limit of 100 would hang the 101st.
    connector = aiohttp.UnixConnector(where.removeprefix(_UNIX), limit=0)
    try:
        async with Docker(url=f"{_UNIX}localhost", connector=connector) as docker:
            yield docker
    finally:
        await connector.close()


def _silent(where: str, cause: BaseException | None) -> NoEngine:
    why = (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__
    return NoEngine(
        f"The container engine at {where} does not answer ({why}). What to do: start it (on Debian and Ubuntu: "
        "sudo local/docker/engine.sh start), or correct DOCKER_HOST."
    )


async def require() -> None:
    """Returns when an engine answers and has the base image. Raises `NoEngine` with what to do."""
    try:
        async with asyncio.timeout(_PROBE_SECONDS), connected() as docker:
            await require_base_image(docker)
    except TimeoutError as exc:
        raise _silent(str(engine_url()), exc) from exc
    except DockerError as exc:
        raise NoEngine(f"{engine_url()} refuses: {exc.message}. What to do: see the engine's log.") from exc


async def require_base_image(docker: Docker) -> None:
    """Raises `NoEngine` with what to do when this engine does not have it."""
    if await image_id(docker, BASE_IMAGE) is None:
        raise NoEngine(f"The engine has no image {BASE_IMAGE}. What to do: local/docker/base_image.sh")


async def ready() -> bool:
    try:
        await require()
    except NoEngine:
        return False
    return True


async def image_id(docker: Docker, name: str) -> str | None:
    """The id (`sha256:…`) of an image that the engine has, else None."""
    try:
        return str((await docker.images.inspect(name))["Id"])
    except DockerError as exc:
        if exc.status == NOT_FOUND:
            return None
        raise
