"""The agent in a bucket that S3 Files mounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.launch.request import Platform
from reach.doctor.checks import mounts
from reach.doctor.deployed import Deployed
from reach.doctor.facts import S3Files, StagedObject, Storage
from reach.doctor.findings import Finding, Unknown, ok, wrong
from reach.doctor.rules.binaries import platform_of
from reach.doctor.rules.policies import trusts

_MODE: Final = "file-permissions"
_ALL_MAY_EXECUTE: Final = 0o111
_ENCRYPTIONS: Final = ("AES256", "aws:kms")
"""S3 Files takes SSE-S3 and SSE-KMS (guide: S3 Files, prerequisites)."""
_SERVICE: Final = "elasticfilesystem.amazonaws.com"


def s3_file_system(stack: Deployed, storage: Storage) -> Iterator[Finding]:
    """The file system of S3 Files is there and available."""
    if storage.s3_files is None:
        return
    name, found = stack.parameter("S3FilesFileSystemArn"), storage.s3_files.file_system.value
    if found is None:
        yield wrong(
            "There is no {file_system}, so no container starts.",
            "sam deploy --parameter-overrides S3FilesFileSystemArn=... with one of aws s3files list-file-systems",
            file_system=name,
        )
    elif found["status"] != "available":
        yield wrong(
            "{file_system} is {state}.",
            "aws s3files get-file-system --file-system-id {file_system} --query statusMessage",
            file_system=name,
            state=found["status"],
        )
    else:
        yield ok("{file_system} over {bucket}", file_system=found["fileSystemId"], bucket=found["bucket"])


def s3_mount_targets(stack: Deployed, storage: Storage) -> Iterator[Finding]:
    """S3 Files has a mount target that is available in each zone of the tasks."""
    if storage.s3_files is not None:
        arn = stack.parameter("S3FilesFileSystemArn")
        make = f"aws s3files create-mount-target --file-system-id {arn} --subnet-id {{subnet}} --security-groups ..."
        yield from mounts.in_each_zone(storage.s3_files.mounts, mend=make)


def s3_port(_: Deployed, storage: Storage) -> Iterator[Finding]:
    """The mount targets of S3 Files let TCP 2049 in from the tasks, and the tasks let it out."""
    if storage.s3_files is not None:
        yield from mounts.open_to_tasks(storage.s3_files.mounts)


def s3_access_point(stack: Deployed, storage: Storage) -> Iterator[Finding]:
    """The access point is there and available. Its path is shown."""
    if storage.s3_files is None:
        return
    point, found = stack.parameter("S3FilesAccessPointArn"), storage.s3_files.access_point.value
    if not point:
        yield ok("none: the agent is to be in the root of the file system")
    elif found is None:
        yield wrong(
            "There is no {access_point}, so no container starts.",
            "sam deploy --parameter-overrides S3FilesAccessPointArn=... with one that aws s3files list-access-points "
            f"--file-system-id {stack.parameter('S3FilesFileSystemArn')} shows",
            access_point=point,
        )
    elif found["status"] != "available":
        yield wrong(
            "{access_point} is {state}.",
            "aws s3files get-access-point --access-point-id {access_point}",
            access_point=point,
            state=found["status"],
        )
    else:
        path = found.get("rootDirectory", {}).get("path", "/")
        yield ok("{access_point} at {path}", access_point=found["accessPointId"], path=path)


def s3_bucket(_: Deployed, storage: Storage) -> Iterator[Finding]:
    """The bucket has versioning, and encryption with SSE-S3 or SSE-KMS."""
    if storage.s3_files is None:
        return
    bucket = storage.s3_files.bucket.value
    versioning = storage.s3_files.versioning.value
    right = versioning is not None and versioning.get("Status") == "Enabled"
    if not right:
        yield wrong(
            "{bucket} has no versioning, which S3 Files requires.",
            "aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
            bucket=bucket,
        )
    algorithm = _algorithm(storage.s3_files)
    if algorithm not in _ENCRYPTIONS:
        yield wrong(
            "{bucket} is encrypted with {algorithm}; S3 Files takes AES256 and aws:kms.",
            "aws s3api put-bucket-encryption --bucket {bucket} --server-side-encryption-configuration "
            "Rules=[{{ApplyServerSideEncryptionByDefault={{SSEAlgorithm=AES256}}}}]",
            bucket=bucket,
            algorithm=algorithm,
        )
    elif right:
        yield ok("{bucket}: versioning, {algorithm}", bucket=bucket, algorithm=algorithm)


def s3_object(_: Deployed, storage: Storage) -> Iterator[Finding]:
    """The agent is in the bucket, with the metadata of its mode, for the processor of the containers."""
    if storage.s3_files is None:
        return
    where = f"s3://{storage.s3_files.bucket.value}/{storage.s3_files.key.value}"
    staged = storage.s3_files.staged.value
    put = "reach stage-agent --file sockerless-agent"
    if staged is None:
        yield wrong("{object} is not there, or empty, so no container starts.", put, object=where)
        return
    mode = staged.metadata.get(_MODE, "")
    if not _executable(mode):
        shown = f"has {_MODE} {mode}" if mode else f"has no {_MODE}"
        yield wrong("{object} " + shown + ", so it cannot be executed.", put, object=where, mode=mode)
    yield from _of_platform(staged, where, put, storage.s3_files.platform, mode)


def s3_role(stack: Deployed, storage: Storage) -> Iterator[Finding]:
    """The file system's role is there, and EFS, which runs S3 Files, may assume it."""
    if storage.s3_files is None or storage.s3_files.file_system.value is None:
        return
    arn, answer = storage.s3_files.file_system.value["roleArn"], storage.s3_files.role.value
    if answer is None:
        yield wrong(
            "There is no {role}, by which S3 Files reads the bucket.",
            "make it as docs/deploy.md says (S3 Files, step by step)",
            role=arn,
        )
    elif not trusts(answer["Role"], _SERVICE, account=stack.account):
        yield wrong(
            "{role} is not trusted by " + _SERVICE + ", so S3 Files cannot read the bucket.",
            f"aws iam update-assume-role-policy --role-name {answer['Role']['RoleName']} --policy-document ... "
            "(docs/deploy.md, S3 Files, step by step)",
            role=arn,
        )
    else:
        yield ok("{role}", role=arn)


def _of_platform(staged: StagedObject, where: str, put: str, wanted: Platform, mode: str) -> Iterator[Finding]:
    found = platform_of(staged.head)
    if found is None:
        yield Unknown(f"for which processor {where} is: it is no ELF file")
    elif found != wanted:
        yield wrong(
            "{object} is for {platform}, and containers are {wanted}: they end as agent-wrong-architecture.",
            f"{put} --architecture {wanted}; or the other platform in the requests and in reach doctor --architecture",
            object=where,
            platform=str(found),
            wanted=str(wanted),
        )
    elif _executable(mode):
        yield ok("{object}, {platform}, mode {mode}", object=where, platform=str(found), mode=mode)


def _executable(mode: str) -> bool:
    """For every user: the container's may be any."""
    try:
        return int(mode, 8) & _ALL_MAY_EXECUTE == _ALL_MAY_EXECUTE
    except ValueError:
        return False


def _algorithm(s3_files: S3Files) -> str:
    """A bucket without a configuration has SSE-S3 (guide: S3, default encryption)."""
    found = s3_files.encryption.value
    if found is None:
        return "AES256"
    rules = found["ServerSideEncryptionConfiguration"]["Rules"]
    return str(rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])
