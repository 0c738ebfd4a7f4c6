from __future__ import annotations

import pytest

from core.launch.settings import Settings
from reach import Refused
from reach.staging.target import Storage, settings_of, storage_of
from tests.transformed import Founded
from tests.unit.reach.staging.stacks import EFS, S3_FILES, STACK


def storage(values: dict[str, str], wanted: Storage | None = None) -> Storage:
    return storage_of("reach", settings_of("reach", {**STACK, **values}), wanted)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (EFS, Storage.EFS),
        (S3_FILES, Storage.S3_FILES),
        ({**EFS, **S3_FILES}, Storage.EFS),
        ({**EFS, **S3_FILES, "InjectionStrategy": "s3-files"}, Storage.S3_FILES),
    ],
)
def test_the_agent_goes_where_tasks_mount_it(values: dict[str, str], expected: Storage) -> None:
    """As the stack decides for a start that names no injection."""
    assert storage(values) is expected


def test_a_wish_wins() -> None:
    """A request may name the other injection, so the other file system may be staged, too."""
    assert storage({**EFS, **S3_FILES}, Storage.S3_FILES) is Storage.S3_FILES


@pytest.mark.parametrize(
    ("values", "why", "remedy"),
    [
        ({"AgentImage": "agent:1"}, r"by init-container, .* AgentImage \(agent:1\)", "deploy with its name"),
        ({}, r"by init-container, .* AgentImage \(which is not set\)", "give the stack a file system"),
        ({**EFS, "InjectionStrategy": "image"}, "by image, so the images", "build it into them"),
    ],
)
def test_nothing_is_staged_where_no_task_mounts_it(values: dict[str, str], why: str, remedy: str) -> None:
    """The strategy, what brings the agent there, and what to do."""
    with pytest.raises(Refused, match=rf"(?s)Nothing is staged: .*{why}.*What to do: .*{remedy}"):
        storage(values)


@pytest.mark.parametrize(
    ("wanted", "values", "missing"),
    [(Storage.EFS, S3_FILES, "EfsFileSystemId"), (Storage.S3_FILES, EFS, "S3FilesFileSystemArn")],
)
def test_a_file_system_that_the_stack_has_not(wanted: Storage, values: dict[str, str], missing: str) -> None:
    """By the name of the parameter."""
    with pytest.raises(Refused, match=f"has no {missing}.*What to do"):
        storage(values, wanted)


@pytest.mark.parametrize(("choice", "expected"), [("efs", Storage.EFS), ("bucket", Storage.S3_FILES)])
def test_a_foundation_is_enough(choice: str, expected: Storage) -> None:
    """Its outputs are called as the parameters that they are for, so the agent can be there before the main stack."""
    assert storage_of("foundation", settings_of("foundation", Founded(choice).outputs()), None) is expected


def test_settings_are_those_of_the_functions() -> None:
    """Lists and switches are read as the functions read them, and what is empty counts as not given."""
    found = settings_of("reach", {**STACK, **EFS, "AssignPublicIp": "true", "AgentCopyCommand": "/agent,--copy-to,/x"})
    assert found.task_subnets == ("subnet-00000001", "subnet-00000002")
    assert found.agent_copy_command == ("/agent", "--copy-to", "/x")
    assert (found.assign_public_ip, found.agent_image) == (True, None)
    assert isinstance(found, Settings)


def test_a_wrong_option_is_named() -> None:
    """What ECS would refuse later."""
    with pytest.raises(Refused, match=r"AGENT_IMAGE must be an image of a registry.*What to do: correct --image"):
        settings_of("reach", {**STACK, "AgentImage": "two words"})
