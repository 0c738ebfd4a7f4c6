"""`python -m bench`: the deployed stack against the polling start of the seed, both against their floor, in one run."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console

from bench import report
from bench.calls import count_lives
from bench.floor import Floor
from bench.idle import measure_idle
from bench.latency import Round, Sample, container_id, one_round
from bench.observer import Observer
from bench.polling_backend import PORT
from bench.results import Measured, document, machine
from bench.systems import Polling, Reach
from local.cloud.cloud import LocalCloud
from local.cloud.deploy import STACK_NAME
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError

SPEED: Final = 0.2
"""Tasks run after 3.4 to 9.4 s. Slow enough that it is left to chance where between two of its ticks the polling
backend meets a task, as on Fargate with its 20 to 60 s; fast enough for a hundred starts in two minutes."""
FLOOR_TIMES: Final = 10
_SPAWNED: Final = f"Lambda worker spawned for {STACK_NAME}-".encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured; whether the goals are met is printed, not judged."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    try:
        measured = measure(options, console)
    except CloudError as error:
        print(error, file=sys.stderr)
        return 1
    results = document(measured, options.seed)
    report.show(console, results)
    for path in report.write(results, options.json, options.docs):
        console.print(f"[dim]{path} written[/dim]")
    return 0


def measure(options: argparse.Namespace, console: Console) -> Measured:
    """Everything, on a local cloud of its own. Raises `CloudError`, `Unusable`, `StartFailed`."""
    begun = time.monotonic()

    def say(line: str) -> None:
        console.print(f"  {time.monotonic() - begun:4.0f} s  {line}", highlight=False)

    layout = Layout(ROOT / ".local" / "bench")
    parameters = dict(options.parameter)
    with LocalCloud(layout, parameters=parameters, speed=str(SPEED), say=say) as cloud, Observer(PORT) as observer:
        polling, reach = Polling(cloud), Reach(cloud)
        say("first start, with every function cold")
        cold = one_round(reach, observer, number=0, containers=1, seed=options.seed)
        say("warm-up, uncounted")
        for system in (polling, reach):
            one_round(system, observer, number=-1, containers=options.containers, seed=options.seed)
        with Floor(cloud) as floor:
            agent = reach.wait(reach.start(container_id(options.seed, "floor"))).address
            floor.warm_up()
            log = layout.logs / "ministack.log"
            workers = log.read_bytes().count(_SPAWNED)
            rounds: list[Round] = []
            for number in range(1, options.rounds + 1):
                for system in (polling, reach):
                    say(f"round {number} of {options.rounds}: {options.containers} containers, {system.name}")
                    rounds.append(
                        one_round(system, observer, number=number, containers=options.containers, seed=options.seed)
                    )
                floor.measure(FLOOR_TIMES, agent)
            cold_starts = log.read_bytes().count(_SPAWNED) - workers
        say(f"whole lives of {options.lives} containers in each system, calls counted")
        lives = count_lives(cloud, (polling, reach), number=options.lives, healthy_seconds=options.healthy)
        say(f"an hour of {options.idle} idle containers, simulated")
        idle = measure_idle(cloud, containers=options.idle, seed=options.seed)
    return Measured(
        machine=machine(),
        options={name: getattr(options, name) for name in ("containers", "rounds", "seed")} | {"speed": SPEED},
        parameters=parameters,
        seconds=time.monotonic() - begun,
        cold=cold.samples[0],
        samples=tuple(_samples(rounds)),
        busy={
            system.name: _mean([one.busy for one in rounds if one.system == system.name]) for system in (polling, reach)
        },
        cold_starts=cold_starts,
        floor=floor.samples,
        lives=lives,
        idle=idle,
    )


def _samples(rounds: Sequence[Round]) -> list[Sample]:
    return [sample for one in rounds for sample in one.samples]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first signal unwinds, and so stops the cloud; a second one must not interrupt that."""
    del number, frame
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures the deployed stack on a local cloud of its own: how soon a backend knows that an agent "
        "listens, and how many AWS calls that costs; beside the polling start it replaces, and above the floor of the "
        "bare calls. Ratios are what to read: absolute times are this machine's. Takes about four minutes.",
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=ROOT / "bench" / "results.json",
        metavar="PATH",
        help="results, with every sample; the plot goes beside it (default: bench/results.json)",
    )
    parser.add_argument(
        "--docs",
        type=Path,
        default=ROOT / "docs" / "measurements.md",
        metavar="PATH",
        help="the page about them (default: docs/measurements.md)",
    )
    parser.add_argument(
        "--containers", type=_count, default=10, metavar="N", help="started together in a round (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=_count, default=5, metavar="N", help="of each system, in turn (default: %(default)s)"
    )
    parser.add_argument(
        "--lives", type=_count, default=3, metavar="N", help="containers whose calls are counted (default: %(default)s)"
    )
    parser.add_argument(
        "--healthy", type=float, default=15, metavar="S", help="seconds they stay healthy (default: %(default)s)"
    )
    parser.add_argument(
        "--idle", type=_count, default=1000, metavar="N", help="containers of the idle hour (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of container ids, spreads and resampling (default: %(default)s)"
    )
    parser.add_argument(
        "--parameter",
        type=_parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the stack, over the local cloud's; may be repeated (EarlyProbe=on)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
