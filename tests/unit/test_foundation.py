"""foundation.yaml: its outputs against the parameters of template.yaml, what it lets in, and what cfn-lint says.

IAM: test_permissions. A deployment: tests/contract/test_foundation.py.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import jmespath  # type: ignore[import-untyped]
import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from core.launch.settings import Settings
from core.model.agent import Injection
from docs.generate import ROOT
from local.cloud.environment import upper_snake_case
from reach.staging.access import ROLE_TAG
from tests.template import FOUNDATION, Resolved, load_template
from tests.transformed import FOUNDATIONS, Founded
from tests.unit.test_parameters import refusals
from tests.unit.test_transformed_template import REGIONS, name_property

MAIN = load_template()
TEMPLATE = load_template(FOUNDATION)
FOR_PEOPLE = {"AgentStagingUri", "BackendSecurityGroupId", "StagingRoleArn"}
"""Outputs that are no parameters of template.yaml."""

NAMED = {"AWS::ECS::Cluster", "AWS::Logs::LogGroup"}
"""Types whose resources have names of the operator's choice, because template.yaml takes names."""


def of_type(stack: Founded, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of a type, by logical id."""
    return {name: properties for name, one, properties in stack.resources() if one == kind}


def main_parameters(choice: str) -> dict[str, str]:
    """What the command of the documents hands over to the main stack."""
    return {name: value for name, value in Founded(choice).outputs().items() if name not in FOR_PEOPLE}


def test_cfn_lint_accepts_it() -> None:
    """Not an error, a warning or a remark in any kind of Region, and nothing is ignored."""
    found = lint_file(FOUNDATION, config=ManualArgs(regions=REGIONS, include_checks=["I"]))
    assert [f"{one.rule.id} {one.message}" for one in found] == []


@pytest.mark.parametrize("name", sorted(TEMPLATE["Parameters"]))
def test_parameter_is_documented(name: str) -> None:
    """Every parameter says what it is for, stands in one group of the console, and takes not just anything."""
    parameter = TEMPLATE["Parameters"][name]
    assert parameter["Description"].endswith(".")
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sum(group["Parameters"].count(name) for group in groups) == 1
    assert {"AllowedPattern", "AllowedValues", "MaxValue"} & parameter.keys() or parameter["Type"].endswith("::Id")


def test_a_vpc_and_subnets_are_all_it_needs() -> None:
    """Every other parameter has a default."""
    needed = {name for name, one in TEMPLATE["Parameters"].items() if "Default" not in one}
    assert needed == {"VpcId", "TaskSubnets"}


@pytest.mark.parametrize("name", sorted(TEMPLATE["Parameters"].keys() & MAIN["Parameters"].keys() - {"VpcId"}))
def test_a_shared_parameter_takes_the_same_values(name: str) -> None:
    """What the foundation takes, the main stack takes too; a list is held to the pattern one by one."""
    own, main = TEMPLATE["Parameters"][name], MAIN["Parameters"][name]
    for limit in ("AllowedValues", "MinValue", "MaxValue"):
        assert own.get(limit) == main.get(limit)
    pattern = own.get("AllowedPattern")
    if own["Type"] == "CommaDelimitedList":
        one = pattern.strip("^$")
        assert main["AllowedPattern"] == f"^$|^{one}(,{one}){{0,15}}$"
    elif pattern != main.get("AllowedPattern"):
        assert f"^$|{pattern}" == main["AllowedPattern"]


def test_outputs_are_parameters_of_the_main_stack() -> None:
    """Each output is called as a parameter of template.yaml, but for the ones for people; each is described."""
    assert TEMPLATE["Outputs"].keys() - FOR_PEOPLE <= MAIN["Parameters"].keys()
    assert TEMPLATE["Outputs"].keys() >= FOR_PEOPLE
    assert all(one["Description"].endswith(".") for one in TEMPLATE["Outputs"].values())


def test_nothing_of_the_network_is_left_to_give() -> None:
    """Every parameter of the main stack that names a resource has an output, but for those that have a reason."""
    reasons = {
        "AgentImage": "it is the operator's",
        "ProberRouteTableIds": "the foundation made the endpoint, and a route table takes one",
    }
    resources = re.compile(r"(Id|Ids|Arn|Subnets|Groups|Group|ClusterName|Image)$")
    wanted = {name for name in MAIN["Parameters"] if resources.search(name)}
    assert wanted - TEMPLATE["Outputs"].keys() == reasons.keys()


@pytest.mark.parametrize("choice", FOUNDATIONS)
def test_the_main_stack_takes_the_outputs(choice: str) -> None:
    """No pattern and no rule of template.yaml refuses them, and each function starts with them."""
    given = main_parameters(choice)
    assert list(refusals(given)) == []
    stack = Resolved(MAIN, **given)
    for name, one in MAIN["Resources"].items():
        if one["Type"] == "AWS::Serverless::Function":
            Settings.from_env(stack.environment(name))


@pytest.mark.parametrize(
    ("choice", "injection"), [("bucket", Injection.S3_FILES), ("efs", Injection.EFS), ("no storage", None)]
)
def test_the_storage_decides_how_the_agent_comes_in(choice: str, injection: Injection | None) -> None:
    """With InjectionStrategy auto, the main stack mounts the storage that there is."""
    settings = Settings.from_env(Resolved(MAIN, **main_parameters(choice)).environment("StartContainerFunction"))
    assert settings.injection is None
    assert bool(settings.efs_file_system_id) == (injection is Injection.EFS)
    assert bool(settings.s3_files_file_system_arn) == (injection is Injection.S3_FILES)


@pytest.mark.parametrize(
    ("choice", "kind"), [("efs", "AWS::EFS::MountTarget"), ("bucket", "AWS::S3Files::MountTarget")]
)
def test_each_subnet_has_its_mount_target(choice: str, kind: str) -> None:
    """One for each, named after it: another order of the list replaces none, which its zone would refuse."""
    one = of_type(Founded(choice), kind)
    other = of_type(Founded(choice, TaskSubnets="subnet-00000002,subnet-00000001"), kind)
    assert sorted(target["SubnetId"] for target in one.values()) == ["subnet-00000001", "subnet-00000002"]
    assert one == other


@pytest.mark.parametrize("choice", FOUNDATIONS)
def test_who_is_let_in(choice: str) -> None:
    """The backend's group reaches the tasks on AgentPort, the tasks reach the storage by NFS, and no more."""
    stack = Founded(choice, AgentPort="9112")
    groups = of_type(stack, "AWS::EC2::SecurityGroup")
    let_in = {
        (name, rule["SourceSecurityGroupId"], rule["IpProtocol"], str(rule["FromPort"]), str(rule["ToPort"]))
        for name, group in groups.items()
        for rule in group.get("SecurityGroupIngress", ())
    }
    tasks, backend = (stack.attribute(f"{name}SecurityGroup", "GroupId") for name in ("Task", "Backend"))
    storage = {("StorageSecurityGroup", tasks, "tcp", "2049", "2049")} if "StorageSecurityGroup" in groups else set()
    assert let_in == {("TaskSecurityGroup", backend, "tcp", "9112", "9112")} | storage
    assert bool(storage) == (choice != "no storage")
    assert stack.outputs()["AgentPort"] == "9112"
    assert stack.outputs()["TaskSecurityGroups"] == stack.outputs()["AgentSecurityGroupId"] == tasks


def test_the_bucket_is_closed() -> None:
    """Versioned, encrypted, not public, without access lists, TLS alone; and it stays so when the stack goes."""
    stack = Founded("bucket")
    [bucket] = of_type(stack, "AWS::S3::Bucket").values()
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert TEMPLATE["Resources"]["AgentBucket"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert TEMPLATE["Resources"]["AgentBucketPolicy"]["DeletionPolicy"] == "RetainExceptOnCreate"
    [policy] = of_type(stack, "AWS::S3::BucketPolicy").values()
    [denied] = policy["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Action"], denied["Principal"]) == ("Deny", "s3:*", {"AWS": "*"})
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_file_system_takes_tls_and_iam_alone() -> None:
    """Encrypted; its policy denies what comes without TLS, and allows nothing: that is left to the roles."""
    [system] = of_type(Founded("efs"), "AWS::EFS::FileSystem").values()
    assert system["Encrypted"] is True
    [denied] = system["FileSystemPolicy"]["Statement"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", {"AWS": "*"})
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_staging_role_writes_by_the_access_point_that_names_it() -> None:
    """`reach stage-agent` finds role and access point by the tag. Tasks have neither, and do not own the directory."""
    stack = Founded("efs", AgentDirectory="/agents/2")
    points = of_type(stack, "AWS::EFS::AccessPoint")
    tasks, staging = points["EfsAccessPoint"], points["EfsStagingAccessPoint"]
    role = stack.attribute("StagingRole", "Arn")
    assert {"Key": ROLE_TAG, "Value": role} in staging["AccessPointTags"]
    assert stack.outputs()["StagingRoleArn"] == role
    assert tasks["RootDirectory"] == staging["RootDirectory"]
    owner = tasks["RootDirectory"]["CreationInfo"]
    assert tasks["RootDirectory"]["Path"] == "/agents/2"
    assert staging["PosixUser"] == {"Uid": owner["OwnerUid"], "Gid": owner["OwnerGid"]}
    assert owner["OwnerUid"] not in {"0", tasks["PosixUser"]["Uid"]}
    assert owner["Permissions"] == "0755"
    [policy] = of_type(stack, "AWS::IAM::Policy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    [[key, value]] = statement["Condition"]["ArnEquals"].items()
    assert (key, value) == (
        "elasticfilesystem:AccessPointArn",
        stack.attribute("EfsStagingAccessPoint", "Arn"),
    )
    assert of_type(Founded("bucket"), "AWS::IAM::Policy") == {}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("bucket", {"s3files:ClientMount"}), ("efs", {"elasticfilesystem:ClientMount"}), ("no storage", set())],
)
def test_the_task_role_mounts_one_access_point_and_writes_nothing(choice: str, expected: set[str]) -> None:
    """It is allowed what docs/deploy.md says, through the access point of the agent."""
    role = of_type(Founded(choice), "AWS::IAM::Role")["TaskRole"]
    statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    assert {one["Action"] for one in statements} == expected
    for one in statements:
        [keys] = one["Condition"].values()
        [(key, value)] = keys.items()
        assert key.endswith(":AccessPointArn")
        assert ":access-point/" in value or "/access-point/" in value


@pytest.mark.parametrize("choice", FOUNDATIONS)
def test_the_execution_role_reads_tokens_and_the_secrets_that_are_named(choice: str) -> None:
    """Beside AWS's policy: the parameters below StartedByPrefix, and SecretArns."""
    stack = Founded(choice, StartedByPrefix="two")
    role = of_type(stack, "AWS::IAM::Role")["ExecutionRole"]
    partition = stack.reference("AWS::Partition")
    [managed] = role["ManagedPolicyArns"]
    assert managed == f"arn:{partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    allowed = {
        one["Action"]: one["Resource"] for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]
    }
    assert allowed.pop("ssm:GetParameters").endswith(":123456789012:parameter/two/*")
    secrets = stack.given.get("SecretArns")
    assert allowed == ({"secretsmanager:GetSecretValue": secrets.split(",")} if secrets else {})
    assert stack.outputs()["StartedByPrefix"] == "two"


