"""One read for many probes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from core.model.errors import CallFailed, UnreadableRecord
from core.ports import Loaded
from core.probe.batched_reads import BatchedReads
from tests.factories import pending
from tests.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.record import Record


@dataclass
class Table:
    """Answers a read after a tenth of a second; reads one at a time, as it checks."""

    records: dict[str, Record] = field(default_factory=dict)
    unreadable: tuple[UnreadableRecord, ...] = ()
    reads: list[list[str]] = field(default_factory=list)
    fails: int = 0
    busy: bool = False

    async def load_many(self, container_ids: Sequence[str]) -> Loaded:
        """As the store's, awaitable."""
        assert not self.busy
        self.busy = True
        self.reads.append(list(container_ids))
        await asyncio.sleep(0.1)
        self.busy = False
        if self.fails:
            self.fails -= 1
            raise CallFailed("BatchGetItem", "InternalServerError", "try again", transient=True)
        found = {name: self.records[name] for name in container_ids if name in self.records}
        return Loaded(found, self.unreadable)


def table(count: int) -> Table:
    """With so many records, named by their numbers."""
    return Table({str(number): replace(pending(), container_id=str(number)) for number in range(count)})


def test_reads_of_one_moment_are_one_call() -> None:
    """A thousand probes that begin together read together, and each gets its own record."""
    world = table(1000)

    async def main() -> list[Record | None]:
        shared = BatchedReads(world.load_many)
        return await asyncio.gather(*(shared.read(str(number)) for number in range(1000)))

    assert [record.container_id for record in run(main()) if record] == [str(number) for number in range(1000)]
    assert [len(read) for read in world.reads] == [1000]


def test_reads_that_arrive_during_a_call_are_the_next() -> None:
    """A read gives no record that was loaded before it began, and calls never overlap."""
    world = table(3)

    async def late(shared: BatchedReads, number: int) -> Record | None:
        await asyncio.sleep(0.05)
        return await shared.read(str(number))

    async def main() -> None:
        shared = BatchedReads(world.load_many)
        await asyncio.gather(shared.read("0"), late(shared, 0), late(shared, 1))
        await shared.read("2")

    run(main())
    assert world.reads == [["0"], ["0", "1"], ["2"]]


def test_no_item_is_none() -> None:
    """A container without an item reads as None."""

    async def main() -> Record | None:
        return await BatchedReads(table(0).load_many).read("0")

    assert run(main()) is None


def test_a_failed_call_fails_its_reads_only() -> None:
    """Every read of the failed call raises; the next call is made all the same."""
    world = table(2)
    world.fails = 1

    async def main() -> tuple[Any, Record | None]:
        shared = BatchedReads(world.load_many)
        failed = await asyncio.gather(shared.read("0"), shared.read("1"), return_exceptions=True)
        return failed, await shared.read("0")

    failed, record = run(main())
    assert [type(error) for error in failed] == [CallFailed, CallFailed]
    assert record == world.records["0"]


def test_an_unreadable_item_is_its_owners_only() -> None:
    """One item of another version hides no other."""
    world = table(1)
    world.unreadable = (UnreadableRecord("9", "its schema is 9"),)

    async def main() -> Any:
        shared = BatchedReads(world.load_many)
        return await asyncio.gather(shared.read("0"), shared.read("9"), return_exceptions=True)

    record, error = run(main())
    assert record == world.records["0"]
    assert isinstance(error, UnreadableRecord)


@pytest.mark.parametrize("fails", [0, 1])
def test_a_cancelled_read_disturbs_no_other(fails: int) -> None:
    """A probe that ends during its read takes nothing from the others, whether the call works or not."""
    world = table(2)
    world.fails = fails

    async def main() -> tuple[asyncio.Task[Record | None], Any]:
        shared = BatchedReads(world.load_many)
        leaving, staying = asyncio.create_task(shared.read("0")), asyncio.create_task(shared.read("1"))
        await asyncio.sleep(0.05)
        leaving.cancel()
        return leaving, await asyncio.gather(staying, return_exceptions=True)

    leaving, (stayed,) = run(main())
    assert leaving.cancelled()
    assert isinstance(stayed, CallFailed) if fails else stayed == world.records["1"]
