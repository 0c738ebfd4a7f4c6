"""The two daemons of a local cloud, each on one address only: the local AWS, which is ministack, and the local Fargate.

Both return before they are ready.
"""

from __future__ import annotations

import sys
from typing import Final

from local.cloud.environment import ACCOUNT, REGION, engine_environment, isolated_environment
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import Command, Daemon, spawn
from local.fargate.runtime import RuntimeName

AWS_READY: Final = ("/_ministack/ready", 60)
"""The path that answers 200 once it is ready, and within how many seconds; so for the next."""
FARGATE_READY: Final = ("/_local/health", 20)


def start_aws(layout: Layout, host: str, port: int, ecs_endpoint: str) -> Daemon:
    """Its Lambda workers inherit its environment, so boto3 finds ECS at `ecs_endpoint`, and all else in ministack."""
    layout.scratch.mkdir(parents=True, exist_ok=True)
    settings = {
        "AWS_ENDPOINT_URL_ECS": ecs_endpoint,
        "BIND_HOST": host,
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "MINISTACK_HOST": host,
        # Functions may do what the template's roles allow, and nothing else, as on AWS.
        "AUTH": "true",
        # Its MQTT listener ignores BIND_HOST and would listen on every interface, SFTP likewise.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Functions run in processes. A container engine of this machine is left alone: at its end ministack
        # removes every container that any ministack has labelled.
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{layout.directory}/no-container-engine",
        "TMPDIR": str(layout.scratch),
    }
    return _spawn("ministack", ["ministack"], settings, layout)


def start_fargate(  # noqa: PLR0913 - where it runs, and the three options of its command line
    layout: Layout, host: str, port: int, aws_endpoint: str, *, speed: str, seed: int | None, runtime: RuntimeName
) -> Daemon:
    """`speed` as `--speed` takes it, `seed` of the durations, `runtime` what containers are."""
    arguments = [
        "local.fargate",
        *("--host", host),
        *("--port", str(port)),
        *("--aws-endpoint", aws_endpoint),
        *("--state-dir", str(layout.fargate)),
        *("--speed", speed),
        *("--runtime", runtime),
        *(() if seed is None else ("--seed", str(seed))),
    ]
    # It uses the core, which is not installed.
    settings = {"AWS_ENDPOINT_URL": aws_endpoint, "PYTHONPATH": str(ROOT / "src"), **engine_environment()}
    return _spawn("fargate", arguments, settings, layout)


def _spawn(name: str, module: list[str], settings: dict[str, str], layout: Layout) -> Daemon:
    command = Command(
        [sys.executable, "-m", *module], isolated_environment(settings), cwd=ROOT, log=layout.logs / f"{name}.log"
    )
    return spawn(name, command, layout.run)
