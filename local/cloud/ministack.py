"""The local AWS: ministack as a child process, on one address only."""

from __future__ import annotations

import sys
from typing import Final

from local.cloud.environment import ACCOUNT, REGION, isolated_environment
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import Command, Daemon, spawn

NAME: Final = "ministack"
READY_PATH: Final = "/_ministack/ready"
READY_SECONDS: Final = 60


def start_ministack(layout: Layout, host: str, port: int, ecs_endpoint: str) -> Daemon:
    """Starts it on `host` and `port`; returns before it is ready (`READY_PATH` answers 200 then).

    Its Lambda workers inherit this environment, and find ECS at `ecs_endpoint` by it: boto3 reads
    AWS_ENDPOINT_URL_ECS. Everything else they ask of ministack itself.
    """
    layout.scratch.mkdir(parents=True, exist_ok=True)
    env = isolated_environment(
        {
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
    )
    command = Command([sys.executable, "-m", "ministack"], env, cwd=ROOT, log=layout.logs / f"{NAME}.log")
    return spawn(NAME, command, layout.run)
