from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from reach.replaying.reading import Found, parse, read
from tests.factories import event

RUNNING = event("task-running")
STOPPED = event("task-stopped")
TEXTS = [json.dumps(RUNNING), json.dumps(STOPPED)]


def documents(found: Any) -> list[Any]:
    return [one.document for one in found]


def sns(text: str) -> str:
    return json.dumps({"Type": "Notification", "MessageId": "m", "Message": text})


def entry(one: dict[str, Any]) -> dict[str, Any]:
    return {"Source": one["source"], "DetailType": one["detail-type"], "Detail": json.dumps(one["detail"])}


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(TEXTS),
        "".join(TEXTS),
        "\n\n".join(json.dumps(one, indent=4) for one in (RUNNING, STOPPED)),
        json.dumps([RUNNING, STOPPED]),
        "\n".join(json.dumps(text) for text in TEXTS),
        json.dumps({"Messages": [{"MessageId": "1", "Body": text} for text in TEXTS]}),
        json.dumps({"Messages": [{"MessageId": "1", "Body": sns(text)} for text in TEXTS]}),
        "\n".join(json.dumps({"Messages": [{"Body": text}]}, indent=4) for text in TEXTS),
        "\n".join(sns(text) for text in TEXTS),
        json.dumps({"Records": [{"messageId": "1", "body": text} for text in TEXTS]}),
        json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": text}} for text in TEXTS]}),
        json.dumps([{"version": "1.0", "requestPayload": one} for one in (RUNNING, STOPPED)]),
        json.dumps({"deliveries": [{"event": one, "outcome": "delivered"} for one in (RUNNING, STOPPED)]}),
        json.dumps({"events": [{"timestamp": 1, "message": text} for text in TEXTS], "searchedLogStreams": []}),
    ],
    ids=[
        "lines", "firehose", "indented", "list", "strings", "receive-message", "sns-in-sqs", "several-receives",
        "sns", "lambda-sqs", "lambda-sns", "dead-letters", "local-fargate", "log-lines",
    ],
)  # fmt: skip
def test_every_wrapping_is_unwrapped(text: str) -> None:
    """However events were kept, they come out whole and in order."""
    assert documents(parse("here", text)) == [RUNNING, STOPPED]


def test_replayed_events_of_an_archive_are_events() -> None:
    """What EventBridge adds when it replays an archive (`replay-name`) stays and does no harm."""
    replayed = {**RUNNING, "replay-name": "incident"}
    assert documents(parse("here", json.dumps(replayed))) == [replayed]


def test_entries_of_put_events_become_events() -> None:
    """The detail of an entry is a text; its names are spelt as an event's."""
    [found] = parse("here", json.dumps({"Entries": [entry(RUNNING)]}))
    assert found.document["detail"] == RUNNING["detail"]
    assert (found.document["source"], found.document["detail-type"]) == ("aws.ecs", "ECS Task State Change")


def test_what_is_no_json_is_reported_and_skipped() -> None:
    """A line that is no JSON is a problem with its place; the others are read."""
    found = list(parse("dump", f"{TEXTS[0]}\nINFO started\n{TEXTS[1]}\n"))
    assert documents(found) == [RUNNING, None, STOPPED]
    assert [one.origin for one in found] == ["dump:1", "dump:2", "dump:3"]
    assert "no JSON" in (found[1].problem or "")


@pytest.mark.parametrize("text", ['"hello"', "{", '[1, {"Body": "x"}]', '{"Entries": [{"Detail": "{"}]}', "[" * 9999])
def test_nothing_makes_reading_fail(text: str) -> None:
    """Any text can be read: a document that is no event is a value, for the core to refuse."""
    assert all(isinstance(one, Found) for one in parse("here", text))


def test_directories_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    """Below a directory all files with events are read, compressed ones too; the index of a capture is none."""
    (tmp_path / "2.json").write_text(TEXTS[1])
    (tmp_path / "1.jsonl.gz").write_bytes(gzip.compress(TEXTS[0].encode()))
    (tmp_path / "index.json").write_text('{"events": []}')
    (tmp_path / "notes.md").write_text("not read")
    assert documents(read([str(tmp_path)])) == [RUNNING, STOPPED]


def test_a_dash_is_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads events from standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(TEXTS[0]))
    assert documents(read(["-"])) == [RUNNING]


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A missing file raises `OSError`."""
    with pytest.raises(FileNotFoundError):
        list(read([str(tmp_path / "none.json")]))
