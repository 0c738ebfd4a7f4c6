"""`make demo`: the main job, seen from outside. A handful of containers live their lives on the local cloud."""

from local.demo.run import main

__all__ = ["main"]
