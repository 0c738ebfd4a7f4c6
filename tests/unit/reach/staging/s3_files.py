"""The API of S3 Files, which moto has not: one file system with one access point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.unit.reach.staging.stacks import BUCKET, S3_FILES


@dataclass
class S3FilesApi:
    """`prefix` of the file system, `path` of the access point."""

    prefix: str = ""
    path: str = "/sockerless/bin"

    def get_file_system(self, *, fileSystemId: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert S3_FILES["S3FilesFileSystemArn"].endswith(f"/{fileSystemId}")
        return {"bucket": f"arn:aws:s3:::{BUCKET}", "prefix": self.prefix}

    def get_access_point(self, *, accessPointId: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert S3_FILES["S3FilesAccessPointArn"].endswith(f"/{accessPointId}")
        return {"rootDirectory": {"path": self.path}}
