"""What AWS enforces and emulators do not: every rule has a definition or a run that breaks it, and only it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from core.limits import definition_size, override_violations, overrides_length, violations

Change = Callable[[dict[str, Any]], object]
ROLE = "arn:aws:iam::123456789012:role/execution"
DEFINITION: dict[str, Any] = {
    "family": "web-1",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "executionRoleArn": ROLE,
    "volumes": [
        {"name": "scratch"},
        {
            "name": "data",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-0123456789abcdef0",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"},
            },
        },
    ],
    "containerDefinitions": [
        {"name": "init", "image": "busybox", "essential": False},
        {
            "name": "main",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1",
            "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}],
            "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch"}],
            "environment": [{"name": "A", "value": "hunter2"}],
            "secrets": [{"name": "TOKEN", "valueFrom": "/token"}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
            },
        },
    ],
}
RUN: dict[str, Any] = {
    "taskDefinition": "web-1",
    "launchType": "FARGATE",
    "startedBy": "me",
    "clientToken": "t",
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    "overrides": {"containerOverrides": [{"name": "main", "environment": [{"name": "B", "value": "hunter2"}]}]},
    "tags": [{"key": "team", "value": "a"}],
}


def definition(change: Change | None = None) -> dict[str, Any]:
    """A definition that AWS takes, with one change."""
    changed = copy.deepcopy(DEFINITION)
    if change is not None:
        change(changed)
    return changed


def main(**members: Any) -> Change:
    """Sets members of the container `main`."""
    return lambda changed: changed["containerDefinitions"][1].update(members)


def task(**members: Any) -> Change:
    """Sets members of the definition itself."""
    return lambda changed: changed.update(members)


def efs(**members: Any) -> Change:
    """Sets members of the volume on EFS."""
    return lambda changed: changed["volumes"][1]["efsVolumeConfiguration"].update(members)


def volume(**members: Any) -> Change:
    """Adds a volume."""
    return lambda changed: changed["volumes"].append(members)


def dependency(name: str, condition: str) -> Change:
    """Makes `main` depend on that container."""
    return main(dependsOn=[{"containerName": name, "condition": condition}])


def sidecars(number: int) -> Change:
    """Adds so many containers."""
    extra = [{"name": f"side-{each}", "image": "busybox"} for each in range(number)]
    return lambda changed: changed["containerDefinitions"].extend(extra)


def without(*members: str) -> Change:
    """Removes members of the definition itself."""
    return lambda changed: [changed.pop(member) for member in members]


@pytest.mark.parametrize(
    "change",
    [
        None,
        task(cpu=".25 vCPU", memory="0.5 GB"),
        task(cpu="1 vcpu", memory="8GB"),
        task(cpu="16384", memory="122880"),
        task(runtimePlatform={"cpuArchitecture": "ARM64"}, pidMode="task", ephemeralStorage={"sizeInGiB": 21}),
        task(tags=[{"key": "k" * 128, "value": "Ä 1_.:/=+-@"}]),
        efs(rootDirectory="/"),
        efs(transitEncryptionPort=2049),
        main(image="nginx@sha256:" + "0" * 64),
        main(portMappings=[{"containerPort": 80, "hostPort": 80}, {"containerPort": 81}]),
        main(stopTimeout=120, healthCheck={"command": ["CMD", "true"], "interval": 300}),
        main(cpu=256, memory=512),
        dependency("init", "START"),
        sidecars(8),
    ],
)
def test_what_aws_takes(change: Change | None) -> None:
    """A definition within the rules, up to their edges, has no violation."""
    assert violations(definition(change)) == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (task(family=""), "family: "),
        (task(family="a" * 256), "family: "),
        (task(family="a.b"), "family: "),
        (task(cpu="300"), "cpu: Invalid 'cpu' setting for task"),
        (task(cpu="many"), "cpu: Invalid 'cpu' setting for task"),
        (task(memory="3072"), "memory: No Fargate configuration exists for given values"),
        (task(cpu="16384", memory="33000"), "memory: No Fargate configuration exists for given values"),
        (task(memory="much"), "memory: No Fargate configuration exists for given values"),
        (without("cpu"), "cpu: Fargate requires that 'cpu' be defined at the task level"),
        (without("memory"), "memory: Fargate requires that 'memory' be defined at the task level"),
        (task(networkMode="bridge"), "networkMode: Fargate only supports network mode 'awsvpc'"),
        (task(ipcMode="host"), "ipcMode: "),
        (task(pidMode="host"), "pidMode: "),
        (task(placementConstraints=[{"type": "memberOf"}]), "placementConstraints: "),
        (task(runtimePlatform={"cpuArchitecture": "arm"}), "runtimePlatform.cpuArchitecture: "),
        (task(ephemeralStorage={"sizeInGiB": 20}), "ephemeralStorage.sizeInGiB: must be from 21 to 200"),
        (task(ephemeralStorage={"sizeInGiB": 201}), "ephemeralStorage.sizeInGiB: must be from 21 to 200"),
        (task(tags=[{"key": "aws:x", "value": ""}]), "tags[0]: the prefix aws: is reserved"),
        (task(tags=[{"key": "a"}, {"key": "a"}]), "tags: each key must be unique"),
        (task(tags=[{"key": f"{each}"} for each in range(51)]), "tags: at most 50 are allowed, these are 51"),
        (volume(name="a b"), "volumes[a b]: a name has"),
        (volume(name="data"), "volumes[data]: the name is used more than once"),
        (volume(name="host", host={"sourcePath": "/"}), "volumes[host]: Fargate supports neither"),
        (volume(name="nfs", dockerVolumeConfiguration={"scope": "task"}), "volumes[nfs]: Fargate supports neither"),
        (efs(fileSystemId="x"), "volumes[data].efsVolumeConfiguration.fileSystemId: "),
        (efs(rootDirectory="/x"), "volumes[data].efsVolumeConfiguration.rootDirectory: must be left out or /"),
        (efs(authorizationConfig={}, rootDirectory="x"), "efsVolumeConfiguration.rootDirectory: must be an absolute"),
        (efs(authorizationConfig={"accessPointId": "x"}), "efsVolumeConfiguration.authorizationConfig.accessPointId: "),
        (efs(transitEncryption="DISABLED"), "volumes[data].efsVolumeConfiguration.transitEncryption: must be ENABLED"),
        (
            efs(transitEncryption="DISABLED", authorizationConfig={"iam": "ENABLED"}),
            "volumes[data].efsVolumeConfiguration.transitEncryption: must be ENABLED",
        ),
        (efs(transitEncryptionPort=0), "volumes[data].efsVolumeConfiguration.transitEncryptionPort: "),
        (task(containerDefinitions=[]), "containerDefinitions: a definition has 1 to 10 containers, this one 0"),
        (sidecars(9), "containerDefinitions: a definition has 1 to 10 containers, this one 11"),
        (main(essential=False), "containerDefinitions: at least one container must be essential"),
        (lambda changed: sidecars(1)(changed) or sidecars(1)(changed), "[side-0].name: is used more than once"),
        (main(image=""), "containerDefinitions[main].image: "),
        (main(image="a" * 256), "containerDefinitions[main].image: "),
        (main(memory=256, memoryReservation=512), "[main].memoryReservation: must not be greater than memory"),
        (main(portMappings=[{"containerPort": 80, "hostPort": 81}]), "[main].portMappings: "),
        (main(environment=[{"name": "", "value": ""}]), "[main].environment: every variable needs a name"),
        (main(environment=[{"name": "TOKEN", "value": ""}]), "[main].secrets: the secret name TOKEN must be unique"),
        (main(mountPoints=[{"sourceVolume": "x", "containerPath": "/x"}]), "[main].mountPoints: unknown volume 'x'"),
        (main(mountPoints=[{"sourceVolume": "data"}]), "[main].mountPoints: containerPath must not be empty"),
        (
            main(mountPoints=[{"sourceVolume": each, "containerPath": "/x"} for each in ("data", "scratch")]),
            "[main].mountPoints: /x is mounted more than once",
        ),
        (dependency("other", "START"), "[main].dependsOn: unknown container 'other'"),
        (dependency("init", "DONE"), "[main].dependsOn: 'DONE' is no condition"),
        (dependency("init", "HEALTHY"), "[main].dependsOn: HEALTHY needs a health check in init"),
        (
            lambda changed: changed["containerDefinitions"][0].update(essential=True),
            "[main].dependsOn: SUCCESS waits for an exit, and init is essential",
        ),
        (dependency("main", "START"), "containerDefinitions: the dependencies of the containers are circular"),
        (main(healthCheck={"command": ["true"]}), "[main].healthCheck.command: must begin with CMD or CMD-SHELL"),
        (main(healthCheck={"command": ["CMD", "x"], "timeout": 1}), "[main].healthCheck.timeout: must be from 2 to 60"),
        (main(privileged=True), "[main].privileged: not supported on Fargate"),
        (main(hostname="web"), "[main].hostname: not supported on Fargate"),
        (main(linuxParameters={"sharedMemorySize": 64}), "[main].linuxParameters.sharedMemorySize: not supported"),
        (main(stopTimeout=121), "[main].stopTimeout: must be from 2 to 120 seconds on Fargate"),
        (main(startTimeout=1), "[main].startTimeout: must be from 2 to 120 seconds on Fargate"),
        (
            main(logConfiguration={"logDriver": "syslog"}),
            "[main].logConfiguration.logDriver: 'syslog' is not supported",
        ),
        (
            main(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}}),
            "[main].logConfiguration.options: awslogs-stream-prefix is required on Fargate",
        ),
        (main(cpu=512), "containerDefinitions: their cpu adds up to 512, and the task has 256"),
        (main(memory=513), "containerDefinitions: their memory adds up to 513, and the task has 512"),
    ],
)
def test_what_aws_refuses(change: Change, says: str) -> None:
    """One broken rule is one finding, and it begins with the member's path."""
    (found,) = violations(definition(change))
    assert says in found


