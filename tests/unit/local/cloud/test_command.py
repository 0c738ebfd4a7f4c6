"""`up`: what it promises about the requests in `events/`, and how it says what containers are."""

import json
from pathlib import Path

import pytest

from local.cloud.command import IMAGES_OF_EVENTS, settle
from local.cloud.layout import ROOT
from local.cloud.processes import CloudError
from local.fargate.runtime import RuntimeName


def test_every_image_of_the_event_files_is_known() -> None:
    """In Docker mode the base image stands in for what they name: they work without a registry."""
    requests = [json.loads(file.read_text()) for file in (ROOT / "events").glob("start-container*.json")]
    assert {request["image"] for request in requests if "image" in request} <= set(IMAGES_OF_EVENTS)


def test_runtime_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what containers will be, and why."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine")
    said: list[str] = []
    assert settle(RuntimeName.AUTO, said.append) is RuntimeName.PROCESS
    [line] = said
    assert line.startswith("Tasks run as processes of this machine: The container engine does not answer")


def test_docker_without_an_engine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a way out."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine")
    with pytest.raises(CloudError, match=r"does not answer.* Or: --runtime process"):
        settle(RuntimeName.DOCKER, print)
