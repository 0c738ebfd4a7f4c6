"""template.yaml against contract.md 4 and 8, the settings, and least privilege (IAM: test_permissions)."""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.control.retire_definitions import DELETE_BATCH, MOST_A_RUN, PAUSE
from core.launch.setting import declared
from core.launch.settings import Settings
from core.model.state import State
from handlers.reconcile import FIND_LEAKS, MARGIN, RETIRE_DEFINITIONS
from reach import __version__
from tests.factories import event
from tests.template import Resolved, load_template
from tests.unit.core.control.test_lost_probes import DELIVERIES, VISIBILITY

TEMPLATE = load_template()
RESOURCES = TEMPLATE["Resources"]
SOURCES = Path(__file__).parents[2] / "src"

FUNCTIONS = {
    "TaskStateFunction": "handlers.task_state.handler",
    "AgentHealthFunction": "handlers.agent_health.handler",
    "StartContainerFunction": "handlers.start_container.handler",
    "StopContainerFunction": "handlers.stop_container.handler",
    "ReconcileFunction": "handlers.reconcile.handler",
}
OUTPUTS = {
    "TemplateVersion",
    "ContainersTableName",
    "TaskStateFunctionArn",
    "AgentHealthFunctionArn",
    "StartContainerFunctionArn",
    "StopContainerFunctionArn",
    "ReconcileFunctionArn",
    "ProbeQueueUrl",
    "TaskStateRuleName",
    "ProberSecurityGroupId",
    "DashboardUrl",
}

# Settings that the stack leaves at their defaults.
WITHOUT_PARAMETER = {"probe_interval_seconds", "probe_request_timeout_seconds"}
# Read by Powertools, not by us.
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "LOG_LEVEL"}

# Granted without a call of ours.
IMPLIED = {
    **{
        f"dynamodb:{action}": "Lambda reads the table's stream for the reconciler"
        for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    },
    "ecs:TagResource": "RunTask with tags",
    "iam:PassRole": "RunTask and RegisterTaskDefinition with the two task roles",
    "logs:CreateLogStream": "Lambda's log",
    "logs:PutLogEvents": "Lambda's log",
    "sqs:ReceiveMessage": "the event source of the prober",
    "sqs:DeleteMessage": "the event source of the prober",
    "sqs:GetQueueAttributes": "the event source of the prober",
    "ssm:PutParameter": "token delivery by parameter",
}

WITH_EVERYTHING = Resolved(
    TEMPLATE,
    VpcId="vpc-12345678",
    ProberSubnets="subnet-00000001,subnet-00000002",
    ProberRouteTableIds="rtb-00000001",
    AgentSecurityGroupId="sg-00000001",
    ExecutionRoleArn="arn:aws:iam::123456789012:role/execution",
    TaskRoleArn="arn:aws:iam::123456789012:role/task",
    TaskLogGroup="/tasks",
)


def statements(role: str) -> Iterator[dict[str, Any]]:
    """Every statement of a role, with its actions and resources as lists."""
    for policy in WITH_EVERYTHING.value(RESOURCES[role]["Properties"]["Policies"]):
        for statement in policy["PolicyDocument"]["Statement"]:
            yield {**statement, "Action": _list(statement["Action"]), "Resource": _list(statement["Resource"])}


def granted(role: str) -> set[str]:
    """Every action that a role allows."""
    return {action for one in statements(role) if one["Effect"] == "Allow" for action in one["Action"]}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type, by logical id."""
    return {name: one.get("Properties", {}) for name, one in RESOURCES.items() if one["Type"] == kind}


ROLES = sorted(of_type("AWS::IAM::Role"))


@pytest.mark.parametrize("name", sorted(TEMPLATE["Parameters"]))
def test_parameter_is_documented_and_optional(name: str) -> None:
    """Every parameter says what it is for, stands in one group of the console, and has a default."""
    parameter = TEMPLATE["Parameters"][name]
    assert parameter["Description"].endswith(".")
    assert "Default" in parameter
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sum(group["Parameters"].count(name) for group in groups) == 1


def test_functions_are_the_ones_of_the_contract() -> None:
    """The five functions have the handlers contract.md 4 names, and each handler's module exists."""
    functions = of_type("AWS::Serverless::Function")
    assert {name: one["Handler"] for name, one in functions.items()} == FUNCTIONS
    for handler in FUNCTIONS.values():
        module = handler.removesuffix(".handler").replace(".", "/")
        assert (SOURCES / f"{module}.py").is_file()


