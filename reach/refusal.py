"""The error of all commands."""

from __future__ import annotations


class Refused(Exception):
    """The command could do nothing of what was asked. The message says why, and what to do."""
