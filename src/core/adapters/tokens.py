"""Agent tokens, from the operating system's random source."""

from __future__ import annotations

import secrets
from typing import Final

TOKEN_BYTES: Final = 32


def new_token() -> str:
    """64 hex characters (specification.md 9: cryptographically random)."""
    return secrets.token_hex(TOKEN_BYTES)