def test_outputs_are_the_ones_of_the_contract() -> None:
    """The stack has the outputs contract.md 8 names, each described; one of them only with a VPC."""
    outputs = TEMPLATE["Outputs"]
    assert set(outputs) == OUTPUTS
    assert all(one["Description"] for one in outputs.values())
    assert {name for name, one in outputs.items() if "Condition" in one} == {"ProberSecurityGroupId"}


def test_the_template_has_the_version_of_reach() -> None:
    """`reach doctor` says when a stack and the command are of two versions."""
    assert TEMPLATE["Outputs"]["TemplateVersion"]["Value"] == __version__


@pytest.mark.parametrize("function", FUNCTIONS)
def test_variables_are_settings(function: str) -> None:
    """Every environment variable of a function is a field of Settings in upper case, or one of Powertools."""
    fields = {name.upper() for name in declared(Settings)}
    assert set(Resolved(TEMPLATE).environment(function)) - POWERTOOLS <= fields


def test_every_setting_can_be_set() -> None:
    """Every field of Settings reaches some function, but for those that have no parameter on purpose."""
    given = {name.lower() for function in FUNCTIONS for name in Resolved(TEMPLATE).environment(function)}
    assert set(declared(Settings)) - given == WITHOUT_PARAMETER


@pytest.mark.parametrize("function", FUNCTIONS)
def test_defaults_agree_with_the_code(function: str) -> None:
    """With no parameter set, the settings of a function are the defaults of the code."""
    settings = Settings.from_env(Resolved(TEMPLATE).environment(function))
    own = ("table_name", "probe_queue_url", "cluster_arn")
    assert settings == replace(Settings(table_name="any"), **{name: getattr(settings, name) for name in own})


def test_parameters_reach_the_settings() -> None:
    """What an operator chooses arrives at the start function, in the spelling that Settings reads."""
    stack = Resolved(
        TEMPLATE,
        ClusterName="work",
        StartedByPrefix="two",
        TaskSubnets="subnet-00000001,subnet-00000002",
        AssignPublicIp="true",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/execution",
        InjectionStrategy="image",
        UnreachableTasks="keep",
        TokenDelivery="ssm",
    )
    settings = Settings.from_env(stack.environment("StartContainerFunction"))
    assert settings.cluster_arn == "arn:aws:ecs:eu-central-1:123456789012:cluster/work"
    assert settings.started_by_prefix == "two"
    assert settings.task_subnets == ("subnet-00000001", "subnet-00000002")
    assert settings.assign_public_ip
    assert settings.injection == "image"
    assert settings.keep_unreachable_tasks
    assert settings.token_delivery == "ssm"


@pytest.mark.parametrize(("early", "statuses"), [("off", ["RUNNING"]), ("on", ["PENDING", "RUNNING"])])
def test_rule_lets_through_only_what_can_change_a_record(early: str, statuses: list[str]) -> None:
    """The rule names the source, the cluster and the prefix, and takes RUNNING (PENDING if asked) or the end."""
    pattern = Resolved(TEMPLATE, EarlyProbe=early).value(RESOURCES["TaskStateRule"]["Properties"]["EventPattern"])
    assert pattern == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": ["arn:aws:ecs:eu-central-1:123456789012:cluster/default"],
            "startedBy": [{"prefix": "sockerless/"}],
            "$or": [{"lastStatus": statuses}, {"desiredStatus": ["STOPPED"]}],
        },
    }


