"""docs/measurements.md: what was measured, how to measure it again, and what it does not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench import tables


def page(results: Mapping[str, Any]) -> str:
    """The whole page, from the results."""
    return _TEXT.format(
        starts=results["lag_ms"]["reach"]["samples"],
        at=results["at"][:10],
        machine=_machine(results["machine"]),
        lags=_table(tables.lags(results)),
        verdict=_verdict(results),
        stages=_table(tables.stages(results)),
        floor=_table(tables.floor(results)),
        calls=_table(tables.calls(results)),
        healthy=f"{results['calls_of_a_life']['healthy_seconds']:g}",
        idle=_table(tables.idle(results)),
        containers=f"{results['idle_hour']['containers']:,}",
        looked_at=f"{results['idle_hour']['looked_at']:,}",
        cold=f"{results['cold']['first_start_lag_ms']:.0f}",
        workers=results["cold"]["workers_started_while_measuring"],
        gap=f"{results['lag_ms']['observer_gap']:.0f}",
        quiet="not what was waited for" if results["quiet"] else "**partly what was waited for: measure again**",
        busy="{polling:.0%} and {reach:.0%}".format(**results["processors_busy"]),
        busiest=f"{results['processors_busy']['busiest_round']:.0%}",
        speed=f"{results['options']['speed']:g}",
    )


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['processors']} x {machine['processor']}, {machine['memory_gib']:g} GiB, {machine['system']}, "
        f"Python {machine['python']}, ministack {machine['ministack']}"
    )


def _verdict(results: Mapping[str, Any]) -> str:
    goals = results["goals"]
    faster = "met" if goals["at_least_10_times_faster_in_the_median"] else "**not met**"
    silent = "met" if goals["no_describe_tasks_on_the_normal_path"] else "**not met**"
    return f"At least 10 times faster in the median: {faster}. No DescribeTasks on the normal path: {silent}."


def _table(grid: tables.Grid) -> str:
    lines = [grid.head, tuple("---:" if number else "---" for number in range(len(grid.head))), *grid.rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


_TEXT = """# Measurements

Written by `make bench` on {at}. Read the ratios: absolute times are this machine's, {machine}.
Every sample is in `bench/results.json`.

## How soon a backend knows that an agent listens

{lags}

![quantiles](../bench/results.svg)

{verdict}

{starts} starts of each system, in rounds by turns, on the same local Fargate, with the same task. The truth is the
kernel's: a separate process reads every 2 ms which sockets listen (largest gap: {gap} ms). The other end is the
moment at which the backend would tell its caller. The polling start is that of the seed: DescribeTasks every 2 s, then
GET /health every second, the first of each after one interval. This stack's backend is `wait_until_healthy`, with its
own pauses between reads.

With so few samples p99 is the slowest one or close to it. Functions were warm: two rounds went before, not counted
(workers started while measuring: {workers}). The very first start, with every function cold, took {cold} ms. The
processors were busy for {busy} of the time (polling start, this stack), {busiest} in the busiest round: they were
{quiet}.

### Where the time goes

{stages}

The first two rows of this stack lie before or beside the lag, the others make it up.

### The floor

Bare calls to the same local AWS in the same run, with nothing of the product in them. A design driven by events cannot
do with less.

{floor}

## Calls of one container's life

Started, healthy for {healthy} s, stopped, ended; the average of a few, the task definition known. The local Fargate
takes {speed} of Fargate's time to run a task and to end it, so both poll more on AWS than here: the polling start makes
a DescribeTasks for every 2 s of the start and every 5 s afterwards, 720 an hour.

{calls}

Beside these, by design: Lambda's own ReceiveMessage and DeleteMessage for the probe's message. The seed registers a
task definition for every container; here it is spared that.

## {containers} idle containers for an hour

The reconciler every minute and the leak finder every 15 minutes, on a table of healthy records, by a simulated clock;
each record is compared with ECS every 15 to 18 minutes ({looked_at} looks).

{idle}

ECS lets an account make 20 such reads a second, in the long run: 72,000 an hour, for all its callers.
Once an hour, not in the table: one Scan and a few calls that retire task definitions.

## Again

<!-- needs: make -->
```bash
make bench                                             # about four minutes
.venv/bin/python -m bench --help
.venv/bin/python -m bench --rounds 20 --seed 7         # more starts
.venv/bin/python -m bench --parameter EarlyProbe=on --json early.json --docs early.md
```

## What this does not say

- How long AWS takes. The local AWS delivers events and messages in milliseconds, and it is not published how long ECS
  takes to emit them. One public measurement (eu-west-1, 2023): EventBridge to Lambda 148 ms (p50) and 387 ms (p99), SQS
  to Lambda 16 ms and 105 ms. Add them to this stack's side, and the network's time to both.
- How long cold starts take on Lambda. Here they are a Python process that imports boto3.
- How long a real agent needs to start. The local one is a Python program that listens some 0.2 s after RUNNING. A
  compiled one may listen before the event arrives; then the event's path counts in full, and the polling start's wait
  for its next DescribeTasks too.
- Anything about many starts a second: see `bench/probe_capacity.py` for what one prober holds.
"""
