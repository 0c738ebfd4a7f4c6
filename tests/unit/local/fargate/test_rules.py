from __future__ import annotations

from typing import Any

import pytest

from local.fargate.request_rules import run_task_violations, tag_violations
from local.fargate.rules import FARGATE_SIZES, cpu_units, memory_mib, violations
from tests.unit.local.fargate.harness import (
    agent_definition,
    container,
    definition,
    efs_definition,
    environment,
    init_definition,
    request,
)

ROLE = "arn:aws:iam::000000000000:role/execution"
SECRET = {"name": "TOKEN", "valueFrom": "arn:aws:ssm:us-east-1:000000000000:parameter/token"}


def main(**members: Any) -> dict[str, Any]:
    """A definition whose only container has these members."""
    return definition(container("true", **members))


def efs(**configuration: Any) -> dict[str, Any]:
    """A definition with an EFS volume."""
    volume = {"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-01234567", **configuration}}
    return definition(container("true"), volumes=[volume])


@pytest.mark.parametrize(
    "good",
    [
        agent_definition(9111),
        efs_definition(9111),
        init_definition(9111),
        main(secrets=[SECRET]) | {"executionRoleArn": ROLE},
        main() | {"cpu": ".5 vCPU", "memory": "1GB"},
        efs(rootDirectory="/sockerless/bin"),
        efs(authorizationConfig={"accessPointId": "fsap-1"}, transitEncryption="ENABLED", rootDirectory="/"),
        main(image="000000000000.dkr.ecr.us-east-1.amazonaws.com/a:1") | {"executionRoleArn": ROLE},
    ],
)
def test_what_aws_takes_is_taken(good: dict[str, Any]) -> None:
    """Definitions that AWS accepts have no violations."""
    assert violations(good) == []


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (main() | {"family": "a b"}, "Family contains invalid characters"),
        (main() | {"family": "f" * 256}, "longer than 255"),
        (main(command=["x" * 70_000]), "exceeds the maximum allowed length"),
        (main() | {"networkMode": "bridge"}, "only supports network mode 'awsvpc'"),
        (main() | {"cpu": "300"}, "Invalid 'cpu' setting for task."),
        (main() | {"memory": "4096"}, "No Fargate configuration exists for given values"),
        ({key: value for key, value in main().items() if key != "cpu"}, "requires that 'cpu' be defined"),
        ({key: value for key, value in main().items() if key != "memory"}, "requires that 'memory' be defined"),
        (main(cpu=512), "exceeds that of the task"),
        (main(memory=1024), "'memory' of a container exceeds"),
        (main() | {"ephemeralStorage": {"sizeInGiB": 20}}, "between 21 and 200"),
        (main(secrets=[SECRET]), "must also specify a value for 'executionRoleArn'"),
        (main(logConfiguration={"logDriver": "awslogs"}), "to support log driver awslogs"),
        (main(image="0.dkr.ecr.us-east-1.amazonaws.com/a"), "to support ECR images"),
        (main(secrets=[SECRET], environment=environment(TOKEN="x")), "secret name must be unique"),
        (main(essential=False), "at least one essential container"),
        (main(image=""), "Container.image should not be null or empty"),
        (main(name="a b"), "Container.name"),
        (main(stopTimeout=121), "stopTimeout of container 'main'"),
        (main(portMappings=[{"containerPort": 80, "hostPort": 81}]), "host ports and container ports"),
        (main(mountPoints=[{"sourceVolume": "v", "containerPath": "/a"}]), "Unknown volume 'v'."),
        (efs(rootDirectory="/a", authorizationConfig={"accessPointId": "fsap-1"}), "must be omitted or '/'"),
        (efs(authorizationConfig={"accessPointId": "fsap-1"}), "transit encryption of volume 'v' must be enabled"),
        (efs(authorizationConfig={"iam": "ENABLED"}), "transit encryption of volume 'v' must be enabled"),
        (efs(fileSystemId="nonsense"), "Invalid EFS file system id"),
        (definition(), "Container list cannot be empty."),
        (definition(*(container("true", name=f"c{number}") for number in range(11))), "at most 10 containers"),
        (definition(container("true"), container("true")), "must be unique"),
        (main() | {"volumes": [{"name": "v"}, {"name": "v"}]}, "Duplicate volume name 'v'."),
        (main() | {"volumes": [{"name": "v", "host": {"sourcePath": "/"}}]}, "host.sourcePath should not be set"),
        (main(dependsOn=[{"containerName": "x", "condition": "START"}]), "which is no other container"),
        (
            definition(
                container("true", dependsOn=[{"containerName": "init", "condition": "SUCCESS"}]),
                container("true", name="init"),
            ),
            "'init' cannot be essential",
        ),
        (
            definition(
                container("true", dependsOn=[{"containerName": "b", "condition": "START"}]),
                container("true", name="b", dependsOn=[{"containerName": "main", "condition": "START"}]),
            ),
            "form a cycle",
        ),
    ],
)
def test_what_aws_refuses_is_named(bad: dict[str, Any], complaint: str) -> None:
    """Each rule that emulators do not check has a violation of its own."""
    assert any(complaint in violation for violation in violations(bad)), violations(bad)


