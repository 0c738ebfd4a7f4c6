"""EFS as directories: where an access point leads, and what the mount helper says when it leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from local.fargate.efs import Efs
from local.fargate.reasons import InitializationFailed
from local.fargate.state_directory import efs_directory
from tests.moto_aws import client, moto_aws

OWNER = {"OwnerUid": 1001, "OwnerGid": 1001, "Permissions": "0750"}


class System:
    """A file system of moto's, and its directory."""

    def __init__(self, state_dir: Path) -> None:
        self.id: str = client("efs").create_file_system(CreationToken="agents")["FileSystemId"]
        self.directory = efs_directory(state_dir, self.id)
        self.directory.mkdir(parents=True)
        self._efs = Efs(state_dir, "us-east-1", client)

    def point(self, **root: Any) -> str:
        made = client("efs").create_access_point(ClientToken=str(root), FileSystemId=self.id, RootDirectory=root)
        point: str = made["AccessPointId"]
        return point

    def mount(self, point: str | None = None, **configuration: str) -> Path:
        authorization = {"authorizationConfig": {"accessPointId": point}} if point else {}
        return self._efs.mount({"fileSystemId": self.id, **authorization, **configuration})


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with moto_aws():
        yield System(tmp_path)


def test_an_access_point_is_its_root_directory(system: System) -> None:
    """Two of the same root share their files. It is made at the first mount, with the mode of its creation."""
    one, other = system.point(Path="/sockerless/bin", CreationInfo=OWNER), system.point(Path="/sockerless/bin")
    assert system.mount(one) == system.directory / "sockerless" / "bin"
    assert system.mount(one).stat().st_mode & 0o777 == 0o750
    assert system.mount(other) == system.mount(one)


def test_a_directory_that_nothing_makes(system: System) -> None:
    """Without creation information the mount fails in the server's words, and so does a volume's own root directory."""
    point = system.point(Path="/nowhere")
    for volume in ({"point": point}, {"rootDirectory": "/nowhere"}):
        with pytest.raises(InitializationFailed, match=r"/nowhere failed, reason given by server: No such file"):
            system.mount(**volume)


def test_without_an_access_point_the_volume_has_its_root(system: System) -> None:
    """The whole file system, or a directory of it."""
    (system.directory / "data").mkdir()
    assert system.mount() == system.directory
    assert system.mount(rootDirectory="/data") == system.directory / "data"


def test_a_file_system_that_is_not_there(tmp_path: Path) -> None:
    """Its name does not resolve."""
    with pytest.raises(InitializationFailed, match=r'Failed to resolve "fs-00000000.efs.us-east-1'):
        Efs(tmp_path, "us-east-1", None).mount({"fileSystemId": "fs-00000000"})


def test_an_aws_that_does_not_answer(tmp_path: Path) -> None:
    """The mount times out."""

    class Silent:
        def describe_access_points(self, **_: str) -> None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    efs_directory(tmp_path, "fs-1").mkdir(parents=True)
    volume = {"fileSystemId": "fs-1", "authorizationConfig": {"accessPointId": "fsap-1"}}
    with pytest.raises(InitializationFailed, match="Connection timed out"):
        Efs(tmp_path, "us-east-1", lambda _: Silent()).mount(volume)