@pytest.mark.parametrize("choice", FOUNDATIONS)
def test_only_what_the_operator_names_has_a_name(choice: str) -> None:
    """Two foundations in one account meet in nothing but cluster and log group, which parameters name."""
    for _, kind, properties in Founded(choice).resources():
        name = name_property(kind)
        assert (name is not None and name in properties) == (kind in NAMED), kind


def test_the_cluster_has_both_capacity_providers() -> None:
    """So that Capacity of the main stack may be Spot, and nothing runs on either unless a request says so."""
    [cluster] = of_type(Founded("bucket"), "AWS::ECS::Cluster").values()
    assert cluster["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert "DefaultCapacityProviderStrategy" not in cluster


def test_the_endpoint_is_made_where_it_is_asked_for() -> None:
    """In the route tables that are named; the main stack gets none, because it would make a second one."""
    [endpoint] = of_type(Founded("efs"), "AWS::EC2::VPCEndpoint").values()
    assert endpoint["RouteTableIds"] == ["rtb-12345678"]
    assert of_type(Founded("bucket"), "AWS::EC2::VPCEndpoint") == {}
    assert "ProberRouteTableIds" not in TEMPLATE["Outputs"]


@pytest.mark.parametrize(
    ("parameter", "wrong", "right"),
    [
        ("AgentDirectory", ["bin", "/bin/", "/a/b/c/d/e", "/a b", "/.hidden"], ["/bin", "/sockerless/bin/2.1"]),
        ("SecretArns", ["db", "arn:aws:iam::123456789012:role/one"], [FOUNDATIONS["efs"]["SecretArns"], ""]),
        ("TaskSubnets", ["subnet-1", " subnet-12345678"], ["subnet-12345678"]),
        ("TaskLogGroup", ["", "arn:aws:logs"], ["/sockerless/tasks"]),
    ],
)
def test_what_can_never_work_is_refused(parameter: str, wrong: list[str], right: list[str]) -> None:
    """Before anything is made."""
    pattern = TEMPLATE["Parameters"][parameter]["AllowedPattern"]
    assert [value for value in wrong if re.fullmatch(pattern, value)] == []
    assert [value for value in right if not re.fullmatch(pattern, value)] == []


def test_the_policies_are_those_of_the_documents() -> None:
    """Each action that docs/deploy.md gives the task role, the staging role and the role of S3 Files, and no other."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)
    documented = {
        action
        for block in blocks
        for one in json.loads(block)["Statement"]
        if "Principal" not in one
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    stacks = [Founded(choice) for choice in ("bucket", "efs")]
    roles = [role for stack in stacks for name, role in of_type(stack, "AWS::IAM::Role").items()]
    execution = [of_type(stack, "AWS::IAM::Role")["ExecutionRole"] for stack in stacks]
    policies = [policy for role in roles if role not in execution for policy in role.get("Policies", ())]
    allowed = {
        action
        for policy in [*policies, *(one for stack in stacks for one in of_type(stack, "AWS::IAM::Policy").values())]
        for one in policy["PolicyDocument"]["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    assert allowed == documented


@pytest.mark.parametrize("document", ["README.md", "docs/deploy.md"])
@pytest.mark.parametrize("choice", FOUNDATIONS)
def test_the_documented_query_turns_outputs_into_overrides(document: str, choice: str) -> None:
    """What `aws cloudformation describe-stacks` prints by it is words without blanks, each a name and its value."""
    [query] = set(re.findall(r'--query "([^"]*join[^"]*)"', (ROOT / document).read_text()))
    outputs = Founded(choice).outputs()
    answer = {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": one} for key, one in outputs.items()]}]}
    printed = "\t".join(jmespath.search(query, answer))
    assert dict(word.split("=", 1) for word in printed.split()) == outputs


def test_the_documented_command_exports_the_outputs_of_the_stack() -> None:
    """By the names that the laptop cloud gives them, with whatever their values have in them."""
    [program] = re.findall(r"awk '([^']+)'", (ROOT / "docs/deploy.md").read_text())
    outputs = {name: f"arn:aws:x=y {name}" for name in load_template()["Outputs"]}
    lines = "".join(f"{name}={value}\n" for name, value in outputs.items())
    done = subprocess.run(["awk", program], input=lines, capture_output=True, text=True, check=True)
    shell = ["env", "-i", "sh", "-c", f"{done.stdout}\nexport -p"]
    exported = subprocess.run(shell, capture_output=True, text=True, check=True).stdout
    for name, value in outputs.items():
        assert f"{upper_snake_case(name)}='{value}'" in exported


def test_the_binary_lies_where_the_output_says() -> None:
    """At the root of the access point, under the name of the executable."""
    uri = Founded("bucket", AgentDirectory="/agents/2").outputs()["AgentStagingUri"]
    [point] = of_type(Founded("bucket", AgentDirectory="/agents/2"), "AWS::S3Files::AccessPoint").values()
    assert uri.endswith(point["RootDirectory"]["Path"] + "/sockerless-agent")


def test_the_first_command_of_the_readme_gives_what_is_needed() -> None:
    """The overrides that it names are parameters, the needed ones among them, and it has the two capabilities."""
    [command] = re.findall(
        r"^(aws cloudformation deploy (?:.*\\\n)*.*)$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    given = set(re.findall(r"(\w+)=\"", command))
    assert {"VpcId", "TaskSubnets"} <= given <= TEMPLATE["Parameters"].keys()
    assert {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"} <= set(command.split())


def test_the_readme_needs_six_commands() -> None:
    """From a VPC to the first reachable container."""
    text = (ROOT / "README.md").read_text()
    [block] = re.findall(r"^## Deploy\n.*?^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"^(?:aws|sam|reach|pipx) ", block, re.MULTILINE)) == 6
    assert all(line.startswith(("aws ", "sam ", "reach ", "pipx ", "    ")) for line in block.splitlines())
