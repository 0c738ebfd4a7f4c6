"""One function of the local cloud in a container of Lambda's kind, by the real `sam local invoke`."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from aiodocker import DockerError

from local.cloud.build import built
from local.cloud.clients import aws_client
from local.cloud.environment import REGION, engine_environment, upper_snake_case
from local.cloud.hold import AlreadyUp
from local.cloud.layout import Layout
from local.cloud.processes import CloudError, Command, call, tail
from local.cloud.sam import sam_environment, sam_program
from local.fargate.engine.connection import NOT_FOUND, connected
from local.fargate.engine.network import network_name
from local.fargate.engine.ownership import Ownership, remove_containers
from local.sam_local import image
from local.sam_local.forward import forwarded

FUNCTIONS: Final = ("StartContainer", "TaskState", "AgentHealth", "Reconcile", "StopContainer")
"""In the order in which a container meets them."""
INVOKE_SECONDS: Final = 180


@dataclass(frozen=True, slots=True)
class SamLocal:
    """`sam local invoke`, set up for one local cloud. `network` is the bridge of its tasks, `gateway` this machine."""

    layout: Layout
    directory: Path
    endpoint: str
    template: Path
    image: str
    network: str
    gateway: str

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """The answer of `<function>Function` to the event. Raises `CloudError` with the log when it gives none."""
        log = self.log(function)
        self.layout.scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.layout.scratch, prefix="sam-local-") as own:
            file, said = Path(own, "event.json"), Path(own, "answer")
            file.write_text(json.dumps(event, indent=2) + "\n")
            # SAM itself asks STS whose account it is, and would ask AWS. It unpacks the function into TMPDIR.
            environ = {"AWS_ENDPOINT_URL": self.endpoint, "TMPDIR": own, **engine_environment()}
            try:
                call(
                    Command(self.arguments(function, file), sam_environment(environ), self.directory, log, answer=said),
                    timeout=INVOKE_SECONDS,
                    advice=f"the end of {function}Function's log stands above.",
                    run=self.layout.run,
                )
            finally:
                asyncio.run(_remove_container([str(path) for path in Path(own).iterdir()]))
            text = said.read_text().strip()
        if not text:
            raise CloudError(f"{function}Function gave no answer.\n{tail(log)}")
        answer = json.loads(text)
        if isinstance(answer, dict) and "errorType" in answer:
            raise CloudError(f"{function}Function failed: {text}\n{tail(log)}")
        return answer

    def log(self, function: str) -> Path:
        """What SAM and the function wrote in the last invocation."""
        return self.layout.logs / f"sam-local-{function}.log"

    def arguments(self, function: str, event: Path) -> list[str]:
        """The command line, as one would type it."""
        return [
            *(sam_program(), "local", "invoke", f"{function}Function"),
            *("--event", str(event)),
            *("--template-file", str(self.template)),
            *("--env-vars", str(self.directory / "env.json")),
            *("--invoke-image", self.image, "--skip-pull-image"),
            *("--docker-network", self.network),
            *("--add-host", f"{image.AWS_HOST}:{self.gateway}"),
            *("--region", REGION),
        ]


@contextmanager
def sam_local(layout: Layout, environ: Mapping[str, str], say: Callable[[str], None]) -> Iterator[SamLocal]:
    """For a cloud that runs in Docker mode; `environ` is what its `.local/env` exports.

    The functions are those that lie here now: built anew when they have changed. `say` hears of it.

    The tasks' network is the functions' network too, so the prober reaches agents. Raises `NoEngine` without an
    engine or its base image, `CloudError` when the cloud runs no tasks there, `AlreadyUp` while another one invokes.
    """
    directory = layout.directory / "sam-local"
    directory.mkdir(parents=True, exist_ok=True)
    name, network, gateway = asyncio.run(_engine(layout))
    (directory / "env.json").write_text(json.dumps(_variables(environ), indent=2) + "\n")
    ports = {
        image.AWS_PORT: _port(environ["AWS_ENDPOINT_URL"]),
        image.FARGATE_PORT: _port(environ["AWS_ENDPOINT_URL_ECS"]),
    }
    with ExitStack() as stack:
        template = stack.enter_context(built(layout, say))
        try:
            stack.enter_context(forwarded(gateway, ports))
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                raise AlreadyUp(
                    f"Another sam-local uses the local cloud of {layout.directory}. What to do: wait for it or end it."
                ) from exc
            raise
        yield SamLocal(layout, directory, environ["AWS_ENDPOINT_URL"], template, name, network, gateway)


async def _remove_container(sources: Sequence[str]) -> None:
    """The function's, which mounts what SAM has unpacked: one of these. It outlives a SAM that a signal has ended."""
    async with connected() as docker:
        await remove_containers(docker, {"label": [image.LABEL], "volume": [*sources]})


async def _engine(layout: Layout) -> tuple[str, str, str]:
    """The functions' image; the tasks' network and its gateway."""
    async with connected() as docker:
        network = network_name(Ownership(layout.fargate))
        try:
            shown = await (await docker.networks.get(network)).show()
        except DockerError as exc:
            if exc.status == NOT_FOUND:
                raise CloudError(
                    "No local cloud runs its tasks in Docker here. What to do: local/docker/engine.sh start, "
                    'local/docker/base_image.sh, then make up ARGS="--runtime docker"'
                ) from exc
            raise
        [gateway] = [config["Gateway"] for config in shown["IPAM"]["Config"]]
        log = layout.logs / "lambda-image.log"
        return await image.ensure(docker, layout.sam / "lambda", log), network, gateway


def _port(endpoint: str) -> int:
    port = urlsplit(endpoint).port
    if port is None:
        raise CloudError(f"{endpoint} is not an endpoint of a local cloud.")
    return port


def _variables(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What the functions are deployed with: SAM itself resolves `!Ref` to logical names here."""
    functions = aws_client("lambda", environ["AWS_ENDPOINT_URL"])
    found = {}
    for function in FUNCTIONS:
        arn = environ[f"{upper_snake_case(function)}_FUNCTION_ARN"]
        deployed = functions.get_function_configuration(FunctionName=arn)["Environment"]["Variables"]
        found[f"{function}Function"] = {k: v for k, v in deployed.items() if not k.startswith("AWS_")}
    return found
