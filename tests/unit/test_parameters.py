"""Values that can never work: template.yaml refuses them before a deployment, `Settings` at the first call, by name."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from core.launch.constraints import CLUSTER
from core.launch.setting import declared
from core.launch.settings import NEEDS, Settings, TokenDelivery
from core.model.agent import Injection
from core.model.capacity import Capacity
from core.model.errors import ConfigurationError
from handlers import app
from tests.factories import CONTAINER_ID, event
from tests.template import Resolved, load_template

TEMPLATE = load_template()
PARAMETERS = TEMPLATE["Parameters"]
FUNCTIONS = [name for name, one in TEMPLATE["Resources"].items() if one["Type"] == "AWS::Serverless::Function"]

ROLE = "arn:aws:iam::123456789012:role/sockerless/execution"
S3_FILE_SYSTEM = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0"
S3_ACCESS_POINT = f"{S3_FILE_SYSTEM}/access-point/fsap-0123456789abcdef0"
GROUP = "sg-0a1b2c3d"
SUBNETS = [f"subnet-{number:017x}" for number in range(17)]
GROUPS = [f"sg-{number:017x}" for number in range(6)]
IN_VPC = {"VpcId": "vpc-0a1b2c3d", "ProberSubnets": "subnet-0a1b2c3d"}


@dataclass(frozen=True)
class Wrong:
    """Parameters of which `parameter` is wrong. `variable`: what a function calls it, where it reaches one."""

    parameter: str
    variable: str | None
    values: Mapping[str, str]


def wrong(parameter: str, variable: str | None, *values: str, **others: str) -> list[Wrong]:
    """One for each value of the parameter, beside the others."""
    return [Wrong(parameter, variable, {**others, parameter: value}) for value in values]


def lacking(parameter: str, variable: str | None, **others: str) -> list[Wrong]:
    """The others, which need the parameter, without it."""
    return [Wrong(parameter, variable, others)]


WRONG = [
    *wrong("ClusterName", "CLUSTER_ARN", "my cluster", "arn:aws:ecs:us-east-1:123456789012:cluster/default", "c" * 256),
    *wrong("StartedByPrefix", "STARTED_BY_PREFIX", "aws", "AWS-two", "ssm-tokens", "sSm", "a/b", "a b", "p" * 41),
    *wrong("StartedByPrefix", "STARTED_BY_PREFIX", "aWs", TokenDelivery="ssm", ExecutionRoleArn=ROLE),
    *wrong("TaskSubnets", "TASK_SUBNETS", ",".join(SUBNETS), "subnet-0a1b2c3d, subnet-0a1b2c3e", "subnet-0a1b2c3d,"),
    *wrong("TaskSubnets", "TASK_SUBNETS", "vpc-0a1b2c3d", "subnet-xyz", GROUP, " ", ","),
    *wrong("TaskSecurityGroups", "TASK_SECURITY_GROUPS", ",".join(GROUPS), "default", f"{GROUP} {GROUP}"),
    *wrong("AssignPublicIp", "ASSIGN_PUBLIC_IP", "ENABLED"),
    *wrong(
        "ExecutionRoleArn",
        "EXECUTION_ROLE_ARN",
        "execution",
        "role/execution",
        f"{ROLE} ",
        ROLE.replace("role", "user"),
    ),
    *wrong(
        "TaskRoleArn", "TASK_ROLE_ARN", "task", "arn:aws:iam::role/task", "arn:aws:sts::123456789012:assumed-role/a/b"
    ),
    *wrong(
        "TaskLogGroup",
        "TASK_LOG_GROUP",
        "arn:aws:logs:us-east-1:123456789012:log-group:/tasks:*",
        "/tasks:*",
        "my tasks",
        ExecutionRoleArn=ROLE,
    ),
    *lacking("ExecutionRoleArn", "EXECUTION_ROLE_ARN", TaskLogGroup="/tasks"),
    *wrong("InjectionStrategy", "INJECTION", "sidecar"),
    *wrong("AgentFlavor", "AGENT_FLAVOR", "-addr :9111", "docker"),
    *lacking("EfsFileSystemId", "EFS_FILE_SYSTEM_ID", InjectionStrategy="efs"),
    *lacking("EfsFileSystemId", "EFS_FILE_SYSTEM_ID", EfsAccessPointId="fsap-0a1b2c3d"),
    *lacking("S3FilesFileSystemArn", "S3_FILES_FILE_SYSTEM_ARN", InjectionStrategy="s3-files", TaskRoleArn=ROLE),
    *lacking("S3FilesFileSystemArn", "S3_FILES_FILE_SYSTEM_ARN", S3FilesAccessPointArn=S3_ACCESS_POINT),
    *lacking("TaskRoleArn", "TASK_ROLE_ARN", InjectionStrategy="s3-files", S3FilesFileSystemArn=S3_FILE_SYSTEM),
    *lacking("AgentImage", "AGENT_IMAGE", InjectionStrategy="init-container"),
    *wrong(
        "EfsFileSystemId", "EFS_FILE_SYSTEM_ID", "fsap-0a1b2c3d", "fs-xyz", "fs-0a1b2c3d.efs.us-east-1.amazonaws.com"
    ),
    *wrong("EfsAccessPointId", "EFS_ACCESS_POINT_ID", "fs-0a1b2c3d", "fsap-", EfsFileSystemId="fs-0a1b2c3d"),
    *wrong(
        "S3FilesFileSystemArn",
        "S3_FILES_FILE_SYSTEM_ARN",
        "fs-0123456789abcdef0",
        "fs-0123456789abcdef0.s3files.us-east-1.on.aws",
        S3_FILE_SYSTEM.replace("s3files", "elasticfilesystem"),
        S3_ACCESS_POINT,
        "arn:aws:s3:::bucket",
    ),
    *wrong(
        "S3FilesAccessPointArn",
        "S3_FILES_ACCESS_POINT_ARN",
        "fsap-0123456789abcdef0",
        S3_FILE_SYSTEM,
        S3_ACCESS_POINT.replace("fsap-", "fs-"),
        S3FilesFileSystemArn=S3_FILE_SYSTEM,
    ),
    *wrong("AgentImage", "AGENT_IMAGE", "my agent:1", " agent:1", "agent:1 ", "agent@sha256:12"),
    *wrong("AgentCopyCommand", "AGENT_COPY_COMMAND", ",", "cp,,/a", " "),
    *wrong("AgentPort", "AGENT_PORT", "0", "65536"),
    *wrong("AgentNetworks", "AGENT_NETWORKS", "10.0.0.0", "10.0.0.0/8, fd00::/8", "vpc-0a1b2c3d", "10.0.0.0/8,"),
    *wrong("AgentNetworks", "AGENT_NETWORKS", "FD00::/8", ",".join(["10.0.0.0/8"] * 21)),
    *wrong("TokenDelivery", "TOKEN_DELIVERY", "secretsmanager"),
    *lacking("ExecutionRoleArn", "EXECUTION_ROLE_ARN", TokenDelivery="ssm"),
    *wrong("HealthTimeoutSeconds", "HEALTH_TIMEOUT_SECONDS", "0", "241"),
    *wrong("StartTimeoutSeconds", "START_TIMEOUT_SECONDS", "0", "86401"),
    *wrong("ExitCheckSeconds", "EXIT_CHECK_SECONDS", "59", "86401"),
    *wrong("StopTimeoutSeconds", "STOP_TIMEOUT_SECONDS", "1", "121"),
    *wrong("LaunchAttempts", "LAUNCH_ATTEMPTS", "0", "11"),
    *wrong("Capacity", "CAPACITY", "FARGATE_SPOT", "Spot"),
    *wrong("Capacity", "CAPACITY", "spot-first", LaunchAttempts="1"),
    *wrong("MaxLifetimeSeconds", "MAX_LIFETIME_SECONDS", "-1", "1209601"),
    *wrong("VerifyAgentIdentity", "VERIFY_AGENT_IDENTITY", "never"),
    *wrong("RecordRetentionDays", "RECORD_RETENTION_DAYS", "0", "3651"),
    *wrong("WatchShards", "WATCH_SHARDS", "0", "65"),
    # What the functions are not told, or only as yes or no.
    *wrong("EarlyProbe", None, "true"),
    *wrong("UnreachableTasks", None, "leave"),
    *wrong("LeakedTasks", None, "leave"),
    *wrong("LogRetentionDays", None, "2"),
    *wrong("ProberMaximumConcurrency", None, "1", "1001"),
    *wrong("VpcId", None, "default", "subnet-0a1b2c3d", ProberSubnets="subnet-0a1b2c3d"),
    *wrong("ProberSubnets", None, ",".join(SUBNETS), "subnet-0a1b2c3d, subnet-0a1b2c3e", VpcId="vpc-0a1b2c3d"),
    *wrong("AgentSecurityGroupId", None, f"{GROUP},{GROUP}", "default", **IN_VPC),
    *wrong("ProberRouteTableIds", None, "rtb-0a1b2c3d,", "main", **IN_VPC),
    *wrong("ProberIpv6", None, "on", **IN_VPC),
    *lacking("ProberSubnets", None, VpcId="vpc-0a1b2c3d"),
    *lacking("VpcId", None, ProberSubnets="subnet-0a1b2c3d"),
    *lacking("VpcId", None, AgentSecurityGroupId=GROUP),
    *lacking("VpcId", None, ProberRouteTableIds="rtb-0a1b2c3d"),
    *lacking("VpcId", None, ProberIpv6="true"),
]

RIGHT: list[dict[str, str]] = [
    {},
    {"StartedByPrefix": "sockerless-aws_2"},
    {"StartedByPrefix": "aw"},
    {"TaskSubnets": ",".join(SUBNETS[:16]), "TaskSecurityGroups": ",".join(GROUPS[:5])},
    {
        "ExecutionRoleArn": "arn:aws-us-gov:iam::123456789012:role/a",
        "TaskRoleArn": "arn:aws-cn:iam::123456789012:role/a/b",
    },
    {"TaskLogGroup": "/ecs/tasks#1", "ExecutionRoleArn": ROLE},
    {"InjectionStrategy": "efs", "EfsFileSystemId": "fs-0a1b2c3d", "EfsAccessPointId": "fsap-0123456789abcdef0"},
    {"InjectionStrategy": "s3-files", "S3FilesFileSystemArn": S3_FILE_SYSTEM, "TaskRoleArn": ROLE},
    {
        "S3FilesFileSystemArn": S3_FILE_SYSTEM.replace("arn:aws:", "arn:aws-cn:"),
        "S3FilesAccessPointArn": S3_ACCESS_POINT.replace("arn:aws:", "arn:aws-cn:"),
    },
    {"InjectionStrategy": "init-container", "AgentImage": f"example.com:5000/a/b@sha256:{'0' * 64}"},
    {"AgentCopyCommand": "sh,-c,cp /a /b"},
    {"AgentCopyCommand": "cp, /a, /b"},
    {"AgentNetworks": "203.0.113.0/24,2600:1f18:2c1e:5b00::/56,::1/128"},
    {"TokenDelivery": "ssm", "ExecutionRoleArn": ROLE},
    {"StopTimeoutSeconds": "2"},
    {"StopTimeoutSeconds": "120"},
    {"Capacity": "spot-first", "LaunchAttempts": "2", "MaxLifetimeSeconds": "1209600"},
    {"Capacity": "spot", "LaunchAttempts": "1"},
    {**IN_VPC, "AgentSecurityGroupId": GROUP, "ProberRouteTableIds": "rtb-0a1b2c3d,rtb-0a1b2c3e", "ProberIpv6": "true"},
]


def refusals(values: Mapping[str, str]) -> Iterator[str]:
    """What CloudFormation says of these parameters before it makes anything: its constraints, then its rules."""
    for name, value in values.items():
        if not meets(PARAMETERS[name], value):
            yield f"Parameter {name} failed to satisfy constraint: {PARAMETERS[name].get('ConstraintDescription', '')}"
    stack = Resolved(TEMPLATE, **values)
    for rule in TEMPLATE["Rules"].values():
        if stack.holds(rule["RuleCondition"]):
            yield from (one["AssertDescription"] for one in rule["Assertions"] if not stack.holds(one["Assert"]))


def meets(parameter: Mapping[str, Any], value: str) -> bool:
    """Whether a value satisfies the constraints of one parameter."""
    if parameter["Type"] == "Number":
        low, high = parameter.get("MinValue", float(value)), parameter.get("MaxValue", float(value))
        if not low <= float(value) <= high:
            return False
    allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
    return value in allowed and re.fullmatch(parameter.get("AllowedPattern", ".*"), value) is not None


def environments(values: Mapping[str, str], variable: str) -> list[dict[str, str]]:
    """What the functions that have this variable would be given."""
    stack = Resolved(TEMPLATE, **values)
    given = [stack.environment(function) for function in FUNCTIONS]
    return [one for one in given if variable in one]


def parameter_of(variable: str) -> str | None:
    """The parameter whose very value a variable has."""
    functions = [TEMPLATE["Globals"]["Function"], *(TEMPLATE["Resources"][name]["Properties"] for name in FUNCTIONS)]
    for function in functions:
        match function.get("Environment", {}).get("Variables", {}).get(variable):
            case {"Ref": str(name)} if name in PARAMETERS:
                return name
    return None


def shown(case: Wrong) -> str:
    return f"{case.parameter}:{','.join(case.values.values())[:40]}"


@pytest.mark.parametrize("case", WRONG, ids=shown)
def test_the_template_refuses_by_name(case: Wrong) -> None:
    """The deployment ends before it begins, with a text that names the parameter."""
    assert any(case.parameter in refusal for refusal in refusals(case.values))


@pytest.mark.parametrize("case", [case for case in WRONG if case.variable], ids=shown)
def test_the_functions_refuse_by_name(case: Wrong) -> None:
    """Whatever came past the template, each function that has the variable refuses its first call, naming it."""
    assert case.variable is not None
    # A setting that is needed is missed only by a function that has the one that needs it.
    needing = [name for name in case.values if name != case.parameter and case.parameter not in case.values]
    for given in environments(case.values, case.variable):
        if needing and not any(case.values[name] in given.values() for name in needing):
            continue
        with pytest.raises(ConfigurationError, match=rf"\b{case.variable}\b"):
            Settings.from_env(given)
    assert environments(case.values, case.variable)


@pytest.mark.parametrize("values", RIGHT, ids=lambda values: ",".join(values) or "defaults")
def test_what_can_work_is_taken(values: dict[str, str]) -> None:
    """Neither the template nor a function refuses more than what can never work."""
    assert list(refusals(values)) == []
    for function in FUNCTIONS:
        Settings.from_env(Resolved(TEMPLATE, **values).environment(function))


def test_no_parameter_takes_just_anything() -> None:
    """Each has a wrong value in the table, so each is held to something."""
    assert {case.parameter for case in WRONG} == set(PARAMETERS)


@pytest.mark.parametrize("name", declared(Settings))
def test_template_and_settings_say_the_same(name: str) -> None:
    """Pattern, words and bounds of a setting are those of its parameter; an empty default is allowed beside them."""
    parameter = PARAMETERS.get(parameter_of(name.upper()) or "")
    if parameter is None:
        return
    known = declared(Settings)[name]
    optional = "^$|" if parameter["Default"] == "" else ""
    pattern, description = (
        (known.constraint.pattern, known.constraint.description) if known.constraint else (None, None)
    )
    assert parameter.get("AllowedPattern") == (None if pattern is None else optional + pattern)
    assert parameter.get("ConstraintDescription") == description
    assert (parameter.get("MinValue"), parameter.get("MaxValue")) == (known.least, known.most)
    assert known.above is None  # CloudFormation has no such bound


def test_choices_are_the_same() -> None:
    """A choice that one of the two does not know would be refused by the other."""
    assert PARAMETERS["TokenDelivery"]["AllowedValues"] == list(TokenDelivery)
    assert PARAMETERS["Capacity"]["AllowedValues"] == list(Capacity)
    assert sorted(PARAMETERS["InjectionStrategy"]["AllowedValues"]) == sorted(["auto", *Injection])


def test_the_cluster_is_named_as_its_arn_ends() -> None:
    """The template makes the ARN of the name."""
    name = PARAMETERS["ClusterName"]["AllowedPattern"].strip("^$")
    assert CLUSTER.pattern.endswith(f":cluster/{name}$")


def test_every_need_has_a_rule() -> None:
    """What a setting cannot do without is asked for by as many rules of the template, and no rule is missing here."""
    of_settings = [rule for rule in TEMPLATE["Rules"].values() if "VpcId" not in json.dumps(rule)]
    assert len(of_settings) == len(NEEDS)


@pytest.mark.parametrize("variable", ["AGENT_PORT", "LAUNCH_ATTEMPTS", "WATCH_SHARDS"])
def test_half_a_thing_is_refused_at_the_first_call(variable: str) -> None:
    """A parameter of the type Number takes fractions, and no pattern; the function names the variable."""
    with pytest.raises(ConfigurationError, match=variable):
        Settings.from_env({"TABLE_NAME": "any", variable: "1.5"})


@pytest.mark.parametrize("block", ["10.0.0.0/33", "10.0.0.1/8", "256.0.0.0/8", "fd00::/129", ":::/8"])
def test_a_block_that_is_no_network_is_refused_at_the_first_call(block: str) -> None:
    """A pattern cannot count; the function names the variable."""
    with pytest.raises(ConfigurationError, match="AGENT_NETWORKS has a block that is no network"):
        Settings.from_env({"TABLE_NAME": "any", "AGENT_NETWORKS": f"10.0.0.0/8,{block}"})


def test_a_line_feed_at_the_end_is_no_part_of_a_name() -> None:
    """Python's `$` would let it pass."""
    with pytest.raises(ConfigurationError, match="STARTED_BY_PREFIX"):
        Settings.from_env({"TABLE_NAME": "any", "STARTED_BY_PREFIX": "two\n"})


