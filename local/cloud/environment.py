"""What the processes of the local cloud may know: environments, boto3 clients, and `.local/env` for its users."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3

from local.cloud.layout import ROOT

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""Dummies: the local AWS takes any."""

ENDPOINTS: Final = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS")
"""Where boto3 finds the local AWS, and the local Fargate."""

COMMANDS: Final = ROOT / "local" / "bin"
"""`reach` of this checkout, so that a newcomer has nothing to install."""

# A caller's credentials and profiles must not reach the local cloud, nor its requests a real AWS; and the caller's
# PYTHONPATH would put the checkout before the code that was built and deployed.
_WITHHELD: Final = ("AWS_", "SAM_", "PYTHON", "POWERTOOLS_", "COV_", "COVERAGE_", "DOCKER_")

_OF_THE_ENGINE: Final = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


def isolated_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anything of AWS, with dummy credentials, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_WITHHELD)}
    return {
        **kept,
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **extra,
    }


def aws_client(service: str, endpoint: str) -> Any:
    """A boto3 client that knows no AWS but the one at `endpoint`, whatever the caller's environment says."""
    return boto3.session.Session().client(
        service,  # type: ignore[call-overload]  # any service
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def engine_environment() -> dict[str, str]:
    """Where the caller's container engine is, for a process that speaks to it."""
    return {name: os.environ[name] for name in _OF_THE_ENGINE if name in os.environ}


def published_environment(endpoint: str, ecs_endpoint: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """What `.local/env` exports (contract.md 9): endpoints, credentials, region, every output of the stack."""
    return {
        **dict(zip(ENDPOINTS, (endpoint, ecs_endpoint), strict=True)),
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **{upper_snake_case(name): value for name, value in sorted(outputs.items())},
    }


def upper_snake_case(name: str) -> str:
    """`ProbeQueueUrl` -> `PROBE_QUEUE_URL`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def write_environment(path: Path, values: Mapping[str, str]) -> None:
    """Writes `export NAME=value` lines that every POSIX shell reads, and `COMMANDS` first on its PATH.

    The file is there with all of them, or not.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.half")
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
    half.write_text(f'{exports}PATH={shlex.quote(str(COMMANDS))}:"$PATH"\n')
    half.replace(path)


def read_environment(path: Path) -> dict[str, str]:
    """The values that `write_environment` wrote. Raises `FileNotFoundError` when no cloud is up."""
    words = (shlex.split(line) for line in path.read_text().splitlines() if line.startswith("export "))
    return dict(word[1].split("=", 1) for word in words)
