"""One life from its seed: put together, lived for a day, judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.model.record import Record
from tests.exploration.backend import Backend
from tests.exploration.ecs import SimulatedEcs
from tests.exploration.faults import CALM_AFTER
from tests.exploration.platform import Platform
from tests.exploration.prober import Prober
from tests.exploration.rest import judge
from tests.exploration.rules import Broken, Rules
from tests.exploration.stores import (
    SimulatedOutput,
    SimulatedQueue,
    SimulatedRegistrations,
    SimulatedStore,
    SimulatedVault,
)
from tests.exploration.wired import ControlPlane, Surroundings
from tests.exploration.world import World
from tests.factories import SETTINGS

DAY: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Lived:
    """What became of it. `leaks` says of each task that only the leak finder ended why; `end` is the record's state."""

    seed: int
    number: int
    broken: tuple[Broken, ...]
    leaks: tuple[str, ...]
    deaths: bool
    tasks: int
    end: str
    trace: tuple[str, ...] = ()


Plant = Callable[[Surroundings], Surroundings]


def _nothing(around: Surroundings) -> Surroundings:
    return around


def live(seed: int, number: int, *, traced: bool = False, plant: Plant = _nothing) -> Lived:
    """The same arguments, the same life. `plant` puts a fault between the control plane and its surroundings."""
    world = World(f"{seed}/{number}", traced=traced)
    rules = Rules(world)
    platform = Platform(world, rules)
    vault = SimulatedVault(world)

    def saved(before: Record | None, after: Record) -> None:
        rules.saved(before, after)
        platform.saved(before, after)
        backend.saved(after)

    store = SimulatedStore(world, saved)
    ecs = SimulatedEcs(world, vault.tokens.get, platform.changed)
    output = SimulatedOutput(world, ecs.tasks)
    queue = SimulatedQueue(world, platform.deliver)
    around = Surroundings(
        store=store,
        ecs=ecs,
        queue=queue,
        vault=vault,
        registrations=SimulatedRegistrations(world),
        output=output,
        settled=rules.told,
        leaked=rules.leaked,
    )
    plane = ControlPlane(world, plant(around))
    prober = Prober(world, plane, store, ecs, rules)
    backend = Backend(world, plane, rules)
    platform.plane, platform.store, platform.ecs, platform.prober = plane, store, ecs, prober
    platform.parameters = vault.tokens
    rules.ecs, rules.store, backend.ecs = ecs, store, ecs
    world.note(world.trouble)
    world.note(
        dict(sorted(vars(world.settings).items() - vars(SETTINGS).items())),
        f"looks {world.policy.healthy_check}",
    )

    try:
        platform.begin()
        backend.begin()
        world.scheduler.run(CALM_AFTER + DAY)
        judge(rules, vault, output)
    finally:
        world.scheduler.close()
    record = store.truth(world.container_id)
    return Lived(
        seed,
        number,
        tuple(rules.broken),
        tuple(rules.ended_by_the_leak_finder()),
        not world.trouble.answers_only,
        len(ecs.tasks),
        str(record.state) if record else "never recorded",
        tuple(world.trace or ()),
    )
