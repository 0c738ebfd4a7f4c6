"""A bucket as a directory: what S3 Files shows of objects, and what the mount helper says when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.fargate.reasons import InitializationFailed
from local.fargate.s3_files import S3Files, mode_of
from reach.staging.bucket import POSIX

FILE_SYSTEM = "arn:aws:s3files:us-east-1:000000000000:file-system/fs-0123456789abcdef0"
ACCESS_POINT = f"{FILE_SYSTEM}/access-point/fsap-0123456789abcdef0"
WHOLE = {"fileSystemArn": FILE_SYSTEM}
BUCKET = "agents"


class Service:
    """The API of S3 Files, as far as a mount asks it: one file system, whose access point is its /bin."""

    prefix = ""

    def get_file_system(self, fileSystemId: str) -> dict[str, Any]:  # noqa: N803 - the API's name
        if fileSystemId not in FILE_SYSTEM:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetFileSystem")
        return {"bucket": f"arn:aws:s3:::{BUCKET}", "prefix": self.prefix}

    def get_access_point(self, accessPointId: str) -> dict[str, Any]:  # noqa: N803 - the API's name
        if accessPointId not in ACCESS_POINT:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetAccessPoint")
        return {"rootDirectory": {"path": "/bin"}}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 with the bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def buckets(tmp_path: Path, s3: Any, service: Service) -> S3Files:
    return S3Files(tmp_path, "us-east-1", {"s3": s3, "s3files": service}.__getitem__)


def put(s3: Any, key: str, body: bytes = b"agent", **metadata: str) -> None:
    """As `aws s3 cp` with `--metadata`."""
    s3.put_object(
        Bucket=BUCKET, Key=key, Body=body, Metadata={name.replace("_", "-"): metadata[name] for name in metadata}
    )


def shown(directory: Path) -> dict[str, int]:
    """The files of a directory, and their modes."""
    return {
        str(file.relative_to(directory)): file.stat().st_mode & 0o777 for file in directory.rglob("*") if file.is_file()
    }


@pytest.mark.parametrize(
    ("metadata", "mode"),
    [
        (POSIX, 0o755),
        ({"file-permissions": "0100600"}, 0o600),
        ({}, 0o644),
        ({"file-owner": "0", "file-group": "0"}, 0o644),
        ({"file-permissions": "rwx"}, 0o644),
    ],
)
def test_the_mode_is_the_metadatas(metadata: dict[str, str], mode: int) -> None:
    """Type and mode in octal; an object without them shows as 0644."""
    assert mode_of(metadata) == mode


def test_objects_are_files(s3: Any, buckets: S3Files) -> None:
    """Each with its content and its mode; a key that leads out of the file system is none of its files."""
    put(s3, "bin/agent", file_permissions="0100755")
    put(s3, "bin/plain")
    put(s3, "bin/", b"")
    put(s3, "../outside")
    directory = buckets.mount(WHOLE)
    assert shown(directory) == {"bin/agent": 0o755, "bin/plain": 0o644}
    assert (directory / "bin/agent").read_bytes() == b"agent"


def test_a_mount_shows_what_the_bucket_has_now(s3: Any, buckets: S3Files) -> None:
    """Content and mode of an object that changed; what is gone is gone; what a container wrote stays."""
    put(s3, "bin/agent")
    put(s3, "bin/old")
    directory = buckets.mount(WHOLE)
    (directory / "written").write_text("by a container")
    put(s3, "bin/agent", b"newer", file_permissions="0100755")
    s3.delete_object(Bucket=BUCKET, Key="bin/old")
    assert shown(buckets.mount(WHOLE)) == {"bin/agent": 0o755, "written": 0o644}
    assert (directory / "bin/agent").read_bytes() == b"newer"


def test_a_program_that_runs_keeps_its_file(s3: Any, buckets: S3Files) -> None:
    """A changed object is another file: who has the old one open reads the old one on."""
    put(s3, "agent")
    with (buckets.mount(WHOLE) / "agent").open("rb") as running:
        put(s3, "agent", b"newer")
        buckets.mount(WHOLE)
        assert running.read() == b"agent"


def test_a_prefix_is_the_root(s3: Any, buckets: S3Files, service: Service) -> None:
    """A file system of a prefix shows the objects below it, and no others."""
    service.prefix = "team/"
    put(s3, "team/bin/agent")
    put(s3, "other/agent")
    assert shown(buckets.mount(WHOLE)).keys() == {"bin/agent"}


def test_an_access_point_and_a_directory_are_roots(s3: Any, buckets: S3Files) -> None:
    """The access point's own directory, or the volume's `rootDirectory`."""
    put(s3, "bin/agent")
    for root in ({"accessPointArn": ACCESS_POINT}, {"rootDirectory": "/bin"}):
        assert shown(buckets.mount({**WHOLE, **root})).keys() == {"agent"}


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"fileSystemArn": FILE_SYSTEM.replace("fs-0", "fs-9")}, "ensure that the VPC has an S3Files mount target"),
        ({**WHOLE, "accessPointArn": ACCESS_POINT.replace("fsap-0", "fsap-9")}, "access denied by server"),
        ({**WHOLE, "rootDirectory": "/none"}, "reason given by server: No such file or directory"),
    ],
)
def test_what_cannot_be_mounted_is_in_the_helpers_words(
    buckets: S3Files, configuration: dict[str, str], words: str
) -> None:
    """No such file system, no such access point, no such directory."""
    with pytest.raises(InitializationFailed, match=words):
        buckets.mount(configuration)
