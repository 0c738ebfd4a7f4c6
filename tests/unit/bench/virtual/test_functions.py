"""Lambda in the simulated world."""

from __future__ import annotations

from collections.abc import Callable

from bench.virtual import hops
from bench.virtual.functions import WARM, Account, Function
from bench.virtual.world import World


def function(world: World, **account: int) -> Function:
    return Function(world, Account(**account), "some", 512, hops.CPU)


def noted(world: World, ended: list[float]) -> Callable[[object], None]:
    return lambda _: ended.append(world.monotonic())


def test_a_second_invocation_is_warm_until_the_environment_has_idled_too_long() -> None:
    """One that begins while the first one runs needs an environment more."""
    world, ended = World(1, ()), list[float]()
    some = function(world)

    def invoke() -> None:
        assert some.invoke(lambda: world.pause(2), noted(world, ended))

    for instant in (0.0, 1.0, 20.0, 40.0 + WARM):
        world.after(instant, invoke)
    world.scheduler.run(until=2 * WARM)
    assert (some.invocations, some.cold_starts) == (4, 3)
    assert ended[2] - 20 < ended[0], "a warm one is sooner"
    assert 8 < some.billed < 9, "two seconds each, and the code"


def test_beyond_the_account_an_invocation_is_throttled() -> None:
    """Lambda keeps an event and brings it later; a caller is told at once."""
    world, ended = World(1, ()), list[float]()
    some = function(world, limit=1)

    def begin() -> None:
        assert some.invoke(lambda: world.pause(10), noted(world, ended))
        assert not some.invoke(lambda: world.pause(10), noted(world, ended))
        some.deliver(lambda: ended.append(world.monotonic()))

    world.after(0.0, begin)
    world.scheduler.run(until=60)
    assert len(ended) == 2
    # After 1, 3, 7 and 15 s.
    assert 15 < ended[1] < 16
    assert (some.throttled, some.account.most) == (5, 1)


def test_a_function_gets_a_thousand_environments_at_once_and_a_hundred_a_second() -> None:
    """The scaling rate of Lambda, for one function."""
    world = World(1, ())
    some = function(world, limit=10_000)
    begun: list[int] = []

    def burst(number: int) -> None:
        begun.append(sum(some.invoke(lambda: world.pause(100), lambda _: None) for _ in range(number)))

    world.after(0.0, lambda: burst(1200))
    world.after(2.0, lambda: burst(300))
    world.scheduler.run(until=300)
    assert begun == [1000, 200]
