"""What AWS enforces in RunTask and emulators do not."""

from __future__ import annotations

from typing import Any

import pytest

from local.fargate.rules import override_violations, overrides_length
from tests.unit.local.fargate.ecs_requests import RUN, definition, tags


def network(**members: Any) -> dict[str, Any]:
    """RunTask's member with these members of awsvpcConfiguration."""
    return {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"], **members}}}


def overrides(**members: Any) -> dict[str, Any]:
    """RunTask's member with this override of `main`."""
    return {"overrides": {"containerOverrides": [{"name": "main", **members}]}}


def tag(key: str = "key", value: str = "") -> dict[str, Any]:
    """RunTask's member with this only tag."""
    return {"tags": [{"key": key, "value": value}]}


def strategy(*items: dict[str, Any], **members: Any) -> dict[str, Any]:
    """RunTask's members with a strategy in place of the launch type: of Spot, unless items say otherwise."""
    spot = {"capacityProvider": "FARGATE_SPOT", "weight": 1}
    return {"capacityProviderStrategy": [{**spot, **item} for item in items or [members]]}


BOTH = {"capacityProvider": "FARGATE"}


@pytest.mark.parametrize(
    ("taken", "refused", "says"),
    [
        (strategy(), strategy() | {"launchType": "FARGATE"}, "launchType: Specifying both a launch type and capacity"),
        (strategy(), {}, "launchType: No Container Instances were found in your cluster."),
        (
            strategy(),
            strategy(capacityProvider="mine"),
            "The specified capacity provider 'mine' was not found. Spec",
        ),
        (strategy({}, BOTH), strategy({}, {}), "capacityProviderStrategy: each capacity provider must be unique"),
        (strategy(weight=1000), strategy(weight=1001), "capacityProviderStrategy.weight: must be from 0 to 1000"),
        (
            strategy(weight=0),
            strategy({"weight": 0}, BOTH | {"weight": 0}),
            "weight: at least one must be greater",
        ),
        (strategy({"base": 1}, BOTH), strategy({"base": 1}, BOTH | {"base": 1}), "base: one provider may have a base"),
        (strategy(base=100_000), strategy(base=100_001), "base: one provider may have a base, from 0 to 100000"),
    ],
)
def test_both_sides_of_a_rule_of_capacity(taken: dict[str, Any], refused: dict[str, Any], says: str) -> None:
    """As below, for the launch type and the strategy."""
    run = {name: value for name, value in RUN.items() if name != "launchType"}
    assert override_violations({**run, **taken}, definition()) == ()
    (found,) = override_violations({**run, **refused}, definition())
    assert says in str(found)


def test_a_strategy_has_twenty_providers() -> None:
    """ECS knows more than Fargate's two; a strategy of so many is refused whatever they are."""
    run = {name: value for name, value in RUN.items() if name != "launchType"}
    says = {str(found) for found in override_violations({**run, **strategy(*[{}] * 21)})}
    assert "capacityProviderStrategy: must be at most 20" in says


@pytest.mark.parametrize(
    ("taken", "refused", "says"),
    [
        ({"count": 1}, {"count": 0}, "count: must be from 1 to 10"),
        ({"count": 10}, {"count": 11}, "count: must be from 1 to 10"),
        ({"startedBy": "aZ09-/_"}, {"startedBy": "a.b"}, "startedBy: must have letters, digits, hyphens, slashes and"),
        ({"startedBy": ""}, {"startedBy": "a\n"}, "startedBy: must have letters, digits, hyphens, slashes and under"),
        ({"startedBy": "a" * 128}, {"startedBy": "a" * 129}, "startedBy: startedBy longer than 128."),
        ({"clientToken": "!" * 63 + "~"}, {"clientToken": "a" * 65}, "clientToken: must have 1 to 64 characters"),
        ({"clientToken": "a"}, {"clientToken": ""}, "clientToken: must have 1 to 64 characters"),
        ({"clientToken": "a"}, {"clientToken": "a b"}, "clientToken: must have 1 to 64 characters from the range 33"),
        (network(), {"networkConfiguration": {}}, "networkConfiguration: Network Configuration must be provided when"),
        (network(subnets=["s"]), network(subnets=[]), "awsvpcConfiguration.subnets: subnets can not be empty."),
        (network(subnets=["s"] * 16), network(subnets=["s"] * 17), "awsvpcConfiguration.subnets: must be at most 16"),
        (network(securityGroups=["g"] * 5), network(securityGroups=["g"] * 6), "securityGroups: must be at most 5"),
        (network(assignPublicIp="ENABLED"), network(assignPublicIp="YES"), "assignPublicIp: must be ENABLED or DIS"),
        ({"tags": tags(50)}, {"tags": tags(51)}, "tags: at most 50 are allowed, these are 51"),
        ({"tags": tags(2)}, {"tags": [*tags(1), *tags(1)]}, "tags: each key must be unique"),
        (tag("k" * 128, "v" * 256), tag("k" * 129), "tags[0]: a key has 1 to 128 characters"),
        (tag(value="aws"), tag(value="aws:x"), "tags[0]: the prefix aws: is reserved"),
        (tag("é/1+2=3"), tag("a", "!"), "tags[0]: only letters, numbers, spaces and"),
        (overrides(command=["x"]), overrides(name="other"), "Override for container named other is not a container in"),
        (
            overrides(environment=[{"name": "B", "value": ""}]),
            overrides(environment=[{"name": "TOKEN", "value": ""}]),
            "overrides.containerOverrides[main].environment: TOKEN is a secret of the container",
        ),
        (
            {"overrides": {"ephemeralStorage": {"sizeInGiB": 200}}},
            {"overrides": {"ephemeralStorage": {"sizeInGiB": 5}}},
            "overrides.ephemeralStorage.sizeInGiB: must be from 21 to 200",
        ),
    ],
)
def test_both_sides_of_a_rule(taken: dict[str, Any], refused: dict[str, Any], says: str) -> None:
    """The last value that a rule allows has no violation; the first that it forbids has one, with the member's path."""
    assert override_violations({**RUN, **taken}, definition()) == ()
    (found,) = override_violations({**RUN, **refused}, definition())
    assert says in str(found)


def test_an_override_needs_a_name() -> None:
    """Without a definition the run is checked by itself."""
    (found,) = override_violations({**RUN, "overrides": {"containerOverrides": [{"command": ["x"]}]}})
    assert str(found) == "overrides.containerOverrides: an override needs the name of its container"


def test_overrides_have_8192_characters() -> None:
    """All overrides together, with the characters of their JSON; characters, not bytes."""

    def run(value: str) -> dict[str, Any]:
        return {**RUN, **overrides(environment=[{"name": "A", "value": value}])}

    room = 8192 - overrides_length(run("")["overrides"])
    assert override_violations(run("ä" * room)) == ()
    (found,) = override_violations(run("ä" * (room + 1)))
    assert found.refusal == "Container Overrides length must be at most 8192"
