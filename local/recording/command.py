"""`python -m local record`: asks a source, again and again when following."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.environment import read_environment
from local.cloud.layout import Layout
from local.fargate.client import LocalFargate, LocalFargateError
from local.recording.capture import Capture
from local.recording.sources import LONGEST_POLL, Deliveries, Queue, Source

NOTHING_CAPTURED: Final = 2
_BREATH: Final = 1.0
"""Seconds between two looks at the local Fargate, which cannot be waited for."""


class NothingToRecord(Exception):
    """The message says why, and what to do."""


def run(options: argparse.Namespace, layout: Layout, *, sleep: Callable[[float], object] = time.sleep) -> int:
    """The exit code; `options` are those of `add_record`."""
    try:
        source = _source(options, layout)
        capture = Capture(options.out)
        try:
            kept = _captured(source, capture, follow=options.follow, sleep=sleep)
        finally:
            source.close()
    except (NothingToRecord, LocalFargateError, BotoCoreError, ClientError, OSError, ValueError) as error:
        print(f"Nothing can be captured: {error}", file=sys.stderr)
        return NOTHING_CAPTURED
    print(f"{kept} new events; {len(capture)} in {options.out}. Replay them: python -m local replay {options.out}")
    return 0


def _captured(source: Source, capture: Capture, *, follow: bool, sleep: Callable[[float], object]) -> int:
    """How many are new. Ctrl-C is the way to end a capture that follows, and no failure."""
    before = len(capture)
    try:
        source.take(capture, patience=LONGEST_POLL if follow else 1)
        while follow:
            sleep(_BREATH)
            source.take(capture, patience=LONGEST_POLL)
    except KeyboardInterrupt:
        capture.write_index()
        if not follow:
            raise
    return len(capture) - before


def _source(options: argparse.Namespace, layout: Layout) -> Source:
    if options.queue is not None:
        return Queue(boto3.client("sqs"), options.queue, _told, consume=options.consume)
    if options.consume:
        raise NothingToRecord("--consume is for a queue: give --queue too.")
    return Deliveries(LocalFargate(_environment(layout)["AWS_ENDPOINT_URL_ECS"]), _told)


def _environment(layout: Layout) -> Mapping[str, str]:
    try:
        return read_environment(layout.env)
    except FileNotFoundError as error:
        raise NothingToRecord("no local cloud is up. What to do: make up, or give --queue") from error


def _told(line: str) -> None:
    print(line, file=sys.stderr)