def test_every_wrong_variable_is_named_and_no_value_shown() -> None:
    """One deployment corrects all of them; a value may be a secret that was put into the wrong place."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({"TABLE_NAME": "any", "TASK_ROLE_ARN": "hunter2", "AGENT_IMAGE": "hunter 2"})
    assert re.findall(r"\b[A-Z]+_[A-Z_]+\b", str(caught.value)) == ["TASK_ROLE_ARN", "AGENT_IMAGE"]
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("handler", "document"),
    [
        (
            "start_container",
            {"container_id": CONTAINER_ID, "image": "nginx", "cmd": ["nginx"], "token_delivery": "ssm"},
        ),
        ("stop_container", event("stop-container")),
        ("task_state", event("task-running")),
        ("agent_health", event("agent-health")),
        ("reconcile", event("reconcile")),
    ],
)
def test_a_function_that_is_set_up_wrongly_raises_at_its_first_call(
    monkeypatch: pytest.MonkeyPatch, handler: str, document: dict[str, Any]
) -> None:
    """That is the operator's to see, so it is an error of the function, with an alarm, and no answer to a backend."""
    for name, value in {"TABLE_NAME": "any", "CLUSTER_ARN": "", "STARTED_BY_PREFIX": "aws-reach"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(app, "_settings", app._settings.__wrapped__)

    class Context:
        function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "any"

        def get_remaining_time_in_millis(self) -> int:
            return 60_000

    with pytest.raises(ConfigurationError, match="STARTED_BY_PREFIX"):
        importlib.import_module(f"handlers.{handler}").handler(document, Context())
