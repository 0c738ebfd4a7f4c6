"""The file systems that hold the agent binary, and the object in the bucket."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from core.model.agent import AGENT_NAME
from reach.doctor.asking import Aws
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Efs, Given, S3Files, StagedObject, Storage
from reach.doctor.gathering import mounts
from reach.doctor.knowledge import Document, NotAsked, NotKnown, fact
from reach.doctor.reads import (
    BUCKET_ENCRYPTION,
    BUCKET_OBJECT,
    BUCKET_OBJECTS,
    BUCKET_VERSIONING,
    EFS_ACCESS_POINTS,
    EFS_FILE_SYSTEMS,
    EFS_POLICY,
    ROLE,
    S3_ACCESS_POINT,
    S3_FILE_SYSTEM,
)

HEAD: Final = 64
"""Bytes of the binary that say what it is: the header of an ELF file."""


def gather(aws: Aws, stack: Deployed, given: Given) -> Storage:
    """Asks about the file systems that the stack's parameters name."""
    return Storage(
        efs=_efs(aws, stack, stack.parameter("EfsFileSystemId")) if stack.parameter("EfsFileSystemId") else None,
        s3_files=_s3_files(aws, stack, given) if stack.parameter("S3FilesFileSystemArn") else None,
    )


def _efs(aws: Aws, stack: Deployed, file_system: str) -> Efs:
    point = stack.parameter("EfsAccessPointId")

    def only(answer: Any, member: str) -> Document | None:
        return answer[member][0] if answer and answer[member] else None

    return Efs(
        file_system=fact(lambda: only(aws.ask(EFS_FILE_SYSTEMS, FileSystemId=file_system), "FileSystems")),
        policy=fact(lambda: aws.ask(EFS_POLICY, FileSystemId=file_system)),
        access_point=fact(
            lambda: only(aws.ask(EFS_ACCESS_POINTS, AccessPointId=point), "AccessPoints") if point else None
        ),
        mounts=mounts.of_efs(aws, stack, file_system),
    )


def _s3_files(aws: Aws, stack: Deployed, given: Given) -> S3Files:
    file_system = stack.parameter("S3FilesFileSystemArn").rpartition("/")[2]
    point = stack.parameter("S3FilesAccessPointArn").rpartition("/")[2]

    def bucket() -> str:
        return str(_file_system(aws, file_system)["bucket"]).rpartition(":")[2]

    def key() -> str:
        found = aws.ask(S3_ACCESS_POINT, accessPointId=point) if point else {}
        if found is None:
            raise NotKnown(NotAsked(f"there is no access point {point}"))
        root = found.get("rootDirectory", {}).get("path", "/")
        parts = (_file_system(aws, file_system).get("prefix", ""), root, AGENT_NAME)
        return "/".join(one.strip("/") for one in parts if one.strip("/"))

    return S3Files(
        file_system=fact(partial(aws.ask, S3_FILE_SYSTEM, fileSystemId=file_system)),
        access_point=fact(lambda: aws.ask(S3_ACCESS_POINT, accessPointId=point) if point else None),
        mounts=mounts.of_s3_files(aws, stack, file_system),
        versioning=fact(lambda: aws.ask(BUCKET_VERSIONING, Bucket=bucket())),
        encryption=fact(lambda: aws.ask(BUCKET_ENCRYPTION, Bucket=bucket())),
        staged=fact(lambda: _staged(aws, bucket(), key())),
        bucket=fact(bucket),
        key=fact(key),
        role=fact(lambda: aws.ask(ROLE, RoleName=str(_file_system(aws, file_system)["roleArn"]).rpartition("/")[2])),
        platform=given.platform,
    )


def _file_system(aws: Aws, file_system: str) -> Document:
    """Raises `NotKnown` where there is none."""
    found: Document | None = aws.ask(S3_FILE_SYSTEM, fileSystemId=file_system)
    if found is None:
        raise NotKnown(NotAsked(f"there is no file system {file_system}"))
    return found


def _staged(aws: Aws, bucket: str, key: str) -> StagedObject | None:
    """Listed first: without s3:ListBucket, S3 answers AccessDenied for an object that is not there (API: GetObject)."""
    listed = aws.ask(BUCKET_OBJECTS, Bucket=bucket, Prefix=key) or {}
    if not any(one["Key"] == key and one["Size"] for one in listed.get("Contents", ())):
        return None
    answer = aws.ask(BUCKET_OBJECT, Bucket=bucket, Key=key, Range=f"bytes=0-{HEAD - 1}")
    return StagedObject(answer["Metadata"], answer["Body"].read()) if answer else None
