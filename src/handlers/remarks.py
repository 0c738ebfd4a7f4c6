"""What probers could only say in their log, as facts.

A prober that does not reach DynamoDB reaches nothing else either. But its log lines are written by Lambda, not through
its VPC, and a subscription of the log group brings those of `telemetry.probe_aborted` here within seconds.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core.model.facts import ProbeAborted
from core.model.identity import Ref
from handlers.telemetry import PROBE_ABORTED


def remarks(event: dict[str, Any], at: datetime) -> Iterator[ProbeAborted]:
    """The facts of one delivery of a subscription: `{"awslogs": {"data"}}`, gzipped JSON in base64.

    Its shape is CloudWatch Logs' own (User Guide, "Using subscription filters", example with Lambda). The filter only
    looks for words, so a line that merely has them, or a control message, is passed over.
    """
    delivery = json.loads(gzip.decompress(b64decode(event["awslogs"]["data"])))
    for entry in delivery["logEvents"]:
        line = _line(entry["message"])
        if line.get("message") == PROBE_ABORTED:
            yield ProbeAborted(
                ref=Ref(line["container_id"], line["generation"]),
                at=at,
                address=line["agent_address"],
                last_error=line["last_error"],
                remedy=line["remedy"],
            )


def _line(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
