from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reach.recording.capture import Capture, NoTaskEvent
from reach.replaying.reading import read
from tests.factories import TOKEN, event

RUNNING, STOPPED = event("task-running"), event("task-stopped")


def index(directory: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((directory / "index.json").read_text())["events"]
    return entries


def test_one_file_for_each_event(tmp_path: Path) -> None:
    """Named by number, status and version; the index says whose it is."""
    capture = Capture(tmp_path / "out")
    files = [capture.keep(RUNNING), capture.keep(STOPPED, outcome="delivered")]
    capture.write_index()
    assert [file and file.name for file in files] == ["00001-RUNNING-v3.json", "00002-STOPPED-v5.json"]
    last = index(tmp_path / "out")[1]
    assert last["file"] == "00002-STOPPED-v5.json"
    assert (last["id"], last["task"]) == (STOPPED["id"], STOPPED["detail"]["taskArn"])
    assert (last["started_by"], last["outcome"]) == (STOPPED["detail"]["startedBy"], "delivered")


def test_what_is_written_is_redacted_and_can_be_replayed(tmp_path: Path) -> None:
    """No file of a capture holds a secret, and the directory is an input of `replay`."""
    leaky = event("task-running")
    leaky["detail"]["overrides"]["containerOverrides"][0]["environment"][1]["value"] = TOKEN
    capture = Capture(tmp_path)
    capture.keep(leaky)
    capture.keep(STOPPED)
    capture.write_index()
    assert all(TOKEN not in file.read_text() for file in tmp_path.iterdir())
    assert [one.document["detail"]["version"] for one in read([str(tmp_path)])] == [3, 5]


def test_a_capture_is_continued(tmp_path: Path) -> None:
    """The next run goes on counting, and an event that is there is not written again."""
    first = Capture(tmp_path)
    first.keep(RUNNING)
    first.write_index()
    second = Capture(tmp_path)
    assert second.keep(RUNNING) is None
    assert second.keep(STOPPED) == tmp_path / "00002-STOPPED-v5.json"
    second.write_index()
    assert len(second) == len(index(tmp_path)) == 2


def test_nothing_captured_writes_nothing(tmp_path: Path) -> None:
    """Without an event neither the directory nor the index is made."""
    Capture(tmp_path / "out").write_index()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (None, "no detail"),
        ({"detail": {}}, "no id, no task, no status, no version"),
        ({**RUNNING, "detail": {**RUNNING["detail"], "version": "3"}}, "no version"),
    ],
)
def test_what_cannot_be_named_is_refused(tmp_path: Path, document: Any, why: str) -> None:
    """Such a document is no event of a task; nothing is written."""
    with pytest.raises(NoTaskEvent, match=why):
        Capture(tmp_path / "out").keep(document)
    assert not (tmp_path / "out").exists()


def test_a_strange_status_makes_no_strange_file(tmp_path: Path) -> None:
    """The name of a file is made of letters and digits, whatever an event says."""
    strange = {**RUNNING, "detail": {**RUNNING["detail"], "lastStatus": "../../etc/x"}}
    assert Capture(tmp_path).keep(strange) == tmp_path / "00001--etc-x-v3.json"
