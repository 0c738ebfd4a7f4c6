"""Units that the template decides: how many there are of what is paid for, how large, and how often it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from docs.prices import HOURS
from tests.template import load_template


@cache
def template() -> Mapping[str, Any]:
    """template.yaml, read once."""
    return load_template()


def functions() -> Mapping[str, Mapping[str, Any]]:
    """The properties of every function, by logical id."""
    kind = "AWS::Serverless::Function"
    return {name: one["Properties"] for name, one in template()["Resources"].items() if one["Type"] == kind}


def schedules() -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """The schedules of the template by name: the function, and the schedule's properties."""
    return {
        name: (function, one["Properties"])
        for function, properties in functions().items()
        for name, one in properties.get("Events", {}).items()
        if one["Type"] == "ScheduleV2"
    }


def runs_a_month(expression: str) -> int:
    """A month's runs of `rate(15 minutes)`."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", expression)
    if found is None:
        raise ValueError(f"{expression} is no rate in minutes or hours: teach docs/costs.py to count its runs")
    return HOURS * (60 if found[2] == "minute" else 1) // int(found[1])


def memory(function: str) -> int:
    """MB of a function."""
    shared = template()["Globals"]["Function"]
    return int(template()["Resources"][function]["Properties"].get("MemorySize") or shared["MemorySize"])


def default(parameter: str) -> int:
    """The default of a parameter that is a number."""
    return int(template()["Parameters"][parameter]["Default"])


def resources(kind: str) -> list[dict[str, Any]]:
    """The properties of every resource of a type."""
    return [one["Properties"] for one in template()["Resources"].values() if one["Type"] == kind]


def watched(alarm: Mapping[str, Any]) -> int:
    """Metrics of one alarm: one, or those that an expression combines."""
    return sum("MetricStat" in one for one in alarm.get("Metrics", ())) or 1


def event_sources(kind: str) -> list[Any]:
    """Every event source of a type, of all functions."""
    sources = [one for properties in functions().values() for one in properties.get("Events", {}).values()]
    return [one for one in sources if one["Type"] == kind]
