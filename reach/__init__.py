"""The operators' command: containers of a deployed stack, their events and their agents."""

__version__ = "0.1.0"


class Refused(Exception):
    """The command did nothing. The message says why, and what to do."""
