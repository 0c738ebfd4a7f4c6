"""CPU seconds of a cold start, against a bare function with one DynamoDB client: imports, clients, the first event.

Each start is a fresh process, because only the first import and the first client of a process are cold; the byte code
is compiled before. The bare function's starts alternate with a function's, so what the machine does meets both; it only
ever adds, so the cheapest start of each counts. CPU seconds divide by the part of a CPU that a size gives: 1,769 MB are
one (Lambda Developer Guide, "Configure memory").

AWS is a process of its own that answers in plain HTTP: TLS, which costs a few hundredths more, is not in the figures,
and no waiting is. What lasts more than `LONG` while the functions are imported is named with its reason.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bench.functions.double import double
from bench.functions.running import environment, run
from bench.functions.scenes import SCENES, answers, event_of
from bench.rows import CannotMeasure, Result, Row, Say, at_most
from local.cloud.build import built
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError

GOAL: Final = 1.4
STARTS: Final = 7
"""Of each function, and of the bare one beside each."""
LONG: Final = 0.02
PACKAGE: Final = 25.0
"""MB, unzipped: a tenth of what Lambda takes."""
REASONS: Final = {
    "botocore": "the AWS client; the bare function has it too",
    "urllib3": "botocore's HTTP",
    "pydantic": "reads start requests, with an error for each member that is wrong",
    "pydantic_core": "pydantic's",
    "aws_lambda_powertools": "the structured log and the metrics",
    "core": "the product itself; half of it is dataclasses being made",
    "handlers": "the product itself",
    "asyncio": "the event loop of the probes",
}
"""Of each package that takes longer than `LONG`."""
_TIMED: Final = re.compile(r"import time: +(\d+) \| +\d+ \| +([\w.]+)")
_ID: Final = "a" * 64


def measure(say: Say) -> Result:
    """Two minutes. Raises `CannotMeasure` when the functions cannot be built."""
    details: dict[str, Any] = {"starts": STARTS, "functions": []}
    with double(answers()) as address:
        for name, scene in SCENES.items():
            pairs = [_pair(name, address) for _ in range(STARTS + 1)][1:]
            ours, bare = (min((one[side] for one in pairs), key=_first) for side in (0, 1))
            details["functions"].append(
                {
                    "function": scene.function,
                    "ours": ours,
                    "bare": bare,
                    "ratio": _first(ours) / _first(bare),
                    "imports": dict(_imports(name, address, ours["imports"])),
                }
            )
            say(f"{scene.function}: {details['functions'][-1]['ratio']:.2f} times the bare function")
    details["package_bytes"] = _package(say)
    return Result(tuple(rows(details)), details)


def rows(details: Mapping[str, Any]) -> Iterator[Row]:
    """What was aimed at, of the details."""
    for one in details["functions"]:
        ours, bare = one["ours"], one["bare"]
        largest = sorted(one["imports"].items(), key=lambda part: -part[1])[:4]
        yield at_most(
            GOAL,
            "times a bare function",
            one["ratio"],
            point="6",
            what=f"cold start of {one['function']}: CPU to the first answer",
            measured=f"{one['ratio']:.2f} x: {_first(ours):.2f} s against {_first(bare):.2f} s",
            why=", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in largest)
            + f" of imports; clients {ours['clients'] * 1000:.0f} ms, first event {ours['first event'] * 1000:.0f} ms",
        )
    long = {name for one in details["functions"] for name, seconds in one["imports"].items() if seconds > LONG}
    unknown = sorted(long - REASONS.keys())
    reasons = [f"{name} ({REASONS.get(name, 'no reason')})" for name in sorted(long)]
    yield at_most(
        0,
        "packages without a reason",
        len(unknown),
        point="6",
        what=f"packages that take more than {LONG * 1000:.0f} ms to import",
        measured=f"{len(unknown)} of {len(long)}: {', '.join(reasons)}",
        why=", ".join(unknown),
    )
    megabytes = details["package_bytes"] / 1e6
    yield at_most(
        PACKAGE,
        "MB unzipped, a tenth of what Lambda takes",
        megabytes,
        point="6",
        what="the package of the functions, as SAM builds it",
        measured=f"{megabytes:.1f} MB",
        why="its packages",
    )


def _first(steps: Mapping[str, float]) -> float:
    return steps["imports"] + steps["clients"] + steps["first event"]


def _pair(name: str, address: str) -> tuple[dict[str, float], dict[str, float]]:
    """The steps of one start of the function and of the bare one."""
    ours, bare = (
        run(("-m", "bench.functions.cold", module, event), name, address)
        for module, event in (
            (SCENES[name].module, event_of(name, _ID, address)),
            ("bare", f'{{"container_id": "{_ID}"}}'),
        )
    )
    return ours, bare


def _imports(name: str, address: str, total: float) -> Iterator[tuple[str, float]]:
    """CPU seconds by package, without what it imports of others: shares of `total`, which all of them take.

    Python measures them by the clock, so the shortest of each module in a few processes counts.
    Without the name of a function, by which `handlers.app` knows Lambda's init phase, and makes clients.
    """
    shortest: dict[str, float] = {}
    alone = environment(name, address)
    del alone["AWS_LAMBDA_FUNCTION_NAME"]
    arguments = ("-X", "importtime", "-c", f"import handlers.{SCENES[name].module}")
    for _ in range(5):
        done = subprocess.run([sys.executable, *arguments], env=alone, check=True, capture_output=True, text=True)
        for microseconds, module in _TIMED.findall(done.stderr):
            shortest[module] = min(shortest.get(module, 1e9), int(microseconds) / 1e6)
    packages: Counter[str] = Counter()
    for module, seconds in shortest.items():
        packages[module.partition(".")[0]] += seconds  # type: ignore[assignment]  # Counter's are int
    scale = total / sum(shortest.values())
    return iter((name, seconds * scale) for name, seconds in packages.most_common())


def _package(say: Say) -> int:
    """Bytes of one function's directory, without the byte code that the laptop cloud adds."""
    try:
        with built(Layout(ROOT / ".local" / "bench"), say) as template:
            directory = next(path for path in template.parent.iterdir() if path.is_dir())
            return sum(_bytes(path) for path in directory.rglob("*"))
    except CloudError as error:
        raise CannotMeasure(str(error)) from error


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() and "__pycache__" not in path.parts else 0
