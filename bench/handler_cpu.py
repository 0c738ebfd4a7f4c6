"""CPU of each function for an ordinary event, against boto3 alone that makes the same calls; and over many events.

Both make them in one process by turns, in blocks, against an AWS and an agent in another process that only answers.
What the functions do more is the product: parse the event, read the item, decide, write the item, log, count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Final

from bench.functions.double import double
from bench.functions.running import run
from bench.functions.scenes import SCENES, answers
from bench.rows import Result, Row, Say, at_most

GOAL: Final = 1.5
BLOCKS: Final = 20
CALLS: Final = 20
"""Of each, in each block."""
EVENTS: Final = 100_000
PARTS: Final = 10
SCENE: Final = "task-running"
STEADY: Final = 1.1
"""Times the CPU of the first tenth that the last one may take; and of memory."""


WHY: Final = {
    "agent-answers": "one process holds a thousand probes at once, so each is tasks of an event loop, its calls of AWS "
    "are made in threads, and its two requests to the agent by h11; the bare calls follow each other in one thread",
}
"""What explains a scene that misses the goal."""


def measure(say: Say) -> Result:
    """Three minutes."""
    details: dict[str, Any] = {"blocks": BLOCKS, "calls": CALLS, "events": EVENTS, "functions": []}
    with double(answers()) as address:
        for name, scene in SCENES.items():
            found = run(
                ("-m", "bench.functions.worker", "pairs", name, address, str(BLOCKS), str(CALLS)), name, address
            )
            details["functions"].append(
                {
                    "scene": name,
                    "function": scene.function,
                    "calls": list(found["operations"]),
                    "ratio": round(ratio(found["handler"], found["bare"]), 3),
                    **{f"{side}_ms": round(median(found[side]) / CALLS * 1000, 2) for side in ("handler", "bare")},
                }
            )
            say(f"{name}: {details['functions'][-1]['ratio']:.2f} times the bare calls")
        say(f"{EVENTS:,} events")
        each = str(EVENTS // PARTS)
        details["parts"] = run(
            ("-m", "bench.functions.worker", "parts", SCENE, address, str(PARTS), each), SCENE, address
        )
    return Result((*rows(details["functions"]), *flat(details["parts"])), details)


def ratio(handler: Sequence[float], bare: Sequence[float]) -> float:
    """Of the pairs, the median: a neighbour's burst meets one of them."""
    return median(ours / theirs for ours, theirs in zip(handler, bare, strict=True))


def rows(functions: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Each function against its bare calls."""
    for one in functions:
        calls = ", ".join(one["calls"])
        yield at_most(
            GOAL,
            "times the bare calls",
            one["ratio"],
            point="6",
            what=f"CPU of {one['function']} for an event ({one['scene']})",
            measured=f"{one['ratio']:.2f} x: {one['handler_ms']:.1f} ms against {one['bare_ms']:.1f} ms of {calls}",
            why=WHY.get(one["scene"], f"{one['handler_ms'] - one['bare_ms']:.1f} ms are the product's own"),
        )


def flat(parts: Mapping[str, Sequence[float]]) -> Iterator[Row]:
    """The last tenth of many events against the first one."""
    cpu, mib, more = parts["cpu"], parts["mib"], parts["objects"][-1] - parts["objects"][0]
    yield at_most(
        STEADY,
        "times the CPU of the first tenth",
        cpu[-1] / cpu[0],
        point="6",
        what=f"TaskStateFunction, {EVENTS:,} events of as many containers without the SDK: the last tenth",
        measured=f"{cpu[-1] / cpu[0]:.2f} x: {cpu[-1] * 1000:.2f} ms, {cpu[0] * 1000:.2f} ms an event",
        why="what else the machine does",
    )
    yield at_most(
        STEADY,
        "times the memory after the first tenth",
        mib[-1] / mib[0],
        point="6",
        what=f"TaskStateFunction, {EVENTS:,} events of as many containers without the SDK: memory",
        measured=f"{mib[-1] / mib[0]:.2f} x: {mib[-1]:.1f} MiB, {mib[0]:.1f} MiB; {more:+,.0f} objects",
        why=f"{more:,.0f} objects more",
    )
