"""What the functions read and write of one item in an ordinary life: counted, not timed (`docs.measured`)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from bench.rows import Result, Say, at_most
from docs.measured import measured

WRITES: Final = 5
READS: Final = 1


def measure(say: Say) -> Result:
    """The same code has the same counts."""
    say("counting the reads and writes of a life")
    steps = measured().steps
    puts = sum(step.calls.get("write of an item", 0) for step in steps)
    most = max(steps, key=lambda step: step.calls.get("read of an item", 0))
    reads = most.calls.get("read of an item", 0)
    units, index = sum(step.writes for step in steps), sum(step.index for step in steps)
    rows = (
        at_most(
            WRITES,
            "item writes",
            puts,
            point="3",
            what="the functions, in an ordinary life: start, healthy, stop, end",
            measured=f"{puts}, {units} WRU, and {index} WRU of the index; an item of "
            f"{max(step.item_bytes for step in steps):,} bytes at most",
            why="; ".join(f"{step.what}: {step.calls.get('write of an item', 0)}" for step in steps),
        ),
        at_most(
            READS,
            "item read",
            reads,
            point="3",
            what="the functions, for an event",
            measured=f"{reads}; {sum(step.reads for step in steps):g} RRU in {len(steps)} events",
            why=f"{most.what} takes most",
        ),
    )
    return Result(rows, {"steps": [asdict(step) for step in steps]})
