"""What the role of each function may do, by what it does it on, for docs/security.md: from template.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from docs.counted import functions, template
from tests.template import Resolved
from tests.transformed import CHOICES

PLACES: Final = (
    "the table",
    "its stream",
    "the probe queue",
    "dead letters",
    "ECS",
    "parameters",
    "output of containers",
    "roles",
    "network",
)
_STREAM: Final = {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}


def table() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows: every action that a role allows, with all parameters given; but the own log, which each writes."""
    rows = []
    for function in functions():
        allowed = allowed_to(function)
        rows.append((f"`{function}`", *(", ".join(allowed.get(place, ())) or "-" for place in PLACES)))
    return ("function", *PLACES), rows


def allowed_to(function: str) -> dict[str, list[str]]:
    """The actions of a function's role by place, each once, without the service's name."""
    found: dict[str, list[str]] = {}
    for place, action in _allowed(function):
        if action not in found.setdefault(place, []):
            found[place].append(action)
    return found


def _allowed(function: str) -> Iterator[tuple[str, str]]:
    role = functions()[function]["Role"]["Fn::GetAtt"][0]
    properties = template()["Resources"][role]["Properties"]
    for policy in Resolved(template(), **CHOICES["everything"]).value(properties["Policies"]):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                for action in _list(statement["Action"]):
                    service, _, name = action.partition(":")
                    if name not in ("CreateLogStream", "PutLogEvents"):
                        yield _place(service, name, _list(statement["Resource"])), name


def _place(service: str, name: str, resources: list[str]) -> str:
    match service:
        case "dynamodb":
            return "its stream" if name in _STREAM else "the table"
        case "sqs":
            return "the probe queue" if resources == ["ProbeQueue.Arn"] else "dead letters"
        case _:
            return {
                "ecs": "ECS",
                "ssm": "parameters",
                "logs": "output of containers",
                "iam": "roles",
                "ec2": "network",
            }[service]


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
