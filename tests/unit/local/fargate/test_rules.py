"""The local Fargate refuses each violation of a rule in ECS's words, and each feature that it lacks."""

from __future__ import annotations

from typing import Any

import pytest

from local.fargate.rules import override_violations, violations
from tests.unit.local.fargate.harness import (
    LocalServer,
    agent_definition,
    container,
    definition,
    efs_definition,
    environment,
    init_definition,
    refused,
    request,
)

SECRET = {"name": "TOKEN", "valueFrom": "arn:aws:ssm:us-east-1:000000000000:parameter/token"}
CORE = {"name": "core", "softLimit": 0, "hardLimit": 0}
CREDENTIALS = {"credentialsParameter": "arn:aws:secretsmanager:us-east-1:000000000000:secret:registry-AbCdEf"}
SLEEPER = definition(container("sleep", "60"))


def main(**members: Any) -> dict[str, Any]:
    """A definition whose only container has these members."""
    return definition(container("true", **members))


@pytest.mark.parametrize("good", [agent_definition(9111), efs_definition(9111), init_definition(9111)])
def test_definitions_of_tests_are_ones_that_aws_takes(good: dict[str, Any]) -> None:
    """The definitions of these tests break no rule of AWS."""
    assert violations(good) == ()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (main() | {"family": "a b"}, "Family contains invalid characters."),
        (main() | {"cpu": "300"}, "Invalid 'cpu' setting for task. For more information, see the Troubleshooting"),
        (main() | {"memory": "4096"}, "No Fargate configuration exists for given values: 256 CPU, 4096 memory."),
        (main() | {"ephemeralStorage": {"sizeInGiB": 20}}, "ephemeralStorage.sizeInGiB: must be from 21 to 200"),
        (main(secrets=[SECRET]), "When you are specifying container secrets, you must also specify a value for"),
        (main(secrets=[SECRET], environment=environment(TOKEN="x")), "The secret name must be unique and not shared"),
        (main(stopTimeout=1), "containerDefinitions[main].stopTimeout: must be from 2 to 120 seconds on Fargate"),
        (main(ulimits=[CORE]), "containerDefinitions[main].ulimits: core is not supported on Fargate"),
        (main(repositoryCredentials=CREDENTIALS), "Private repository authentication requires that the task"),
        (main(image=""), "Container.image should not be null or empty."),
        (main(command=["x" * 70_000]), "Actual length: '70"),
        (main(dependsOn=[{"containerName": "x", "condition": "START"}]), "Cannot depend on container + 'x' because"),
        (definition(), "Container list cannot be empty."),
        (definition(*(container("true", name=f"c{number}") for number in range(11))), "Too many containers."),
    ],
)
def test_bad_definitions_are_refused(server: LocalServer, bad: dict[str, Any], message: str) -> None:
    """RegisterTaskDefinition answers `ClientException` with the first violation, and registers nothing."""
    code, said = refused(server.ecs.register_task_definition, **bad)
    assert code == "ClientException"
    assert said.startswith(message)
    assert said == violations(bad)[0].refusal
    assert server.ecs.list_task_definitions()["taskDefinitionArns"] == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"count": 11}, "count: must be from 1 to 10"),
        ({"startedBy": "s" * 129}, "startedBy longer than 128."),
        ({"startedBy": "a b"}, "startedBy: must have letters, digits, hyphens, slashes and underscores"),
        ({"clientToken": "t" * 65}, "clientToken: must have 1 to 64 characters"),
        (
            {"networkConfiguration": {}},
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}}, "subnets can not be empty."),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "Override for container named other is not a"),
        (
            {"overrides": {"containerOverrides": [{"name": "main", "command": ["x" * 8192]}]}},
            "Container Overrides length must be at most 8192",
        ),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "tags[0]: the prefix aws: is reserved"),
    ],
)
def test_bad_runs_are_refused(server: LocalServer, parameters: dict[str, Any], message: str) -> None:
    """RunTask answers `InvalidParameterException` with the first violation, and starts nothing."""
    server.ecs.register_task_definition(**SLEEPER)
    bad = request("tests", **parameters)
    code, said = refused(server.ecs.run_task, **bad)
    assert code == "InvalidParameterException"
    assert said.startswith(message)
    assert said == override_violations(bad, SLEEPER)[0].refusal
    assert server.ecs.list_tasks()["taskArns"] == []


def test_bad_tags_are_an_invalid_parameter(server: LocalServer) -> None:
    """Bad tags are InvalidParameterException at each operation, also where other refusals are ClientException."""
    tags = [{"key": "a", "value": "<"}]
    server.ecs.register_task_definition(**SLEEPER)
    refusals = [
        refused(server.ecs.register_task_definition, **SLEEPER, tags=tags),
        refused(server.ecs.run_task, **request("tests", tags=tags)),
    ]
    assert {code for code, _ in refusals} == {"InvalidParameterException"}
    assert len({message for _, message in refusals}) == 1


@pytest.mark.parametrize("launch", [{"launchType": "EC2"}, {}])
def test_clusters_have_no_instances(server: LocalServer, launch: dict[str, Any]) -> None:
    """RunTask without a launch type means EC2."""
    server.ecs.register_task_definition(**SLEEPER)
    run = {key: value for key, value in request("tests").items() if key != "launchType"}
    assert refused(server.ecs.run_task, **run, **launch) == (
        "InvalidParameterException",
        "No Container Instances were found in your cluster.",
    )


def test_clusters_have_fargates_providers_only(server: LocalServer) -> None:
    """An unknown capacity provider is refused."""
    server.ecs.register_task_definition(**SLEEPER)
    run = request("tests", capacityProviderStrategy=[{"capacityProvider": "mine"}])
    del run["launchType"]
    code, message = refused(server.ecs.run_task, **run)
    assert code == "InvalidParameterException"
    assert message.startswith("The specified capacity provider 'mine' was not found.")


def test_health_conditions_are_refused_honestly(server: LocalServer) -> None:
    """A feature that this Fargate lacks is refused."""
    checked = container("true", name="db", healthCheck={"command": ["CMD", "true"]})
    waiting = container("true", dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
    code, message = refused(server.ecs.register_task_definition, **definition(checked, waiting))
    assert code == "ClientException"
    assert "no health checks are run" in message