def test_sizes_have_units() -> None:
    """cpu is CPU units or vCPU, memory MiB or GB; anything else is no size."""
    assert [cpu_units(text) for text in ("256", ".25 vCPU", "1 vcpu", "1GB", "many")] == [256, 256, 1024, None, None]
    assert [memory_mib(text) for text in ("512", "0.5GB", "1 GB", "1 vCPU", "")] == [512, 512, 1024, None, None]


def test_every_fargate_size_is_taken() -> None:
    """All pairs of the table register, from 256/512 to 16384/122880."""
    pairs = [(cpu, memory) for cpu, memories in FARGATE_SIZES.items() for memory in memories]
    assert (min(pairs), max(pairs)) == ((256, 512), (16384, 122880))
    assert all(violations(main() | {"cpu": str(cpu), "memory": str(memory)}) == [] for cpu, memory in pairs)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"count": 11}, "count must be between 1 and 10"),
        ({"startedBy": "s" * 129}, "startedBy longer than 128"),
        ({"startedBy": "a b"}, "startedBy contains invalid characters"),
        ({"clientToken": "t" * 65}, "clientToken"),
        ({"launchType": "EC2"}, "No Container Instances were found"),
        ({"networkConfiguration": {}}, "Network Configuration must be provided"),
        ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}}, "subnets must be between"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "Override for container named other"),
        ({"overrides": {"containerOverrides": [{"name": "main", "command": ["x" * 8192]}]}}, "at most 8192"),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, "cannot be specified together"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "Invalid tag key"),
    ],
)
def test_bad_requests_are_named(parameters: dict[str, Any], complaint: str) -> None:
    """Each rule of RunTask that emulators do not check has a violation of its own."""
    found = run_task_violations(request("tests", **parameters), main())
    assert any(complaint in violation for violation in found), found


def test_overrides_may_have_8192_characters() -> None:
    """The limit includes the JSON around the values: the last character that fits is taken, the next is not."""
    empty = len('{"containerOverrides":[{"name":"main","command":[""]}]}')
    for size, taken in ((8192 - empty, True), (8193 - empty, False)):
        overrides = {"containerOverrides": [{"name": "main", "command": ["x" * size]}]}
        assert (run_task_violations(request("tests", overrides=overrides), main()) == []) is taken


def test_health_conditions_are_refused_honestly() -> None:
    """What this Fargate cannot do it refuses, rather than doing something else."""
    checked = container("true", name="db", healthCheck={"command": ["CMD", "true"]})
    waiting = container("true", dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
    both = definition(checked, waiting)
    assert violations(both) == []
    assert "runs no health checks" in run_task_violations(request("tests"), both)[0]


def test_tags() -> None:
    """At most fifty, with unique keys, of AWS's characters."""
    assert list(tag_violations([{"key": "team:x", "value": "a b/c=d+e-f@g"}])) == []
    assert list(tag_violations([{"key": "a"}, {"key": "a"}])) == ["Tag keys must be unique."]
    assert list(tag_violations([{"key": "a", "value": "<"}])) == ["Invalid value of tag 'a'."]
    assert "at most 50" in next(tag_violations([{"key": f"k{number}"} for number in range(51)]))