@pytest.mark.parametrize("name", ["", "a b", "a" * 256])
def test_a_container_needs_a_name(name: str) -> None:
    """The name is what overrides and dependencies go by."""
    unnamed = definition(task(containerDefinitions=[{"name": name, "image": "busybox"}]))
    (found,) = violations(unnamed)
    assert ".name: must have 1 to 255 letters" in found


def test_what_needs_an_execution_role() -> None:
    """Secrets, images in ECR and awslogs: without the role ECS refuses each, in these words."""
    found = violations(definition(without("executionRoleArn")))
    assert [each.partition(": ")[2].removeprefix("Fargate requires task definition to have ") for each in found] == [
        "execution role ARN to support secrets.",
        "execution role ARN to support ECR images.",
        "execution role ARN to support log driver awslogs.",
    ]


def test_rules_of_fargate_bind_only_fargate() -> None:
    """A definition for EC2 needs neither size nor role, and may be privileged."""
    change = main(privileged=True, logConfiguration={"logDriver": "syslog"})
    ec2 = definition(change)
    for member in ("requiresCompatibilities", "networkMode", "cpu", "memory", "executionRoleArn"):
        del ec2[member]
    assert violations(ec2) == ()


def test_a_definition_has_64_kib() -> None:
    """Counted in bytes of UTF-8: the last byte that fits is taken, one more is not."""
    room = 64 * 1024 - definition_size(definition(main(environment=[{"name": "A", "value": ""}])))
    for letter, width in (("x", 1), ("ä", 2)):
        fitting = letter * (room // width) + "x" * (room % width)
        assert violations(definition(main(environment=[{"name": "A", "value": fitting}]))) == ()
        (found,) = violations(definition(main(environment=[{"name": "A", "value": fitting + "x"}])))
        assert found == "the definition has 65537 bytes; at most 65536 are allowed"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"startedBy": "a/b-c_1" + "x" * 121, "clientToken": "!" * 63 + "~", "count": 10},
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"] * 16, "securityGroups": ["g"] * 5}}},
        {"overrides": {"cpu": "512", "memory": "1024", "ephemeralStorage": {"sizeInGiB": 200}}},
        {"overrides": {"memory": "1024"}},
    ],
)
def test_a_run_that_aws_takes(members: dict[str, Any]) -> None:
    """A run within the rules, up to their edges, has no violation."""
    assert override_violations({**RUN, **members}, definition()) == ()


