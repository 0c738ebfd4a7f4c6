"""Recorded events from wherever they were kept: files, directories, JSON lines, queues' dumps, wrapped or not.

Nothing here judges an event: what cannot be read is a value with its reason, so that the rest is replayed.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

INDEX: Final = "index.json"
"""What `record` writes beside the events; it is none of them."""
_SUFFIXES: Final = (".json", ".jsonl", ".ndjson", ".log", ".txt", ".gz")
_LISTS: Final = ("Messages", "Records", "deliveries", "events", "Entries")
"""ReceiveMessage; a Lambda event of SQS or SNS; the local Fargate; FilterLogEvents; PutEvents."""
_TEXTS: Final = ("Body", "body", "Message", "message")
"""A message of SQS, as the API and as Lambda spell it; a notification of SNS; a line of CloudWatch Logs."""
_DOCUMENTS: Final = ("requestPayload", "Sns", "event")
"""A dead letter of Lambda; a record of SNS; a delivery of the local Fargate."""
_DECODER: Final = json.JSONDecoder()
_SIGN: Final = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Found:
    """One document and where it was: `file:line`. `problem` is set when it is no JSON, and `document` is None then."""

    origin: str
    document: Any = None
    problem: str | None = None


def read(paths: Iterable[str]) -> Iterator[Found]:
    """Every event of these files and directories, in order; `-` is the standard input. Raises `OSError`."""
    for path in paths:
        if path == "-":
            yield from parse("stdin", sys.stdin.read())
            continue
        for file in _files(Path(path)):
            raw = file.read_bytes()
            content = gzip.decompress(raw) if file.suffix == ".gz" else raw
            yield from parse(str(file), content.decode("utf-8-sig", errors="replace"))


def detail_of(event: Any) -> Mapping[str, Any]:
    """What an event says of its task; empty for what is no event of a task."""
    detail = event.get("detail") if isinstance(event, Mapping) else None
    return detail if isinstance(detail, Mapping) else {}


def _files(path: Path) -> list[Path]:
    """The file itself, or those of a directory and below it in the order of their names."""
    if not path.is_dir():
        return [path]
    return sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES and one.is_file() and one.name != INDEX)


def parse(origin: str, text: str) -> Iterator[Found]:
    """The events in a text of JSON documents: one, one a line, or one behind the other as Firehose writes them.

    After something that is no JSON, reading goes on in the next line.
    """
    position, line, counted = 0, 1, 0
    while sign := _SIGN.search(text, position):
        position = sign.start()
        line += text.count("\n", counted, position)
        counted = position
        try:
            document, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as exc:
            what = exc.msg if isinstance(exc, json.JSONDecodeError) else type(exc).__name__
            yield Found(f"{origin}:{line}", problem=f"This is no JSON: {what}.")
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
            continue
        yield from unwrap(f"{origin}:{line}", document)


def unwrap(origin: str, document: Any) -> Iterator[Found]:
    """The events in a document: itself, or what a queue, a topic, a log or a dead letter wraps."""
    match document:
        case list():
            for one in document:
                yield from unwrap(origin, one)
        case str():
            yield from parse(origin, document)
        case Mapping() if "detail-type" not in document and "detail" not in document:
            yield from _unwrap_mapping(origin, document)
        case _:
            yield Found(origin, document)


def _unwrap_mapping(origin: str, document: Mapping[str, Any]) -> Iterator[Found]:
    if isinstance(document.get("Detail"), str):
        yield from _entry(origin, document)
        return
    for name in (*_LISTS, *_DOCUMENTS):
        if isinstance(document.get(name), list if name in _LISTS else Mapping):
            yield from unwrap(origin, document[name])
            return
    for name in _TEXTS:
        if isinstance(document.get(name), str):
            yield from parse(origin, document[name])
            return
    yield Found(origin, document)


def _entry(origin: str, entry: Mapping[str, Any]) -> Iterator[Found]:
    """An entry of PutEvents as the event it becomes."""
    for found in parse(origin, entry["Detail"]):
        if found.problem is not None:
            yield found
            continue
        event = {"detail-type": entry.get("DetailType"), "source": entry.get("Source"), "time": entry.get("Time")}
        yield Found(origin, {**event, "resources": entry.get("Resources", []), "detail": found.document})
