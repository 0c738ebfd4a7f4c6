"""What AWS enforces in a task definition and emulators do not."""

from __future__ import annotations

from typing import Any

import pytest

from core.launch.ecs_rules import definition_size
from local.fargate.rules import Violation, override_violations, violations
from tests.unit.core.launch.requests import PARAMETER, SECRET
from tests.unit.local.fargate.ecs_requests import (
    DEFINITION,
    RUN,
    SECRET_VALUE,
    Change,
    both,
    definition,
    dependency,
    efs,
    init,
    main,
    sidecars,
    tags,
    task,
    volume,
    without,
)

WITH_SECRET = task(
    containerDefinitions=[{"name": "main", "image": "nginx", "secrets": [{"name": "A", "valueFrom": "/a"}]}]
)
PRIVATE = task(
    containerDefinitions=[
        {"name": "main", "image": "registry.example.com/app", "repositoryCredentials": {"credentialsParameter": "arn"}}
    ]
)
OPEN_EFS = efs(authorizationConfig={}, transitEncryption="DISABLED")
IAM_EFS = efs(authorizationConfig={"iam": "ENABLED"})


def tag(key: str = "key", value: str = "") -> Change:
    """Sets the only tag."""
    return task(tags=[{"key": key, "value": value}])


def secret(value_from: str) -> Change:
    """Sets the only secret of `main`."""
    return main(secrets=[{"name": "KEY", "valueFrom": value_from}])


def ulimit(name: str = "nofile", soft: int = 1024, hard: int = 65535) -> dict[str, Any]:
    """One of `ulimits`, as ECS spells it."""
    return {"name": name, "softLimit": soft, "hardLimit": hard}


