"""Start functions on a local Fargate that runs nothing, for tests of what a start asks of ECS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from core.adapters.ecs import BotoEcs
from core.ports import Clock
from tests.fakes import MemoryRegistrations, MemoryStore, SettableClock
from tests.unit.core.launch.requests import document, settings
from tests.unit.local.fargate.harness import LocalServer, ecs_client
from tests.world import PortsInMemory

CLUSTER: Final = "arn:aws:ecs:us-east-1:000000000000:cluster/default"
STANDSTILL: Final = 1e6
"""At this speed a task stays PROVISIONING for weeks: no process is started."""


@contextmanager
def control_plane(state_dir: Path, **options: Any) -> Iterator[LocalServer]:
    """The ECS API without anything behind it."""
    with LocalServer(state_dir, speed=STANDSTILL, **options) as server:
        yield server


def request(number: int, shape: int = 0, **changes: Any) -> dict[str, Any]:
    """The start of one of many containers. All that differs between two of one shape travels in the overrides."""
    return document(
        container_id=f"{number:064x}",
        image=f"example.com/shape-{shape}:1",
        cmd=["serve", "--number", str(number)],
        environment={"NUMBER": str(number)},
        labels={"number": str(number)},
        **changes,
    )


def function(
    server: LocalServer,
    store: MemoryStore,
    registrations: MemoryRegistrations | None = None,
    *,
    client: Any = None,
    clock: Clock | None = None,
    cluster: str = CLUSTER,
) -> PortsInMemory:
    """A start function after its cold start: a client of its own. By default its waiting takes no time."""
    return PortsInMemory(
        store=store,
        ecs=BotoEcs(client or ecs_client(server.endpoint)),
        registrations=registrations or MemoryRegistrations(),
        settings=settings(cluster_arn=cluster),
        clock=clock or SettableClock(datetime.now(UTC)),
        new_token=lambda: token_hex(32),
    )