def test_no_event_is_lost_silently() -> None:
    """An event that cannot be delivered, or not be folded, ends in a dead-letter queue that raises an alarm."""
    [target] = RESOURCES["TaskStateRule"]["Properties"]["Targets"]
    queue = {"Fn::GetAtt": ["TaskEventDeadLetterQueue", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": queue}
    failed = RESOURCES["TaskStateFunction"]["Properties"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert failed == {"Type": "SQS", "Destination": queue}
    watched = {json.dumps(alarm["Dimensions"]) for alarm in of_type("AWS::CloudWatch::Alarm").values()}
    for name in ("TaskEventDeadLetterQueue", "ProbeDeadLetterQueue"):
        assert json.dumps([{"Name": "QueueName", "Value": {"Fn::GetAtt": [name, "QueueName"]}}]) in watched
    for name in FUNCTIONS:
        assert json.dumps([{"Name": "FunctionName", "Value": {"Ref": name}}]) in watched


def test_probe_outlives_neither_its_function_nor_its_queue() -> None:
    """A probe ends before its function does, its message stays hidden for longer, and can reach the dead letters."""
    function, queue = RESOURCES["AgentHealthFunction"]["Properties"], RESOURCES["ProbeQueue"]["Properties"]
    source = function["Events"]["Probes"]["Properties"]
    assert TEMPLATE["Parameters"]["HealthTimeoutSeconds"]["MaxValue"] < function["Timeout"]
    assert queue["VisibilityTimeout"] > function["Timeout"]
    receives = queue["RedrivePolicy"]["maxReceiveCount"]
    assert queue["MessageRetentionPeriod"] > receives * queue["VisibilityTimeout"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_schedules_ask_for_the_jobs_of_the_reconciler() -> None:
    """The minute's schedule names no job, the others one that the handler knows; none is repeated by Lambda."""
    function = RESOURCES["ReconcileFunction"]["Properties"]
    schedules = {name: one["Properties"] for name, one in function["Events"].items() if one["Type"] == "ScheduleV2"}
    assert {name: one["ScheduleExpression"] for name, one in schedules.items()} == {
        "EveryMinute": "rate(1 minute)",
        "EveryQuarter": "rate(15 minutes)",
        "EveryHour": "rate(1 hour)",
    }
    assert "Input" not in schedules["EveryMinute"]
    assert json.loads(schedules["EveryHour"]["Input"]) == {"job": RETIRE_DEFINITIONS} == event("reconcile-definitions")
    assert json.loads(schedules["EveryQuarter"]["Input"]) == {"job": FIND_LEAKS} == event("reconcile-leaks")
    assert {one["RetryPolicy"]["MaximumRetryAttempts"] for one in schedules.values()} == {0}


def test_a_run_of_the_retirer_fits_into_its_function() -> None:
    """As many definitions as one run may retire, with their pauses, are done before the function has to end."""
    seconds = RESOURCES["ReconcileFunction"]["Properties"]["Timeout"] - MARGIN
    changes = MOST_A_RUN + MOST_A_RUN / DELETE_BATCH
    assert (changes - 1) * PAUSE <= seconds


def test_tables_and_queues_are_encrypted() -> None:
    """Tokens lie in the table and addresses in the queues: all of them are encrypted at rest."""
    assert RESOURCES["ContainersTable"]["Properties"]["SSESpecification"] == {"SSEEnabled": True}
    assert all(queue["SqsManagedSseEnabled"] is True for queue in of_type("AWS::SQS::Queue").values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_has_a_role_and_a_log_of_its_own(function: str) -> None:
    """No two functions share a role or a log group, and a log may only be written by its own function."""
    stem = function.removesuffix("Function")
    properties = RESOURCES[function]["Properties"]
    assert properties["Role"] == {"Fn::GetAtt": [f"{stem}Role", "Arn"]}
    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": f"{stem}LogGroup"}}
    assert RESOURCES[f"{stem}LogGroup"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    logs = [one for one in statements(f"{stem}Role") if "logs:PutLogEvents" in one["Action"]]
    assert [one["Resource"] for one in logs] == [[f"{stem}LogGroup.Arn"]]


def test_prober_can_write_its_verdict_and_nothing_else() -> None:
    """The prober reads its queue and the table, writes the table, and has no permission on ECS at all."""
    own = {action for action in granted("AgentHealthRole") if not action.startswith(("ec2:", "logs:"))}
    assert own == {
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    [denied] = [one for one in statements("AgentHealthRole") if one["Effect"] == "Deny"]
    assert denied["Action"] == ["ec2:*"]


def test_tasks_are_started_in_one_cluster_with_two_roles() -> None:
    """Running and listing is held to the cluster; only the two roles given can be passed, and only to tasks."""
    cluster = {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:eu-central-1:123456789012:cluster/default"}}
    for role in ROLES:
        for one in statements(role):
            if {"ecs:RunTask", "ecs:ListTasks"} & set(one["Action"]):
                assert one["Condition"] == cluster
            if "iam:PassRole" in one["Action"]:
                assert one["Resource"] == [
                    "arn:aws:iam::123456789012:role/execution",
                    "arn:aws:iam::123456789012:role/task",
                ]
                assert one["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert {role for role in ROLES if "iam:PassRole" in granted(role)} == {
        "StartContainerRole",
        "TaskStateRole",
        "ReconcileRole",
    }


def test_no_role_to_pass_no_permission_to_pass() -> None:
    """Without task roles nobody may pass any: an empty list of resources would be refused by IAM."""
    for role in ("StartContainerRole", "TaskStateRole", "ReconcileRole"):
        policies = Resolved(TEMPLATE).value(RESOURCES[role]["Properties"]["Policies"])
        assert "pass-the-two-task-roles" not in [policy["PolicyName"] for policy in policies]
        assert policies


def test_only_who_records_ends_may_read_what_containers_printed() -> None:
    """The streams of the stack's log group, by the two functions that learn of ends; without a group, nobody."""
    group = "arn:aws:logs:eu-central-1:123456789012:log-group:/tasks"
    reading = {role: one for role in ROLES for one in statements(role) if "logs:GetLogEvents" in one["Action"]}
    assert set(reading) == {"TaskStateRole", "ReconcileRole"}
    for one in reading.values():
        assert (one["Action"], one["Resource"]) == (["logs:GetLogEvents"], [group, f"{group}:log-stream:*"])
    for function in ("TaskStateFunction", "ReconcileFunction"):
        assert Resolved(TEMPLATE, TaskLogGroup="/tasks").environment(function)["TASK_LOG_GROUP"] == "/tasks"
    for role in reading:
        policies = Resolved(TEMPLATE).value(RESOURCES[role]["Properties"]["Policies"])
        assert "read-what-containers-printed" not in [policy["PolicyName"] for policy in policies]


def test_roles_allow_what_the_adapters_call() -> None:
    """Every AWS call of the adapters is granted to some function, and nothing is granted that none makes."""
    called = {action for file in (SOURCES / "core" / "adapters").glob("*.py") for action in _calls(file)}
    allowed = {action for role in ROLES for action in granted(role) if not action.startswith("ec2:")}
    assert called <= allowed
    assert allowed - called <= set(IMPLIED)


def _calls(file: Path) -> Iterator[str]:
    """`dynamodb:GetItem` for `self._client.get_item(…)` of a module that names one client type."""
    tree = ast.parse(file.read_text())
    imports = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    services = [name.removeprefix("mypy_boto3_") for name in imports if name.startswith("mypy_boto3_")]
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="_client"), attr="get_paginator"), args=[name]):
                operation = ast.literal_eval(name)
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="_client"), attr=operation)):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Attribute(attr="_single")), attr=operation)):
                pass
            case _:
                continue
        yield f"{services[0]}:{''.join(word.title() for word in operation.split('_'))}"