@pytest.mark.parametrize(
    ("taken", "refused", "says"),
    [
        (task(family="aZ09_-"), task(family="a.b"), "family: Family contains invalid characters."),
        (task(family="a"), task(family=""), "family: Family can not be blank."),
        (task(family="a" * 255), task(family="a" * 256), "family: must have at most 255 characters"),
        (sidecars(8), sidecars(9), "containerDefinitions: Too many containers."),
        (WITH_SECRET, both(WITH_SECRET, without("executionRoleArn")), "[main].secrets: When you are specifying"),
        (
            dependency("init", "SUCCESS"),
            init(essential=True),
            "with SUCCESS or COMPLETE condition cannot be an essential",
        ),
        (
            dependency("init", "COMPLETE"),
            both(init(essential=True), dependency("init", "COMPLETE")),
            "containerDefinitions[main].dependsOn: A dependency container with SUCCESS or COMPLETE condition cannot be",
        ),
        (both(init(essential=True), dependency("init", "START")), dependency("init", "DONE"), "'DONE' is no condition"),
        (dependency("init", "START"), dependency("other", "START"), "'other' because it does not exist"),
        (dependency("init", "START"), dependency("main", "START"), "the dependencies of the containers are circular"),
        (efs(rootDirectory="/"), efs(rootDirectory="/x"), 'the root directory must either be set to "/" or be omitted'),
        (both(OPEN_EFS, efs(rootDirectory="/x")), both(OPEN_EFS, efs(rootDirectory="x")), "must be an absolute path"),
        (OPEN_EFS, efs(transitEncryption="DISABLED"), "transitEncryption: must be ENABLED with an access point"),
        (
            IAM_EFS,
            both(IAM_EFS, efs(transitEncryption="DISABLED")),
            "transitEncryption: must be ENABLED with an access",
        ),
        (efs(fileSystemId="fs-01234567"), efs(fileSystemId="x"), "efsVolumeConfiguration.fileSystemId: must be the id"),
        (
            efs(authorizationConfig={"accessPointId": "fsap-01234567"}),
            efs(authorizationConfig={"accessPointId": "x"}),
            "volumes[data].efsVolumeConfiguration.authorizationConfig.accessPointId: must be the id of an access point",
        ),
        (task(tags=tags(50)), task(tags=tags(51)), "tags: at most 50 are allowed, these are 51"),
        (task(tags=tags(2)), task(tags=[*tags(1), *tags(1)]), "tags: each key must be unique"),
        (tag("k" * 128), tag("k" * 129), "tags[0]: a key has 1 to 128 characters"),
        (tag("k"), tag(""), "tags[0]: a key has 1 to 128 characters"),
        (tag(value="v" * 256), tag(value="v" * 257), "tags[0]: a value has at most 256 characters"),
        (tag("aws"), tag("AWS:x"), "tags[0]: the prefix aws: is reserved"),
        (tag("Ä 1_.:/=+-@"), tag("a<"), "tags[0]: only letters, numbers, spaces and"),
        (volume(name="a" * 255), volume(name="a" * 256), "must have at most 255 characters"),
        (volume(name="other"), volume(name="data"), "volumes[data].name: is used more than once"),
        (
            task(ephemeralStorage={"sizeInGiB": 21}),
            task(ephemeralStorage={"sizeInGiB": 20}),
            "ephemeralStorage.sizeInGiB: must be from 21 to 200",
        ),
        (
            task(ephemeralStorage={"sizeInGiB": 200}),
            task(ephemeralStorage={"sizeInGiB": 201}),
            "ephemeralStorage.sizeInGiB: must be from 21 to 200",
        ),
        (main(stopTimeout=120), main(stopTimeout=121), "[main].stopTimeout: must be from 2 to 120 seconds on Fargate"),
        (
            main(ulimits=[ulimit(soft=4096, hard=4096)]),
            main(ulimits=[ulimit(soft=4097, hard=4096)]),
            "[main].ulimits: the soft limit of nofile must not be greater than its hard limit",
        ),
        (
            main(ulimits=[ulimit("nofile")]),
            main(ulimits=[ulimit("core")]),
            "[main].ulimits: core is not supported on Fargate, which sets nofile only",
        ),
        (
            PRIVATE,
            both(PRIVATE, without("executionRoleArn")),
            "[main].repositoryCredentials: Private repository authentication requires that the task definition",
        ),
        (
            main(linuxParameters={"capabilities": {"add": ["SYS_PTRACE"]}}),
            main(linuxParameters={"capabilities": {"add": ["SYS_PTRACE", "NET_ADMIN"]}}),
            "[main].linuxParameters.capabilities.add: NET_ADMIN: Tasks launched on Fargate only support adding the SYS",
        ),
        (secret(f"{SECRET}:key::"), secret(f"{SECRET}:key"), "[main].secrets: The Systems Manager parameter name spec"),
        (secret(PARAMETER), secret(f"{PARAMETER}:3"), "name specified for secret KEY is invalid."),
        (secret("/team/password"), secret("pass word"), "name specified for secret KEY is invalid."),
        (main(image="a" * 255), main(image="a" * 256), "[main].image: must be [registry/]name[:tag] of at most 255"),
        (main(image="nginx@sha256:" + "0" * 64), main(image="nginx@sha256:0"), "[main].image: must be [registry/]name"),
    ],
)
def test_both_sides_of_a_rule(taken: Change, refused: Change, says: str) -> None:
    """The last value that a rule allows has no violation; the first that it forbids has one, with the member's path."""
    assert violations(definition(taken)) == ()
    (found,) = violations(definition(refused))
    assert says in str(found)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (task(networkMode="bridge"), "networkMode: Fargate only supports network mode ‘awsvpc’."),  # noqa: RUF001 - ECS's own
        (task(requiresCompatibilities=["EC2"]), "requiresCompatibilities: must be FARGATE"),
        (task(runtimePlatform={"cpuArchitecture": "arm"}), "runtimePlatform.cpuArchitecture: must be X86_64 or ARM64"),
        (volume(name="a b"), "volumes[a b].name: must have letters, digits, hyphens and underscores"),
        (task(containerDefinitions=[]), "containerDefinitions: Container list cannot be empty."),
        (main(essential=False), "containerDefinitions: Task definition doesn't have any essential container."),
        (both(sidecars(1), sidecars(1)), "containerDefinitions[side-0].name: is used more than once"),
        (main(image=""), "containerDefinitions[main].image: Container.image should not be null or empty."),
        (main(environment=[{"name": "", "value": ""}]), "[main].environment: every variable needs a name"),
        (main(environment=[{"name": "TOKEN", "value": ""}]), "[main].secrets: The secret name must be unique"),
        (main(mountPoints=[{"sourceVolume": "x", "containerPath": "/x"}]), "[main].mountPoints: Unknown volume 'x'."),
        (main(mountPoints=[{"sourceVolume": "data"}]), "[main].mountPoints: containerPath must be an absolute path"),
        (
            main(mountPoints=[{"sourceVolume": "data", "containerPath": "x"}]),
            "[main].mountPoints: containerPath must be an absolute path",
        ),
        (
            main(mountPoints=[{"sourceVolume": each, "containerPath": "/x"} for each in ("data", "scratch")]),
            "[main].mountPoints: /x is mounted more than once",
        ),
        (
            main(logConfiguration={"logDriver": "syslog"}),
            "logConfiguration.logDriver: 'syslog' is not supported on Far",
        ),
        (
            main(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-stream-prefix": "p"}}),
            "[main].logConfiguration.options: Log driver awslogs requires options: awslogs-region, awslogs-group",
        ),
        (
            main(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}}),
            "[main].logConfiguration.options: Fargate requires log configuration options to include awslogs-stream-pre",
        ),
    ],
)
def test_what_aws_refuses(change: Change, says: str) -> None:
    """One broken rule is one violation, and it begins with the member's path."""
    (found,) = violations(definition(change))
    assert says in str(found)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "Container.name should not be null or empty."),
        ("a b", "Container.name contains invalid characters."),
        ("a" * 256, "must have at most 255 characters"),
    ],
)
def test_a_container_needs_a_name(name: str, says: str) -> None:
    """Overrides and dependencies refer to a container by its name."""
    (found,) = violations(definition(task(containerDefinitions=[{"name": name, "image": "busybox"}])))
    assert says in str(found)


