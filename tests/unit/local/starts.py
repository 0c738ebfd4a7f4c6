"""Start functions on a local Fargate that runs nothing, for tests of what a start asks of ECS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Any, Final

from core.adapters.ecs import BotoEcs
from core.control.describe import Looker
from core.control.patience import Patience
from core.control.perform import Performer
from core.control.register import Registrar
from core.control.run_task import Launcher
from core.control.settle import Settler
from core.control.start import Starter
from core.ports import Clock
from tests.fakes import MemoryRegistrations, MemoryStore, MemoryVault, RecordingQueue, SettableClock
from tests.unit.core.requests import document, settings
from tests.unit.local.fargate.harness import LocalServer, ecs_client

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
    patience: Callable[[], Patience] | None = None,
    cluster: str = CLUSTER,
) -> Starter:
    """A start function after its cold start: a client of its own. By default its waiting takes no time."""
    turns = registrations or MemoryRegistrations()
    standing = SettableClock(datetime.now(UTC))
    clock = clock or standing
    ecs, vault, stack = BotoEcs(client or ecs_client(server.endpoint)), MemoryVault(), settings(cluster_arn=cluster)

    def failed(error: Exception) -> None:
        raise error

    return Starter(
        store=store,
        ecs=ecs,
        vault=lambda: vault,
        launcher=Launcher(ecs, Registrar(ecs, lambda: turns, clock)),
        settler=Settler(
            store, stack.policy, Performer(lambda: ecs, RecordingQueue, lambda: vault, clock, stack, "one").table()
        ),
        looker=Looker(ecs, clock, stack.started_by_prefix, failed),
        settings=stack,
        clock=clock,
        patience=patience or (lambda: Patience(monotonic=monotonic, sleep=standing.advance, random=lambda: 0.5)),
        new_token=lambda: token_hex(32),
    )
