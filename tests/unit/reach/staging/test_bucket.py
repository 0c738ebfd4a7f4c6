from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from core.model.errors import CallFailed
from reach.staging.binary import read_binary
from reach.staging.bucket import POSIX, Bucket
from reach.staging.faults import StagingFailed
from reach.staging.plans import Plan, Wish, on_s3_files
from reach.staging.target import settings_of
from reach.staging.versions import version_of
from tests.moto_aws import client, moto_aws
from tests.unit.reach.staging.elf_files import elf
from tests.unit.reach.staging.s3_files import S3FilesApi
from tests.unit.reach.staging.stacks import BUCKET, S3_FILES, STACK

FIRST, SECOND = elf(), elf(kind=3)
CURRENT = "sockerless/bin/sockerless-agent"


def named(content: bytes) -> str:
    return version_of(hashlib.sha256(content).hexdigest())


def key(version: str) -> str:
    return f"sockerless/bin/versions/{version}/sockerless-agent"


@pytest.fixture
def s3() -> Iterator[Any]:
    with moto_aws():
        client("s3").create_bucket(Bucket=BUCKET)
        client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client("s3")


@pytest.fixture
def bucket(s3: Any) -> Bucket:
    return Bucket.of(settings_of("reach", {**STACK, **S3_FILES}), S3FilesApi(), s3)


class Staging:
    """Stages files of one directory."""

    def __init__(self, bucket: Bucket, directory: Path) -> None:
        self.bucket, self.file = bucket, directory / "agent"
        self.said: list[str] = []

    def plan(self, content: bytes, **wish: Any) -> Plan:
        self.file.write_bytes(content)
        return on_s3_files(self.bucket, Wish(None, **wish), self.file, self.said.append)

    def switch(self, version: str) -> Plan:
        return on_s3_files(self.bucket, Wish(None, switch_to=version), None, self.said.append)


@pytest.fixture
def staging(bucket: Bucket, tmp_path: Path) -> Staging:
    return Staging(bucket, tmp_path)


def contents(s3: Any) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return {one["Key"]: s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in found}


def metadata(s3: Any, name: str) -> dict[str, str]:
    found: dict[str, str] = s3.head_object(Bucket=BUCKET, Key=name)["Metadata"]
    return found


def test_the_first_version(staging: Staging, s3: Any) -> None:
    """It is an object of its own, and a copy of it is in use; both show as files that everyone may execute."""
    report = staging.plan(FIRST).perform()
    assert contents(s3) == {key(named(FIRST)): FIRST, CURRENT: FIRST}
    assert metadata(s3, key(named(FIRST))) == metadata(s3, CURRENT)
    assert metadata(s3, CURRENT).items() >= POSIX.items()
    assert (report.staged, report.new, report.before) == (named(FIRST), True, None)
    assert [(one.name, one.size) for one in report.listing.versions] == [(named(FIRST), len(FIRST))]
    assert report.listing.current == named(FIRST)


def test_staging_the_same_again_changes_nothing(staging: Staging) -> None:
    """There is nothing to do, and that is known before."""
    staging.plan(FIRST, version="1").perform()
    plan = staging.plan(FIRST, version="1")
    assert plan.steps == ()
    report = plan.perform()
    assert (report.staged, report.new, report.before, report.listing.current) == ("1", False, "1", "1")


def test_a_plan_changes_nothing(staging: Staging, s3: Any) -> None:
    """Its steps are what would be done, by the names of the objects."""
    staging.plan(FIRST, version="1").perform()
    before = contents(s3)
    assert staging.plan(SECOND, version="2").steps == (
        f"put s3://agents/{key('2')}",
        f"copy s3://agents/{key('2')} to s3://agents/{CURRENT}",
    )
    assert contents(s3) == before


def test_each_step_is_said(staging: Staging) -> None:
    """Before it is done."""
    plan = staging.plan(FIRST)
    plan.perform()
    assert tuple(staging.said) == plan.steps


def test_a_version_is_never_another_binary(staging: Staging, s3: Any) -> None:
    """Containers may be running it."""
    staging.plan(FIRST, version="1").perform()
    with pytest.raises(StagingFailed, match="another binary"):
        staging.plan(SECOND, version="1")
    assert contents(s3)[key("1")] == FIRST


def test_two_at_once_do_not_replace_each_other_s_version(staging: Staging, s3: Any) -> None:
    """The put is refused where the object has come since the plan was made."""
    plan = staging.plan(FIRST, version="1")
    s3.put_object(Bucket=BUCKET, Key=key("1"), Body=SECOND)
    with pytest.raises(CallFailed, match="PreconditionFailed"):
        plan.perform()
    assert contents(s3) == {key("1"): SECOND}


