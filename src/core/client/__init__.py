"""The backend's side: wait for a container's agent or its end, list and inspect containers, by reading items.

For backends in Python; one in another language reads the same items (contract.md 3). docs/backend.md has the recipes.
"""

from core.client.polling import Reader
from core.client.reach_client import ReachClient
from core.client.verdicts import Ended, Reachable
from core.ports import Loaded

__all__ = ["Ended", "Loaded", "ReachClient", "Reachable", "Reader"]
