"""docs/security.md: what it says of roles and of the network is so in the templates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from docs import permissions
from docs.counted import functions
from tests.template import Resolved, load_template
from tests.transformed import CHOICES, FOUNDATIONS, Founded

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
TEMPLATE = load_template()
STACK = Resolved(TEMPLATE, **CHOICES["everything"])
FUNCTIONS = functions().keys()


def of_type(kind: str) -> list[dict[str, Any]]:
    return [STACK.value(one["Properties"]) for one in TEMPLATE["Resources"].values() if one["Type"] == kind]


def test_every_action_has_its_place() -> None:
    """The table of permissions has a column for each, and a row for each function."""
    head, rows = permissions.table()
    assert [row[0].strip("`") for row in rows] == list(FUNCTIONS)
    assert {place for name in FUNCTIONS for place in permissions.allowed_to(name)} == set(head[1:])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_read_no_parameter_and_no_dead_letter(function: str) -> None:
    """The value of a token's parameter is the execution role's to read, a dead letter an operator's."""
    allowed = permissions.allowed_to(function)
    assert set(allowed.get("parameters", ())) <= {"PutParameter", "DeleteParameter", "DescribeParameters"}
    assert set(allowed.get("dead letters", ())) <= {"SendMessage"}


def test_one_function_reads_the_stream_and_one_receives_probes() -> None:
    """Who else would, could read tokens, or take probes away."""
    may = {
        name: {action for actions in permissions.allowed_to(name).values() for action in actions} for name in FUNCTIONS
    }
    assert [name for name in FUNCTIONS if "GetRecords" in may[name]] == ["ReconcileFunction"]
    assert [name for name in FUNCTIONS if "ReceiveMessage" in may[name]] == ["AgentHealthFunction"]
    assert [name for name in FUNCTIONS if "RegisterTaskDefinition" in may[name]] == ["StartContainerFunction"]


def test_the_prober_is_let_out_by_two_ports_and_let_in_by_none() -> None:
    """The agents' and DynamoDB's; and no rule of the stack lets anything in to its group."""
    [group] = of_type("AWS::EC2::SecurityGroup")
    assert {(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]} == {
        ("9111", "9111"),
        (443, 443),
    }
    assert "SecurityGroupIngress" not in group
    [rule] = of_type("AWS::EC2::SecurityGroupIngress")
    assert rule["GroupId"] == CHOICES["everything"]["AgentSecurityGroupId"]
    assert (rule["FromPort"], rule["ToPort"], rule["SourceSecurityGroupId"]) == (
        "9111",
        "9111",
        "ProberSecurityGroup.GroupId",
    )


def test_the_prober_alone_is_in_the_vpc() -> None:
    """The others reach AWS by Lambda's own network, and no task."""
    assert [name for name, one in functions().items() if "VpcConfig" in one] == ["AgentHealthFunction"]


def test_every_queue_refuses_what_is_no_tls() -> None:
    """A queue has one policy, and one that a second policy names would lose the first."""
    queues = [name for name, one in TEMPLATE["Resources"].items() if one["Type"] == "AWS::SQS::Queue"]
    denied = {}
    for policy in of_type("AWS::SQS::QueuePolicy"):
        [queue] = policy["Queues"]
        assert queue not in denied
        denied[queue] = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
    assert denied == {
        queue: [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": f"{queue}.Arn",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
        for queue in queues
    }


@pytest.mark.parametrize("choice", FOUNDATIONS)
def test_no_task_reaches_another_by_the_foundation(choice: str) -> None:
    """No group of it names itself, and the tasks' group lets the backend in on one port."""
    founded = Founded(choice)
    groups = {name: one for name, kind, one in founded.resources() if kind == "AWS::EC2::SecurityGroup"}
    sources = {
        name: [rule["SourceSecurityGroupId"] for rule in one.get("SecurityGroupIngress", ())]
        for name, one in groups.items()
    }
    assert sources["TaskSecurityGroup"] == [founded.attribute("BackendSecurityGroup", "GroupId")]
    assert all(founded.attribute(name, "GroupId") not in its for name, its in sources.items())


def test_the_page_names_the_ports_of_the_rules() -> None:
    """Each way of the network has its port: the agents', TLS, NFS."""
    ports = re.findall(r"^\| [^|]+ \| [^|]+ \| TCP ([^|]+) \|", PAGE, re.MULTILINE)
    assert set(ports) == {"`AgentPort`", "443", "2049"}