def test_a_version_may_be_staged_beside_the_one_in_use(staging: Staging, s3: Any) -> None:
    """Without a switch the next task runs what it ran before."""
    staging.plan(FIRST).perform()
    report = staging.plan(SECOND, switch=False).perform()
    assert (report.staged, report.listing.current) == (named(SECOND), named(FIRST))
    assert contents(s3)[CURRENT] == FIRST


def test_a_switch_goes_back_and_forth(staging: Staging, s3: Any) -> None:
    """A copy of the version, with its metadata; a switch to the one in use is nothing to do."""
    staging.plan(FIRST, version="1").perform()
    staging.plan(SECOND, version="2").perform()
    report = staging.switch("1").perform()
    assert (report.before, report.listing.current) == ("2", "1")
    assert (contents(s3)[CURRENT], metadata(s3, CURRENT)) == (FIRST, metadata(s3, key("1")))
    assert staging.switch("1").steps == ()


def test_a_switch_to_what_is_not_there(staging: Staging) -> None:
    """It is refused."""
    with pytest.raises(StagingFailed, match="no version of this name"):
        staging.switch("9")


def test_an_agent_that_was_put_there_by_hand_becomes_a_version(staging: Staging, s3: Any) -> None:
    """As `aws s3 cp` leaves it, with or without its mode: a switch leads back to it, and then it can be executed."""
    s3.put_object(Bucket=BUCKET, Key=CURRENT, Body=FIRST)
    assert staging.bucket.listing().current == named(FIRST)
    report = staging.plan(SECOND, version="2").perform()
    assert report.before == named(FIRST)
    assert contents(s3) == {CURRENT: SECOND, key("2"): SECOND, key(named(FIRST)): FIRST}
    staging.switch(named(FIRST)).perform()
    assert contents(s3)[CURRENT] == FIRST
    assert metadata(s3, CURRENT).items() >= POSIX.items()


def test_the_same_agent_put_there_by_hand_is_put_into_use(staging: Staging, s3: Any) -> None:
    """Without the metadata it could not be executed."""
    s3.put_object(Bucket=BUCKET, Key=CURRENT, Body=FIRST)
    plan = staging.plan(FIRST)
    assert [step.partition(" ")[0] for step in plan.steps] == ["put", "copy", "copy"]
    plan.perform()
    assert metadata(s3, CURRENT).items() >= POSIX.items()
    assert contents(s3).keys() == {CURRENT, key(named(FIRST))}


@pytest.mark.parametrize(
    ("prefix", "path", "expected"),
    [
        ("", "/sockerless/bin", "sockerless/bin/"),
        ("shared/", "/sockerless/bin", "shared/sockerless/bin/"),
        ("shared", "/", "shared/"),
        ("", "/", ""),
    ],
)
def test_where_the_directory_is(prefix: str, path: str, expected: str, s3: Any) -> None:
    """Below the prefix of the file system, at the root of its access point."""
    settings = settings_of("reach", {**STACK, **S3_FILES})
    found = Bucket.of(settings, S3FilesApi(prefix=prefix, path=path), s3)
    assert (found.name, found.directory) == (BUCKET, expected)


def test_without_an_access_point_tasks_mount_the_whole(s3: Any) -> None:
    """The root of the file system."""
    settings = settings_of("reach", {**STACK, **S3_FILES, "S3FilesAccessPointArn": ""})
    assert Bucket.of(settings, S3FilesApi(prefix="shared/"), s3).directory == "shared/"


def test_an_object_that_may_not_be_read(bucket: Bucket, s3: Any) -> None:
    """The call that failed is named: an object that cannot be seen is not taken for an absent one."""
    with Stubber(s3) as refusing:
        refusing.add_client_error("head_object", "403", "Forbidden", http_status_code=403)
        with pytest.raises(CallFailed, match="HeadObject failed with 403"):
            bucket.sha256_of("1")


def test_other_objects_are_no_versions(bucket: Bucket, s3: Any) -> None:
    """What else lies in the directory, or deeper in it."""
    for other in ("versions/README", "versions/1/notes", "versions/1/x/sockerless-agent", "sockerless-agent.old"):
        s3.put_object(Bucket=BUCKET, Key=f"sockerless/bin/{other}", Body=b"x")
    assert bucket.listing().versions == ()
    assert bucket.listing().current is None


def test_a_binary_is_read_once_and_known_by_its_digest(tmp_path: Path) -> None:
    """Size and SHA-256 are of the file that was checked."""
    file = tmp_path / "agent"
    file.write_bytes(FIRST)
    found = read_binary(file, None)
    assert (found.size, found.sha256) == (len(FIRST), hashlib.sha256(FIRST).hexdigest())
