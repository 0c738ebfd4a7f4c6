"""Network file systems in a task: how a request names one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.launch.constraints import ACCESS_POINT, FILE_SYSTEM, S3_FILES_ACCESS_POINT, S3_FILES_FILE_SYSTEM
from core.launch.documents import AbsolutePath, MountPath, StrictDocument
from core.launch.volumes import efs_volume, is_access_point_of, s3_files_volume


class EfsBind(StrictDocument):
    """An EFS directory to mount. Transit encryption is always on; a task with a role authorises by IAM."""

    file_system_id: Annotated[str, FILE_SYSTEM]
    access_point_id: Annotated[str, ACCESS_POINT] | None = None
    root_directory: AbsolutePath | None = Field(None, description="Only without an access point, which fixes it.")
    container_path: MountPath
    read_only: bool = False

    @model_validator(mode="after")
    def _one_root(self) -> EfsBind:
        _check_root(self.access_point_id, self.root_directory)
        return self

    def volume(self, name: str, *, iam: bool) -> dict[str, Any]:
        """The task volume of this name."""
        return efs_volume(name, self.file_system_id, self.access_point_id, self.root_directory, iam=iam)


class S3FilesBind(StrictDocument):
    """A directory of an S3 bucket to mount, by S3 Files. It needs a task role, and is always encrypted in transit."""

    file_system_arn: Annotated[str, S3_FILES_FILE_SYSTEM]
    access_point_arn: Annotated[str, S3_FILES_ACCESS_POINT] | None = None
    root_directory: AbsolutePath | None = Field(None, description="Only without an access point, which fixes it.")
    container_path: MountPath
    read_only: bool = False

    @model_validator(mode="after")
    def _one_root(self) -> S3FilesBind:
        _check_root(self.access_point_arn, self.root_directory)
        if not is_access_point_of(self.access_point_arn, self.file_system_arn):
            raise PydanticCustomError("access_point_arn", "access_point_arn must be one of file_system_arn")
        return self

    def volume(self, name: str, *, iam: bool) -> dict[str, Any]:  # noqa: ARG002 - IAM always authorises
        """The task volume of this name."""
        return s3_files_volume(name, self.file_system_arn, self.access_point_arn, self.root_directory)


def _check_root(access_point: str | None, root_directory: str | None) -> None:
    if access_point and root_directory not in (None, "/"):
        raise PydanticCustomError("root_directory", "root_directory must be left out: the access point fixes it")