@pytest.mark.parametrize(
    ("cpu", "least", "most", "step"),
    [
        (256, 512, 512, 512),
        (256, 1024, 2048, 1024),
        (512, 1024, 4096, 1024),
        (1024, 2048, 8192, 1024),
        (2048, 4096, 16384, 1024),
        (4096, 8192, 30720, 1024),
        (8192, 16384, 61440, 4096),
        (16384, 32768, 122880, 8192),
        (32768, 61440, 122880, 61440),
        (32768, 249856, 249856, 1),
    ],
)
def test_fargate_sells_pairs(cpu: int, least: int, most: int, step: int) -> None:
    """Every size of the developer guide's table is accepted; one between two sizes or beyond the last is refused."""
    for memory in range(least, most + 1, step):
        assert violations(definition(task(cpu=str(cpu), memory=str(memory)))) == ()
        (found,) = violations(definition(task(cpu=str(cpu), memory=str(memory + 256))))
        assert found.refusal.startswith(f"No Fargate configuration exists for given values: {cpu} CPU, {memory + 256} ")
    (found,) = violations(definition(task(cpu=str(cpu), memory=str(most + 8192))))
    assert found.member == "memory"


@pytest.mark.parametrize("cpu", ["0", "128", "300", "65536", "many"])
def test_other_cpu_is_refused(cpu: str) -> None:
    """An unknown cpu size is refused before memory is checked."""
    (found,) = violations(definition(task(cpu=cpu, memory="much")))
    assert found.refusal.startswith("Invalid 'cpu' setting for task.")


@pytest.mark.parametrize("member", ["cpu", "memory"])
def test_fargate_needs_a_size(member: str) -> None:
    """On Fargate the task itself needs a size; its containers' sizes do not replace it."""
    (found,) = violations(definition(without(member)))
    assert found.refusal == f"Fargate requires that '{member}' be defined at the task level."


def test_what_needs_an_execution_role() -> None:
    """Secrets, images in ECR and awslogs: without the role ECS refuses each, in these words."""
    found = violations(definition(without("executionRoleArn")))
    assert [each.refusal for each in found] == [
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        "Fargate requires task definition to have execution role ARN to support ECR images.",
        "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    ]


def test_a_refusal_is_ecs_own_where_it_is_known() -> None:
    """ECS's sentences stay as they are; ours name the member, because they need it."""
    assert Violation("family", "Family contains invalid characters.", quoted=True).refusal == (
        "Family contains invalid characters."
    )
    ours = Violation("sizeInGiB", "must be from 21 to 200").within("ephemeralStorage")
    assert ours.refusal == str(ours) == "ephemeralStorage.sizeInGiB: must be from 21 to 200"


def test_a_definition_has_64_kib() -> None:
    """Counted in bytes of UTF-8: the last byte that fits is taken, one more is not."""
    room = 64 * 1024 - definition_size(definition(main(environment=[{"name": "A", "value": ""}])))
    for letter, width in (("x", 1), ("ä", 2)):
        fitting = letter * (room // width) + "x" * (room % width)
        assert violations(definition(main(environment=[{"name": "A", "value": fitting}]))) == ()
        (found,) = violations(definition(main(environment=[{"name": "A", "value": fitting + "x"}])))
        assert found.refusal == "Actual length: '65537'. Max allowed length is '65536' bytes."


def test_no_violation_shows_a_value() -> None:
    """A violation beside a secret value does not show it."""
    broken = definition(
        task(family="", cpu="1", memory="1", containerDefinitions=DEFINITION["containerDefinitions"] * 9)
    )
    shown = violations(broken) + override_violations({**RUN, "count": 0, "tags": [{"key": ""}]}, broken)
    assert len(shown) > 5
    assert SECRET_VALUE not in "".join(map(str, shown))
