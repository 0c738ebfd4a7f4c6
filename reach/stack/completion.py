"""Ids for a shell that completes a word.

A completion is silent: where the stack cannot be read soon there is nothing to offer, and the shell's line is no place
to say why.
"""

from __future__ import annotations

from typing import Final

import typer
from botocore.exceptions import BotoCoreError, ClientError

from core.model.errors import ReachError
from reach import Refused
from reach.options import Patience
from reach.showing.words import SHORT, plain
from reach.stack.opening import opened

PATIENCE: Final = Patience(connect=1.0, read=1.0, attempts=1)


def live_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The first digits of live containers, each with its state and image, which some shells show."""
    named = {name: ctx.params.get(name) for name in ("profile", "region")}
    try:
        found = opened(ctx.params.get("stack"), patience=PATIENCE, **named).client.list()
    except (Refused, ReachError, BotoCoreError, ClientError):
        return []
    return [
        (one.container_id[:SHORT], plain(f"{one.state} {one.image or ''}"))
        for one in found.records.values()
        if one.container_id.startswith(incomplete)
    ]
