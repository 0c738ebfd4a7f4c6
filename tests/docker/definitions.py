"""Task definitions for a container engine: the base image, and the agent injected as the product does it."""

from __future__ import annotations

from typing import Any, Final

from local.fargate.engine.connection import BASE_IMAGE
from tests.unit.local.fargate import harness

FILE_SYSTEM: Final = "fs-0123456789abcdef0"
ACCESS_POINT: Final = "fsap-0123456789abcdef0"
DIRECTORY: Final = "/sockerless-agent"
AGENT: Final = f"{DIRECTORY}/sockerless-agent"


def container(*command: str, **members: Any) -> dict[str, Any]:
    """A container of the base image."""
    return harness.container(*command, **{"image": BASE_IMAGE, **members})


def one(*command: str, **members: Any) -> dict[str, Any]:
    """A definition with one container, `main`."""
    return harness.definition(container(*command, **members))


def with_volume(*containers: dict[str, Any], efs: bool = False) -> dict[str, Any]:
    """A definition with the volume `shared`: ephemeral, or the access point."""
    volume: dict[str, Any] = {"name": "shared"}
    if efs:
        volume["efsVolumeConfiguration"] = {
            "fileSystemId": FILE_SYSTEM,
            "transitEncryption": "ENABLED",
            "authorizationConfig": {"accessPointId": ACCESS_POINT, "iam": "ENABLED"},
        }
    return harness.definition(*containers, volumes=[volume])


def mount(path: str, *, read_only: bool = False) -> list[dict[str, Any]]:
    """The volume `shared` at a path."""
    return [{"sourceVolume": "shared", "containerPath": path, "readOnly": read_only}]
