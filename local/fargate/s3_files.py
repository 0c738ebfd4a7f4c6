"""S3 Files: a bucket of the local AWS as a directory of this machine, with the modes that objects' metadata say.

File systems and access points are those that the local AWS has. At each mount the bucket is looked through: what is new
or changed there is brought into the directory, what is gone there is removed. What containers write stays in the
directory, and does not reach the bucket. Files belong to this user, whatever `file-owner` and `file-group` say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.fargate import reasons
from local.fargate.reasons import InitializationFailed

_MODE_KEY: Final = "file-permissions"
_DEFAULT_MODE: Final = 0o644
"""Of an object without the key (S3 User Guide, "S3 Files POSIX permissions")."""


def mode_of(metadata: Mapping[str, str]) -> int:
    """The mode of a file: `file-permissions` is its type and mode in octal, as in `0100755`."""
    try:
        return int(metadata[_MODE_KEY], 8) & 0o777
    except (KeyError, ValueError):
        return _DEFAULT_MODE


def _id_in(arn: str) -> str:
    return arn.rpartition("/")[2]


class S3Files:
    """The file systems of one local AWS. Its calls block; not more than one at a time."""

    def __init__(self, root: Path, region: str, clients: Callable[[str], Any]) -> None:
        """Each file system is a directory in `root`."""
        self._root = root
        self._region = region
        self._service, self._s3 = clients("s3files"), clients("s3")
        self._versions: dict[Path, str] = {}
        """What was brought: the ETag of each file's object."""

    def mount(self, configuration: Mapping[str, Any]) -> Path:
        """The directory of an `s3filesVolumeConfiguration`. Raises `InitializationFailed` as the mount helper would."""
        file_system = _id_in(configuration["fileSystemArn"])
        try:
            found = self._service.get_file_system(fileSystemId=file_system)
            self._bring(self._root / file_system, found["bucket"].rpartition(":")[2], found.get("prefix", ""))
        except (BotoCoreError, ClientError) as exc:
            raise InitializationFailed(reasons.s3_files_unresolved(file_system, self._region)) from exc
        inside = self._directory_in(configuration)
        directory = self._root / file_system / inside.strip("/")
        if not directory.is_dir():
            raise InitializationFailed(reasons.efs_no_directory("127.0.0.1", inside))
        return directory

    def _directory_in(self, configuration: Mapping[str, Any]) -> str:
        access_point = configuration.get("accessPointArn")
        if access_point is None:
            return str(configuration.get("rootDirectory", "/"))
        try:
            found = self._service.get_access_point(accessPointId=_id_in(access_point))
        except (BotoCoreError, ClientError) as exc:
            raise InitializationFailed(reasons.S3_FILES_DENIED) from exc
        return str(found.get("rootDirectory", {}).get("path", "/"))

    def _bring(self, directory: Path, bucket: str, prefix: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        present = set()
        for key in self._keys(bucket, prefix):
            file = directory / key.removeprefix(prefix)
            present.add(file)
            self._bring_one(file, bucket, key)
        for file in [file for file in self._versions if file.is_relative_to(directory) and file not in present]:
            del self._versions[file]
            file.unlink(missing_ok=True)

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for one in page.get("Contents", ()):
                key: str = one["Key"]
                if not key.endswith("/") and ".." not in PurePosixPath(key).parts:
                    yield key

    def _bring_one(self, file: Path, bucket: str, key: str) -> None:
        """A changed object becomes another file: the old one may be a program that runs."""
        head = self._s3.head_object(Bucket=bucket, Key=key)
        if self._versions.get(file) != head["ETag"]:
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_name(f".{file.name}.new")
            new.write_bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            new.replace(file)
            self._versions[file] = head["ETag"]
        file.chmod(mode_of(head["Metadata"]))
