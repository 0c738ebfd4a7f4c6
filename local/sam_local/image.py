"""The image that functions run in: the base image with this machine's Python and Lambda's runtime client.

`sam local invoke` adds Lambda's runtime interface emulator to it by itself, and would else pull Lambda's own image.
"""

from __future__ import annotations

import hashlib
import io
import platform
import shutil
import sys
from pathlib import Path
from typing import Final

from aiodocker import Docker

from local.cloud.environment import isolated_environment
from local.cloud.layout import ROOT
from local.cloud.processes import Command, call
from local.fargate.engine.connection import BASE_IMAGE, NoEngine, image_id
from local.fargate.engine.context import BuildContext
from local.sam_local import interpreter

AWS_HOST: Final = "local-aws"
AWS_PORT: Final = 4566
FARGATE_PORT: Final = 4567
"""The endpoints that functions know: `--env-vars` sets only what the template declares, so the image has them.

Where the name leads is for each run to say (`--add-host`), and which ports of this machine are behind it.
"""

LABEL: Final = "sockerless.local.lambda"
_LOCK: Final = ROOT / "requirements" / "lambda.lock"
_RUNTIME: Final = "/var/runtime"
_INSTALL_SECONDS: Final = 300


async def ensure(docker: Docker, directory: Path, log: Path) -> str:
    """The image's name; makes the image unless the engine has it. `directory` keeps the runtime client.

    Raises `NoEngine` without the base image, `CloudError` when the client cannot be installed.
    """
    base = await image_id(docker, BASE_IMAGE)
    if base is None:
        raise NoEngine(f"The engine has no image {BASE_IMAGE}. What to do: local/docker/base_image.sh")
    digest = _digest(base)
    # By its content: SAM keeps what it has built on an image of this name for as long as it is there.
    name = f"sockerless-local/lambda/{digest}:latest"
    if await image_id(docker, name) is None:
        client = _runtime_client(directory, log)
        await docker.images.build(fileobj=_context(client), encoding="identity", tag=name, labels={LABEL: digest})
        await _remove_others(docker, digest)
    return name


def _digest(base: str) -> str:
    """Of everything that the image is made of."""
    parts = (base, sys.version, platform.machine(), _LOCK.read_text(), _DOCKERFILE, _bootstrap())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _runtime_client(directory: Path, log: Path) -> Path:
    """The client and boto3, which Lambda's own images have too; installed once for each lock file and Python."""
    key = hashlib.sha256(f"{sys.version}\0{_LOCK.read_text()}".encode()).hexdigest()[:12]
    target = directory / key
    if not target.exists():
        unfinished = directory / f"{key}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--compile", "--require-hashes")
        arguments = [sys.executable, "-m", "pip", "install", *options, "--target", str(unfinished), "-r", str(_LOCK)]
        call(
            Command(arguments, isolated_environment({}), cwd=ROOT, log=log),
            timeout=_INSTALL_SECONDS,
            advice="It needs the package index once; then try again.",
        )
        unfinished.rename(target)
    return target


async def _remove_others(docker: Docker, digest: str) -> None:
    """Images of earlier versions, with what SAM has built on them: it inherits their label."""
    for image in await docker.images.list(filters={"label": [LABEL]}):
        if image["Labels"].get(LABEL) != digest:
            await docker.images.delete(image["Id"], force=True)


_DOCKERFILE: Final = f"""\
FROM {BASE_IMAGE}
COPY files/ /
ENV AWS_ENDPOINT_URL=http://{AWS_HOST}:{AWS_PORT} AWS_ENDPOINT_URL_ECS=http://{AWS_HOST}:{FARGATE_PORT}
ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR={_RUNTIME} TZ=:UTC
WORKDIR /var/task
"""


def _bootstrap() -> str:
    """What the emulator executes. The function's own packages come first, as in Lambda."""
    program = " ".join(interpreter.command("-m", "awslambdaric"))
    return f"""\
#!/bin/sh
export PYTHONHOME={interpreter.HOME} PYTHONPATH=/var/task:{_RUNTIME}
exec {program} "$_HANDLER"
"""


def _context(client: Path) -> io.BytesIO:
    context = BuildContext(_DOCKERFILE)
    for source, target in interpreter.files(client):
        context.add(source, f"files{target}")
    context.add(client, f"files{_RUNTIME}")
    context.add_text(f"files{_RUNTIME}/bootstrap", _bootstrap(), 0o755)
    return context.finished()
