"""What the doctor says of the agent's storage, on ministack, which has S3 Files. moto has not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import pytest

from core.launch.request import Platform
from reach.doctor.asking import Aws
from reach.doctor.examination import GROUPS, check_name, examine
from reach.doctor.facts import Given
from reach.doctor.findings import Reported, Status, Wrong
from tests.contract.conftest import client_of
from tests.healthy_account import ELF_OF_ARM64, ELF_OF_X86_64, POSIX, HealthyAccount, trust

ACCOUNT = "000000000000"
"""ministack's."""
S3_FILES = {check_name(one) for group in GROUPS for one in group.checks if check_name(one).startswith("s3-")}


class Account(HealthyAccount):
    """Network and storage, and a real stack that has nothing but parameters and outputs."""

    def deploy(self) -> None:
        """Makes the stack with the parameters and outputs as they are now."""
        template = {
            "Parameters": {name: {"Type": "String"} for name in self.parameters},
            "Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
            "Outputs": {name: {"Value": value} for name, value in self.outputs.items()},
        }
        values = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(StackName=self.name, TemplateBody=json.dumps(template), Parameters=values)
        cloudformation.get_waiter("stack_create_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1})

    def examined(self, platform: Platform) -> list[Reported]:
        """What the doctor says of the storage."""
        given = Given({}, platform=platform)
        return list(examine(Aws(self.client), self.name, given, only={"storage"}, say=lambda _: None))


@pytest.fixture
def account(ministack: str) -> Account:
    """With an agent in a bucket; not deployed yet."""
    account = Account(partial(client_of, endpoint=ministack), ACCOUNT, f"doctor-{uuid.uuid4().hex[:8]}")
    account.make_network()
    account.make_s3_files()
    return account


def by_check(found: list[Reported]) -> dict[str, set[Status]]:
    return {one.check: {same.finding.status for same in found if same.check == one.check} for one in found}


class Fault(NamedTuple):
    """`plant` breaks one thing; `wrong` finds it, with `mend` in what mends it. `unknown` cannot be checked then."""

    plant: Callable[[Account], object]
    wrong: str
    mend: str
    platform: Platform = Platform.X86_64
    unknown: tuple[str, ...] = ()


def staged(content: bytes, metadata: Mapping[str, str]) -> Callable[[Account], object]:
    return lambda account: account.stage(content, dict(metadata))


def parameter(name: str, end: str) -> Callable[[Account], object]:
    """An ARN with another end."""

    def plant(account: Account) -> None:
        account.parameters[name] = account.parameters[name][: -len(end)] + end

    return plant


FAULTS = {
    "no access point": Fault(
        parameter("S3FilesAccessPointArn", "0" * 17), "s3-access-point", "list-access-points", unknown=("s3-object",)
    ),
    "no versioning": Fault(
        lambda account: account.client("s3").put_bucket_versioning(
            Bucket=account.ids["bucket"], VersioningConfiguration={"Status": "Suspended"}
        ),
        "s3-bucket",
        "put-bucket-versioning",
    ),
    "double encryption": Fault(
        lambda account: account.client("s3").put_bucket_encryption(
            Bucket=account.ids["bucket"],
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms:dsse"}}]
            },
        ),
        "s3-bucket",
        "put-bucket-encryption",
    ),
    "nothing staged": Fault(
        lambda account: account.client("s3").delete_object(Bucket=account.ids["bucket"], Key=account.ids["key"]),
        "s3-object",
        "reach stage-agent",
    ),
    "an empty object": Fault(staged(b"", POSIX), "s3-object", "reach stage-agent"),
    "no metadata": Fault(staged(ELF_OF_X86_64, {}), "s3-object", "reach stage-agent"),
    "a mode that executes nothing": Fault(
        staged(ELF_OF_X86_64, {**POSIX, "file-permissions": "0100644"}), "s3-object", "reach stage-agent"
    ),
    "a mode for root alone": Fault(
        staged(ELF_OF_X86_64, {**POSIX, "file-permissions": "0100700"}), "s3-object", "reach stage-agent"
    ),
    "another processor": Fault(staged(ELF_OF_ARM64, POSIX), "s3-object", "--architecture"),
    "the processor that is not asked for": Fault(lambda _: None, "s3-object", "for ARM64", Platform.ARM64),
    "a zone without a mount target": Fault(
        lambda account: account.client("s3files").delete_mount_target(mountTargetId=account.ids["s3-mount-b"]),
        "s3-mount-targets",
        "create-mount-target",
    ),
    "NFS closed": Fault(lambda account: account.keep_out("storage", 2049, "tasks"), "s3-port", "--port 2049"),
    "a role that EFS may not assume": Fault(
        lambda account: account.client("iam").update_assume_role_policy(
            RoleName=f"{account.name}-s3-files", PolicyDocument=trust("s3.amazonaws.com")
        ),
        "s3-role",
        "update-assume-role-policy",
    ),
}


def test_a_healthy_bucket(account: Account) -> None:
    """Every check of S3 Files is ok."""
    account.deploy()
    seen = by_check(account.examined(Platform.X86_64))
    assert seen == {name: {Status.OK} for name in {"credentials", "stack", *S3_FILES}}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_storage_is_found_and_nothing_else(account: Account, name: str) -> None:
    """What is broken turns wrong, with what mends it; every other check stays ok."""
    fault = FAULTS[name]
    fault.plant(account)
    account.deploy()
    found = account.examined(fault.platform)
    fine = {name: {Status.OK} for name in {"credentials", "stack", *S3_FILES}}
    unknown = {name: {Status.UNKNOWN} for name in fault.unknown}
    assert by_check(found) == fine | unknown | {fault.wrong: {Status.WRONG}}
    mends = [one.finding.mend for one in found if isinstance(one.finding, Wrong)]
    assert any(fault.mend in one for one in mends), mends


def test_a_file_system_that_is_gone(account: Account) -> None:
    """It is wrong; what stands on it cannot be checked, and is not called wrong."""
    account.client("s3files").delete_file_system(fileSystemId=account.ids["s3-file-system"])
    account.deploy()
    seen = by_check(account.examined(Platform.X86_64))
    assert {name for name, states in seen.items() if Status.WRONG in states} == {"s3-file-system"}
    assert {name for name, states in seen.items() if Status.UNKNOWN in states} == {"s3-bucket", "s3-object"}


def test_every_check_of_s3_files_finds_a_fault() -> None:
    """None is ok whatever happens."""
    assert {fault.wrong for fault in FAULTS.values()} | {"s3-file-system"} == S3_FILES


def test_a_file_that_is_no_program_for_a_processor(account: Account) -> None:
    """A script may be an agent: it is not called wrong."""
    account.stage(b"#!/usr/bin/env python3\n", POSIX)
    account.deploy()
    assert by_check(account.examined(Platform.X86_64))["s3-object"] == {Status.UNKNOWN}