def test_dashboard_shows_every_state() -> None:
    """The dashboard is a JSON document, and its first widget counts the entries into every state."""
    body = json.loads(Resolved(TEMPLATE).value(RESOURCES["Dashboard"]["Properties"]["DashboardBody"]))
    metrics = body["widgets"][0]["properties"]["metrics"]
    assert metrics[0][:5] == ["SockerlessReach", "StateEntered", "service", "reach", "state"]
    shown = [next(word for word in reversed(metric) if isinstance(word, str)) for metric in metrics]
    assert sorted(shown) == sorted(State)


def test_dashboard_answers_why_not() -> None:
    """Are containers becoming reachable, how fast, and if not, why: every metric of ours is on it."""
    body = Resolved(TEMPLATE).value(RESOURCES["Dashboard"]["Properties"]["DashboardBody"])
    named = set()
    for file in (SOURCES / "handlers").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="count") | ast.Name(id="count"), args=[ast.Constant(value=str(name)), *_]
                ):
                    named.add(name)
                case ast.Call(func=ast.Attribute(attr="add_metric"), args=[ast.Constant(value=str(name)), *_]):
                    named.add(name)
                case ast.keyword(arg="name", value=ast.Constant(value=str(name))):
                    named.add(name)
    assert {name for name in named if name not in body} <= {"DefinitionsRetired", "state", "code", "cause"}
    assert {"Failed", "StaleEvents", "LeakedTasks", "OldestDueSeconds", "ProbeAttempts"} <= named


@pytest.mark.parametrize("function", FUNCTIONS)
def test_errors_and_throttles_raise_an_alarm(function: str) -> None:
    """Late is as bad as broken."""
    dimension = [{"Name": "FunctionName", "Value": {"Ref": function}}]
    alarms = [one for one in of_type("AWS::CloudWatch::Alarm").values() if one["Dimensions"] == dimension]
    assert {alarm["MetricName"] for alarm in alarms} >= {"Errors", "Throttles"}


