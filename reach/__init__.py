"""The operators' command: containers of a deployed stack, their events and their agents."""

__version__ = "0.1.0"
