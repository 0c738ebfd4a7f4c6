from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from core.launch.request import Platform
from reach import Refused
from reach.starting.request import merged, read, request_of, variables
from tests.factories import CONTAINER_ID, EVENTS

OPTIONS: dict[str, Any] = {"image": "alpine", "cmd": ["true"], "user": None}


def test_a_container_has_a_new_id_each_time() -> None:
    """64 random hexadecimal digits, unless one was given."""
    first, second = (request_of(None, OPTIONS) for _ in range(2))
    assert re.fullmatch("[0-9a-f]{64}", first.container_id)
    assert first.container_id != second.container_id
    assert first.fresh
    given = request_of(None, {**OPTIONS, "container_id": CONTAINER_ID})
    assert (given.container_id, given.fresh) == (CONTAINER_ID, False)


def test_an_option_that_was_not_given_is_no_member() -> None:
    """The stack's default counts."""
    assert request_of(None, OPTIONS).document.keys() == {"container_id", "image", "cmd"}


@pytest.mark.parametrize("file", sorted(EVENTS.glob("start-container*.json")), ids=lambda file: file.stem)
def test_the_files_of_events(file: Path) -> None:
    """Each is a start request, but for the one that shows a refusal."""
    if file.stem == "start-container-refused":
        with pytest.raises(Refused, match=r"container_id: must be 64 .*SOCKERLESS_AGENT_TOKEN.*colour: is unknown"):
            request_of(str(file), {})
    else:
        request = request_of(str(file), {"labels": {"a": "b"}})
        assert request.document == {**json.loads(file.read_text()), "labels": {"a": "b"}}
        assert not request.fresh


def test_an_option_wins_over_the_file() -> None:
    """A member as a whole; of variables, labels, secrets and limits each name for itself."""
    file = {"image": "a", "cmd": ["x", "y"], "environment": {"A": "1", "B": "2"}, "limits": {"memory_bytes": 5}}
    given = {"cmd": ["z"], "environment": {"B": "3"}, "limits": {"nano_cpus": 1}, "labels": {"l": ""}}
    assert merged(file, given) == {
        "image": "a",
        "cmd": ["z"],
        "environment": {"A": "1", "B": "3"},
        "limits": {"memory_bytes": 5, "nano_cpus": 1},
        "labels": {"l": ""},
    }
    assert merged({"environment": None}, {"environment": {"A": "1"}}) == {"environment": {"A": "1"}}


def test_an_option_and_docker_s_word_for_it_are_two() -> None:
    """The parser refuses both, and names both."""
    with pytest.raises(Refused, match=r"docker\.Cmd.*cmd"):
        request_of(str(EVENTS / "start-container-docker.json"), {"cmd": ["true"]})


def test_the_parser_is_the_product_s() -> None:
    """What is wrong is named by its member's path, and nothing of a value is shown."""
    wrong = {**OPTIONS, "ulimits": [{"name": "core", "soft": 2, "hard": 1}], "environment": {"A=secret": "value"}}
    with pytest.raises(Refused, match=r"environment\.A: .*ulimits\[0\]\.name: ") as refused:
        request_of(None, wrong)
    assert "secret" not in str(refused.value)
    assert request_of(None, {**OPTIONS, "platform": "ARM64"}).parsed.platform is Platform.ARM64


def test_a_command_is_needed() -> None:
    """The error says how to find the image's own, and what waits for exec."""
    with pytest.raises(Refused, match=r"docker image inspect .*tail -f /dev/null"):
        request_of(None, {"image": "alpine"})
    assert request_of(None, {"image": "alpine", "entrypoint": ["sh"]}).parsed.entrypoint == ("sh",)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `-`; its errors say so."""
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"image": "alpine"}'))
    assert read("-") == {"image": "alpine"}
    with pytest.raises(Refused, match="standard input is not JSON"):
        read("-")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b'{"password": ', "is not JSON"), (b"[1]", "no start request"), (b'{"detail": {}}', "no start request")],
)
def test_a_file_that_is_no_start_request(tmp_path: Path, content: bytes, says: str) -> None:
    """It is refused with its path and where the members are described, and its content is not shown."""
    file = tmp_path / "request.json"
    file.write_bytes(content)
    with pytest.raises(Refused, match=rf"request\.json .*{says}.*start-request\.schema\.json") as refused:
        read(str(file))
    assert "password" not in str(refused.value)


def test_a_byte_order_mark_is_no_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows begins a file, and what it pipes, with one."""
    marked = '\ufeff{"image": "alpine"}'
    monkeypatch.setattr(sys, "stdin", io.StringIO(marked))
    (tmp_path / "request.json").write_text(marked, encoding="utf-8")
    (tmp_path / "variables").write_text("\ufeffA=1", encoding="utf-8")
    assert read("-") == read(str(tmp_path / "request.json")) == {"image": "alpine"}
    assert variables([str(tmp_path / "variables")])[0][1] == "A=1"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """With the reason: of a request and of variables alike."""
    with pytest.raises(Refused, match="No such file"):
        read(str(tmp_path / "absent"))
    with pytest.raises(Refused, match="directory"):
        variables([str(tmp_path)])
    (tmp_path / "latin-1").write_bytes(b"A=\xfc")
    with pytest.raises(Refused, match="not UTF-8"):
        variables([str(tmp_path / "latin-1")])