def test_a_reconciler_that_does_not_run_raises_an_alarm() -> None:
    """No invocation is no data: the absence of the metric is the sign, within five of the runs of every minute."""
    alarm = of_type("AWS::CloudWatch::Alarm")["ReconcileNotRunningAlarm"]
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "ReconcileFunction"}}]
    watched = ("MetricName", "Statistic", "Period", "Threshold", "ComparisonOperator", "TreatMissingData")
    assert [alarm[name] for name in watched] == ["Invocations", "Sum", 300, 1, "LessThanThreshold", "breaching"]


def test_probes_that_wait_raise_an_alarm() -> None:
    """A message ages while a prober works on it, so only what is older than a prober may work has waited."""
    alarm = of_type("AWS::CloudWatch::Alarm")["ProbesWaitAlarm"]
    assert alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["ProbeQueue", "QueueName"]}}]
    assert alarm["Threshold"] >= RESOURCES["AgentHealthFunction"]["Properties"]["Timeout"]


def test_errors_of_the_jobs_raise_an_alarm() -> None:
    """Each hour that the alarm looks at holds a run of either job: two of them without success are no accident."""
    alarm = of_type("AWS::CloudWatch::Alarm")["JobErrorsAlarm"]
    watched = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator")
    assert [alarm[name] for name in watched] == ["JobErrors", "Sum", 3600, 2, 0, "GreaterThanThreshold"]
    hourly = RESOURCES["ReconcileFunction"]["Properties"]["Events"]["EveryHour"]["Properties"]
    assert hourly["ScheduleExpression"] == "rate(1 hour)"


def test_package_and_functions_are_of_one_architecture() -> None:
    """No parameter can make `sam deploy` ask for a runtime or a processor that `sam build` did not build for."""
    shared = TEMPLATE["Globals"]["Function"]
    assert isinstance(shared["Runtime"], str)
    assert all(isinstance(one, str) for one in shared["Architectures"])
    for function in FUNCTIONS:
        assert not {"Runtime", "Architectures"} & RESOURCES[function]["Properties"].keys()


def test_the_rule_for_the_agent_port_goes_with_the_stack() -> None:
    """EC2 deletes no group that another group's rule names, so the rule is the stack's, not the operator's."""
    resource = RESOURCES["AgentPortIngress"]
    assert WITH_EVERYTHING.holds({"Condition": resource["Condition"]})
    assert WITH_EVERYTHING.value(resource["Properties"]) == {
        "GroupId": "sg-00000001",
        "IpProtocol": "tcp",
        "FromPort": "9111",
        "ToPort": "9111",
        "SourceSecurityGroupId": "ProberSecurityGroup.GroupId",
        "Description": "The prober of sockerless-reach",
    }
    without = Resolved(TEMPLATE, VpcId="vpc-12345678", ProberSubnets="subnet-00000001")
    assert not without.holds({"Condition": resource["Condition"]})


@pytest.mark.parametrize("asked", ["true", "false"])
def test_the_prober_speaks_ipv6_where_it_is_asked_to(asked: str) -> None:
    """Lambda sends IPv6 only when told to, and refuses that in subnets without it; so the rule out goes with it."""
    stack = Resolved(TEMPLATE, VpcId="vpc-12345678", ProberSubnets="subnet-00000001", ProberIpv6=asked)
    network = stack.value(RESOURCES["AgentHealthFunction"]["Properties"]["VpcConfig"])
    assert network.get("Ipv6AllowedForDualStack", False) is (asked == "true")
    rules = stack.value(RESOURCES["ProberSecurityGroup"]["Properties"]["SecurityGroupEgress"])
    assert ["::/0"] * (asked == "true") == [rule["CidrIpv6"] for rule in rules if "CidrIpv6" in rule]


def test_probers_leave_room_in_a_new_account() -> None:
    """Ten executions at a time are all that a new account has, and starts and events need some of them."""
    assert TEMPLATE["Parameters"]["ProberMaximumConcurrency"]["Default"] <= 10 / 2


def test_a_prober_that_cannot_work_raises_an_alarm_in_seconds() -> None:
    """Within half a minute of the fault, with the likeliest cause in the alarm's own words."""
    alarm = RESOURCES["ProbesWithoutVerdictAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("ProbesWithoutVerdict", "Sum", 0)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 10
    assert "DynamoDB gateway endpoint (ProberRouteTableIds)" in alarm["AlarmDescription"]


def test_the_probers_of_a_container_stay_a_handful() -> None:
    """As tests/unit/core/control/test_lost_probes.py assumes of the queue."""
    queue = RESOURCES["ProbeQueue"]["Properties"]
    assert (queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"]) == (VISIBILITY, DELIVERIES)
