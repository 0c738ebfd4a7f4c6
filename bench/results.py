"""bench/results.json: what each benchmark measured last. A run of one of them leaves the others as they are."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.rows import Result, Row

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "bench" / "results.json"
PLOTS: Final = ROOT / "docs"
SCHEMA: Final = 2
_PACKAGES: Final = ("boto3", "ministack", "aws-lambda-powertools", "pydantic", "transitions")


def read(file: Path = FILE) -> dict[str, Any]:
    """By the benchmark's name: `at`, `seconds`, `machine`, `rows`, `details`."""
    found: dict[str, Any] = json.loads(file.read_text())["benchmarks"] if file.exists() else {}
    return found


def rows(benchmark: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows of one benchmark of `read`."""
    return tuple(Row(**row) for row in benchmark["rows"])


def written(name: str, result: Result, seconds: float, file: Path = FILE, plots: Path = PLOTS) -> list[Path]:
    """Puts one benchmark's result into the file and its plots beside the documents: the paths."""
    benchmarks = read(file)
    benchmarks[name] = {
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round(seconds),
        "machine": machine(),
        "rows": [asdict(row) for row in result.rows],
        "details": dict(result.details),
    }
    document = {"schema": SCHEMA, "benchmarks": dict(sorted(benchmarks.items()))}
    texts = {file: json.dumps(document, indent=2, allow_nan=False) + "\n"}
    texts |= {plots / name: text for name, text in result.plots.items()}
    for path, text in texts.items():
        path.write_text(text)
    return list(texts)


def machine() -> dict[str, Any]:
    """What times depend on, as far as it is known. No names of hosts or users."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
    }
