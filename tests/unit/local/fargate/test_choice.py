"""Which runtime is used, settled before anything starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from local.fargate.choice import Choice, choose, settled
from local.fargate.engine.connection import BASE_IMAGE, NoEngine
from local.fargate.runtime import RuntimeName


@pytest.fixture
def socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The socket of this test's engine."""
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    return path


@asynccontextmanager
async def engine(path: Path, *images: str) -> AsyncIterator[None]:
    """An engine with these images, and nothing else."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/version"):
            return web.json_response({"ApiVersion": "1.41"})
        name = request.path.partition("/images/")[2].removesuffix("/json")
        if name in images:
            return web.json_response({"Id": "sha256:0"})
        return web.json_response({"message": f"No such image: {name}"}, status=404)

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        yield
    finally:
        await runner.cleanup()


def chosen(name: RuntimeName, path: Path, *images: str) -> Choice:
    """The choice where an engine has these images."""

    async def choice_with_engine() -> Choice:
        async with engine(path, *images):
            choice = await choose(name)
            assert await settled(name) is choice.runtime
            return choice

    return asyncio.run(choice_with_engine())


def test_docker_where_it_can_be(socket_path: Path) -> None:
    """`auto` is Docker when an engine answers that has the base image."""
    assert chosen(RuntimeName.AUTO, socket_path, BASE_IMAGE).runtime is RuntimeName.DOCKER


def test_engine_without_the_base_image(socket_path: Path) -> None:
    """Without the base image `auto` is processes; the reason names the script that makes the image."""
    choice = chosen(RuntimeName.AUTO, socket_path)
    assert choice.runtime is RuntimeName.PROCESS
    assert f"no image {BASE_IMAGE}" in choice.why
    assert "local/docker/base_image.sh" in choice.why


def test_no_engine(socket_path: Path) -> None:
    """Without an engine that answers `auto` is processes."""
    choice = asyncio.run(choose(RuntimeName.AUTO))
    assert choice.runtime is RuntimeName.PROCESS
    assert "does not answer" in choice.why


def test_docker_in_vain_is_refused(socket_path: Path) -> None:
    """A request for Docker is never answered with processes."""
    with pytest.raises(NoEngine, match="does not answer"):
        asyncio.run(choose(RuntimeName.DOCKER))


def test_processes_need_no_engine(socket_path: Path) -> None:
    """Processes are used when requested, whatever engine there is."""
    assert chosen(RuntimeName.PROCESS, socket_path, BASE_IMAGE).runtime is RuntimeName.PROCESS
