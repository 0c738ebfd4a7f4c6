"""S3 Files on the deployed stack: the agent's object, its metadata, and buckets as binds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from core.model.errors import ContainerFailed
from core.model.failure import Cause, ErrorCode, Failure
from core.model.state import State
from local.cloud.staging import AGENT_BUCKET, AGENT_KEY, put_agent
from reach.staging.bucket import POSIX
from tests.e2e.stack import PATIENCE, Stack
from tests.e2e.wrong_agents import PATH

STAGING = (
    f"aws s3 cp sockerless-agent s3://BUCKET/{AGENT_KEY} --metadata file-owner=0,file-group=0,file-permissions=0100755"
)
UNKNOWN = "arn:aws:s3files:us-east-1:000000000000:file-system/fs-0c0ffee0000000009"


@contextmanager
def object_with(stack: Stack, metadata: Mapping[str, str] | None) -> Iterator[None]:
    """While it lasts, the agent's object has this metadata; with None there is no object."""
    s3 = stack.cloud.client("s3")
    agent = s3.get_object(Bucket=AGENT_BUCKET, Key=AGENT_KEY)["Body"].read()
    s3.delete_object(Bucket=AGENT_BUCKET, Key=AGENT_KEY)
    if metadata is not None:
        put_agent(s3, agent, metadata)
    try:
        yield
    finally:
        put_agent(s3, agent)


def failure_of(stack: Stack, container_id: str) -> Failure:
    """What a backend learns that waits for a container which cannot be started."""
    with pytest.raises(ContainerFailed) as failed:
        stack.client.wait_until_healthy(container_id, PATIENCE)
    return failed.value.failure


@pytest.mark.parametrize("metadata", [{}, {**POSIX, "file-permissions": "0100644"}], ids=["none", "0644"])
def test_an_agent_staged_without_its_mode_is_diagnosed(
    stack: Stack, container_id: str, metadata: dict[str, str]
) -> None:
    """S3 Files shows it as a file that cannot be executed: the item says the command that stages it rightly."""
    with object_with(stack, metadata):
        stack.start(container_id, injection="s3-files")
        failure = failure_of(stack, container_id)
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.AGENT_NOT_EXECUTABLE)
    assert f'exec: "{PATH}": permission denied' in failure.message
    assert STAGING in failure.remedy


def test_an_agent_that_is_not_in_the_bucket_is_diagnosed(stack: Stack, container_id: str) -> None:
    """The item says the command that stages it. With the object the next start succeeds."""
    with object_with(stack, None):
        stack.start(container_id, injection="s3-files")
        failure = failure_of(stack, container_id)
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.AGENT_BINARY_MISSING)
    assert STAGING in failure.remedy
    stack.start(container_id, injection="s3-files")
    assert stack.client.wait_until_healthy(container_id, PATIENCE).record.generation == 2


def test_a_bucket_is_mounted_as_a_bind(stack: Stack, container_id: str) -> None:
    """A command in the container finds what lies in the bucket, and ECS has the volume as it was asked for."""
    file_system = stack.cloud.parameters["S3FilesFileSystemArn"]
    stack.cloud.client("s3").put_object(Bucket=AGENT_BUCKET, Key="data/greeting", Body=b"hello")
    stack.start(
        container_id,
        s3_files_binds=[{"file_system_arn": file_system, "root_directory": "/data", "container_path": "/data"}],
        cmd=["test", "-s", "/data/greeting"],
    )
    record = stack.reaches(container_id, State.STOPPED)
    assert record.stop is not None
    assert record.stop.exit_code == 0
    definition = stack.ecs.describe_task_definition(taskDefinition=record.task_definition_arn)["taskDefinition"]
    (bound,) = [volume for volume in definition["volumes"] if volume["name"] == "bind-0"]
    assert bound["s3filesVolumeConfiguration"] == {"fileSystemArn": file_system, "rootDirectory": "/data"}


def test_a_file_system_that_cannot_be_mounted_is_diagnosed(stack: Stack, container_id: str) -> None:
    """The words of the mount helper reach the item, with what to do about S3 Files."""
    stack.start(container_id, s3_files_binds=[{"file_system_arn": UNKNOWN, "container_path": "/data"}])
    failure = failure_of(stack, container_id)
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.EFS_MOUNT_FAILED)
    assert "S3Files mount target" in failure.message
    assert "S3FilesFileSystemArn" in failure.remedy