def with_network(**members: Any) -> dict[str, Any]:
    """RunTask's member with these members of awsvpcConfiguration."""
    return {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"], **members}}}


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"count": 0}, "count: "),
        ({"count": 11}, "count: "),
        ({"startedBy": "a b"}, "startedBy: "),
        ({"startedBy": "a" * 129}, "startedBy: "),
        ({"startedBy": "a\n"}, "startedBy: "),
        ({"clientToken": "a" * 65}, "clientToken: "),
        ({"clientToken": "a b"}, "clientToken: "),
        ({"group": "a" * 256}, "group: "),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}, "launchType: "),
        ({"networkConfiguration": {}}, "networkConfiguration: Network Configuration must be provided"),
        (with_network(subnets=[]), "networkConfiguration: subnets must be from 1 to 16"),
        (with_network(subnets=["s"] * 17), "networkConfiguration: subnets must be from 1 to 16"),
        (with_network(securityGroups=["g"] * 6), "networkConfiguration: securityGroups must be at most 5"),
        (with_network(assignPublicIp="YES"), "networkConfiguration: assignPublicIp must be"),
        ({"tags": [{"key": "", "value": ""}]}, "tags[0]: a key has 1 to 128 characters"),
        ({"tags": [{"key": "a", "value": "!"}]}, "tags[0]: only letters, numbers, spaces and"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "overrides: Override for container named other"),
        ({"overrides": {"ephemeralStorage": {"sizeInGiB": 5}}}, "ephemeralStorage.sizeInGiB: must be from 21 to 200"),
        ({"overrides": {"cpu": "4096"}}, "overrides.memory: No Fargate configuration exists"),
        (
            {"overrides": {"containerOverrides": [{"name": "main", "environment": [{"name": "TOKEN", "value": ""}]}]}},
            "overrides.containerOverrides[main].environment: TOKEN is a secret of the container",
        ),
    ],
)
def test_a_run_that_aws_refuses(members: dict[str, Any], says: str) -> None:
    """One broken rule is one finding, and it begins with the member's path."""
    (found,) = override_violations({**RUN, **members}, definition())
    assert says in found


