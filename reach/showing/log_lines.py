"""A line of `reach logs`."""

from __future__ import annotations

import json
from datetime import datetime

from core.model.instants import format_instant
from reach.showing.words import printable


def as_text(at: datetime, text: str, *, timestamps: bool, terminal: bool) -> str:
    """As it was printed; on a terminal without what could steer it."""
    shown = printable(text) if terminal else text
    return f"{format_instant(at)} {shown}" if timestamps else shown


def as_json(at: datetime, text: str) -> str:
    """One line."""
    return json.dumps({"timestamp": format_instant(at), "message": text})
