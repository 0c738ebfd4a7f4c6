"""The agent in the bucket that tasks mount by S3 Files. Its versions are objects, and so is the one in use.

An object is replaced as a whole, so a start meets the old version or the new one. S3 Files has no second name for a
file, and AWS does not say what becomes of a process whose object is replaced: docs/deploy.md has the way around it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from core.adapters.aws_errors import translated
from core.launch.settings import Settings
from core.model.agent import AGENT_NAME
from core.model.errors import CallFailed
from reach.staging.binary import Binary
from reach.staging.faults import Fault, failed
from reach.staging.versions import VERSIONS, Listing, Version, path_of, version_of

POSIX: Final = {"file-owner": "0", "file-group": "0", "file-permissions": "0100755"}
"""By which S3 Files shows an object as a file that every user may execute (S3 User Guide, S3 Files, POSIX)."""
_VERSION: Final = "agent-version"
_SHA: Final = "sha256"
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """One change: what a person reads of it, and the call that makes it."""

    text: str
    perform: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Bucket:
    """`directory` is what tasks mount, as the beginning of its keys: `sockerless/bin/`, or nothing. `s3` is boto3's."""

    s3: Any
    name: str
    directory: str

    @classmethod
    def of(cls, settings: Settings, s3_files: Any, s3: Any) -> Bucket:
        """The bucket under the stack's file system, and its access point's directory. Raises `CallFailed`."""
        with translated("GetFileSystem"):
            system = s3_files.get_file_system(fileSystemId=_id_in(settings.s3_files_file_system_arn))
        directory = ""
        if settings.s3_files_access_point_arn:
            with translated("GetAccessPoint"):
                point = s3_files.get_access_point(accessPointId=_id_in(settings.s3_files_access_point_arn))
            directory = point.get("rootDirectory", {}).get("path", "/")
        parts = [part.strip("/") for part in (system.get("prefix", ""), directory)]
        return cls(s3, system["bucket"].rpartition(":")[2], "".join(f"{part}/" for part in parts if part))

    def uri(self, path: str = "") -> str:
        """`s3://bucket/key` of a path in the directory."""
        return f"s3://{self.name}/{self.directory}{path}"

    def listing(self) -> Listing:
        """Raises `CallFailed`."""
        current = self._current()
        return Listing(current.name if current else None, tuple(self._versions()))

    def staging(self, binary: Binary, version: str) -> list[Step]:
        """What keeps the binary as this version: nothing if it is. Raises `StagingFailed`, `CallFailed`."""
        head = self._head(path_of(version))
        if head is None:
            return [Step(f"put {self.uri(path_of(version))}", lambda: self._put(binary, version))]
        if self._sha256(path_of(version), head) != binary.sha256:
            raise failed(f"Version {version}", Fault.ANOTHER_BINARY)
        return []

    def switching(self, version: str, sha256: str) -> list[Step]:
        """What puts a version into use: nothing if it is. An object that was put there by hand becomes a version."""
        current = self._current()
        if current and current.whole and current.name == version:
            return []
        steps = []
        if current and not current.whole and self._head(path_of(current.name)) is None:
            adopted = current
            text = f"copy {self.uri(AGENT_NAME)}, which is no version, to {self.uri(path_of(current.name))}"
            steps.append(
                Step(text, lambda: self._copy(AGENT_NAME, path_of(adopted.name), adopted.name, adopted.sha256))
            )
        text = f"copy {self.uri(path_of(version))} to {self.uri(AGENT_NAME)}"
        return [*steps, Step(text, lambda: self._copy(path_of(version), AGENT_NAME, version, sha256))]

    def sha256_of(self, version: str) -> str:
        """The digest of a version. Raises `StagingFailed`, `CallFailed`."""
        head = self._head(path_of(version))
        if head is None:
            raise failed(f"Version {version}", Fault.NO_SUCH_VERSION)
        return self._sha256(path_of(version), head)

    def _current(self) -> _Current | None:
        head = self._head(AGENT_NAME)
        if head is None:
            return None
        sha256, metadata = self._sha256(AGENT_NAME, head), head["Metadata"]
        whole = _VERSION in metadata and metadata.items() >= POSIX.items()
        return _Current(metadata.get(_VERSION) or version_of(sha256), sha256, whole)

    def _versions(self) -> Iterator[Version]:
        beginning = f"{self.directory}{VERSIONS}/"
        with translated("ListObjectsV2"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=beginning)
            for one in (one for page in pages for one in page.get("Contents", ())):
                name, _, file = one["Key"].removeprefix(beginning).partition("/")
                if file == AGENT_NAME:
                    yield Version(name, one["Size"], one["LastModified"])

    def _head(self, path: str) -> Any:
        """HeadObject; None where there is no object."""
        try:
            with translated("HeadObject"):
                return self.s3.head_object(Bucket=self.name, Key=self.directory + path)
        except CallFailed as refused:
            if refused.code in _ABSENT:
                return None
            raise

    def _sha256(self, path: str, head: Any) -> str:
        """As its metadata say; of an object that was put by hand, as it is read."""
        if digest := head["Metadata"].get(_SHA):
            return str(digest)
        digested = hashlib.sha256()
        with translated("GetObject"):
            body = self.s3.get_object(Bucket=self.name, Key=self.directory + path)["Body"]
            for chunk in body.iter_chunks(_CHUNK):
                digested.update(chunk)
        return digested.hexdigest()

    def _put(self, binary: Binary, version: str) -> None:
        """It never replaces an object: containers may be running it."""
        with binary.path.open("rb") as file, translated("PutObject"):
            self.s3.put_object(
                Bucket=self.name,
                Key=self.directory + path_of(version),
                Body=file,
                Metadata={**POSIX, _VERSION: version, _SHA: binary.sha256},
                IfNoneMatch="*",
            )

    def _copy(self, source: str, target: str, version: str, sha256: str) -> None:
        with translated("CopyObject"):
            self.s3.copy_object(
                Bucket=self.name,
                Key=self.directory + target,
                CopySource={"Bucket": self.name, "Key": self.directory + source},
                MetadataDirective="REPLACE",
                Metadata={**POSIX, _VERSION: version, _SHA: sha256},
            )


@dataclass(frozen=True, slots=True)
class _Current:
    """The object in use. `whole`: it is a copy of a version, with the metadata that make it executable."""

    name: str
    sha256: str
    whole: bool


def _id_in(arn: str | None) -> str:
    return (arn or "").rpartition("/")[2]