def test_an_override_needs_a_name() -> None:
    """Without a definition the run is checked by itself."""
    run = {**RUN, "overrides": {"containerOverrides": [{"command": ["x"]}]}}
    assert override_violations(run) == ("overrides.containerOverrides: an override needs the name of its container",)


def test_overrides_have_8192_characters() -> None:
    """All overrides together, with the characters of their JSON; characters, not bytes."""

    def run(value: str) -> dict[str, Any]:
        override = {"name": "main", "environment": [{"name": "A", "value": value}]}
        return {**RUN, "overrides": {"containerOverrides": [override]}}

    room = 8192 - overrides_length(run("")["overrides"])
    assert override_violations(run("ä" * room)) == ()
    (found,) = override_violations(run("ä" * (room + 1)))
    assert found == "overrides: Container Overrides length must be at most 8192; it is 8193"


def test_no_finding_shows_a_value() -> None:
    """A value may be a secret; whatever is broken beside it, it is not shown."""
    broken = definition(
        task(family="", cpu="1", memory="1", containerDefinitions=DEFINITION["containerDefinitions"] * 9)
    )
    shown = violations(broken) + override_violations({**RUN, "count": 0, "tags": [{"key": ""}]}, broken)
    assert len(shown) > 5
    assert "hunter2" not in "".join(shown)
