from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reach import Refused
from reach.staging.access import ROLE_TAG, Access, access
from reach.staging.target import settings_of
from tests.moto_aws import client, moto_aws
from tests.unit.reach.staging.stacks import ROLE, STACK

OWNER = {"OwnerUid": 1001, "OwnerGid": 1002, "Permissions": "0755"}
STAGING = "arn:aws:iam::123456789012:role/staging"


class FileSystem:
    """One of moto's, and the access of the stack that has it."""

    def __init__(self) -> None:
        self.efs: Any = client("efs")
        self.id: str = self.efs.create_file_system(CreationToken="agents")["FileSystemId"]

    def point(self, path: str = "/bin", *, owner: dict[str, Any] | None = OWNER, role: str | None = None) -> str:
        """`role`: that of its tag."""
        root = {"Path": path, **({"CreationInfo": owner} if owner else {})}
        point: str = self.efs.create_access_point(
            ClientToken=f"{path}{role}{owner}"[:64],
            FileSystemId=self.id,
            PosixUser={"Uid": 1000, "Gid": 1000},
            RootDirectory=root,
            Tags=[{"Key": ROLE_TAG, "Value": role}] if role else [],
        )["AccessPointId"]
        return point

    def access(self, point: str = "", *, role: str | None = None, **values: str) -> Access:
        given = {**STACK, "EfsFileSystemId": self.id, "EfsAccessPointId": point, **values}
        return access(settings_of("reach", given), self.efs, role)


@pytest.fixture
def system() -> Iterator[FileSystem]:
    with moto_aws():
        yield FileSystem()


def test_the_access_point_for_staging_is_found_by_its_tag(system: FileSystem) -> None:
    """It has the tasks' directory, and names the role."""
    tasks, staging = system.point(), system.point(role=STAGING)
    system.point("/other", role="arn:aws:iam::123456789012:role/other")
    assert system.access(tasks) == Access(system.id, "/bin", STAGING, point=staging)


def test_the_role_of_the_command_line_wins(system: FileSystem) -> None:
    """Over that of the tag."""
    tasks, staging = system.point(), system.point(role=STAGING)
    assert system.access(tasks, role="arn:aws:iam::123456789012:role/mine") == Access(
        system.id, "/bin", "arn:aws:iam::123456789012:role/mine", point=staging
    )


@pytest.mark.parametrize(("owner", "user"), [(OWNER, (1001, 1002)), (None, (1000, 1000))])
def test_without_one_it_is_made_as_the_owner_of_the_directory(
    system: FileSystem, owner: dict[str, Any] | None, user: tuple[int, int]
) -> None:
    """With the same root; where no owner is stated, as the tasks. The role is the tasks' own."""
    found = system.access(system.point(owner=owner))
    assert (found.path, found.point, found.role) == ("/bin", None, ROLE)
    assert found.creation
    assert found.creation["RootDirectory"]["Path"] == "/bin"
    assert found.creation["RootDirectory"].get("CreationInfo") == owner
    assert (found.creation["PosixUser"]["Uid"], found.creation["PosixUser"]["Gid"]) == user
    assert system.efs.create_access_point(ClientToken="1", **found.creation)["FileSystemId"] == system.id


def test_tasks_without_an_access_point_mount_the_root(system: FileSystem) -> None:
    """So does the task that stages, and none is made."""
    assert system.access() == Access(system.id, "/", ROLE)


def test_an_access_point_that_is_not_there(system: FileSystem) -> None:
    """The stack's parameter is wrong, or it was deleted."""
    system.point()
    with pytest.raises(Refused, match=r"has no access point fsap-00000000.*check EfsAccessPointId"):
        system.access("fsap-00000000")


def test_no_role_at_all(system: FileSystem) -> None:
    """None may write then, and the option is named."""
    with pytest.raises(Refused, match=r"No role is known.*give --role ARN"):
        system.access(system.point(), TaskRoleArn="")
