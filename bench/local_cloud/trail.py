"""The calls that functions make, as the local AWS's CloudTrail records them.

LookupEvents shows the newest 50 there and no more, so they are fetched all the time while recording, and each is kept
once.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Self

from bench.local_cloud.systems import client
from bench.rows import CannotMeasure

if TYPE_CHECKING:
    from local.cloud.cloud import LocalCloud

LOOK_SECONDS: Final = 0.2
MOST: Final = 50
_ROLE: Final = "ASIA"
"""Temporary credentials, which only functions have here (IAM user guide, unique identifiers)."""
_RECONCILER: Final = "dynamodb.Query"
"""Made by the reconciler alone, which runs every minute whether anybody starts a container or not."""


class Trail:
    """Records while it is entered. Whoever stops leaves late calls a moment to arrive."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._endpoint = cloud.endpoint
        self._cloudtrail = client(cloud, "cloudtrail")
        self._calls: dict[str, tuple[str, str]] = {}
        self._missed = False
        self._over = threading.Event()
        self._collector = threading.Thread(target=self._collect, name="trail")

    def __enter__(self) -> Self:
        self._switch(on=True)
        self._calls.clear()
        self._look()
        self._earlier = set(self._calls)
        self._missed = False
        self._collector.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._collector.join()
        self._look()
        self._switch(on=False)

    def functions(self) -> Counter[str]:
        """Calls of the functions that serve containers, by `service.Operation`.

        Calls of the reconciler are left out, and those of whoever has no role: the backend and the emulators.
        Raises `CannotMeasure` when calls were missed.
        """
        if self._missed:
            raise CannotMeasure(f"More than {MOST} calls were made within {LOOK_SECONDS:g} s: some were not counted.")
        made = [call for event, call in self._calls.items() if event not in self._earlier]
        reconcilers = {key for key, call in made if call == _RECONCILER}
        return Counter(call for key, call in made if key.startswith(_ROLE) and key not in reconcilers)

    def _collect(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        new = 0
        for event in self._cloudtrail.lookup_events(MaxResults=MOST)["Events"]:
            if event["EventId"] not in self._calls:
                call: dict[str, Any] = json.loads(event["CloudTrailEvent"])
                service = str(call["eventSource"]).partition(".")[0]
                key = str(call["userIdentity"]["accessKeyId"])
                self._calls[event["EventId"]] = (key, f"{service}.{call['eventName']}")
                new += 1
        self._missed = self._missed or new == MOST

    def _switch(self, *, on: bool) -> None:
        body = json.dumps({"cloudtrail._recording_enabled": on}).encode()
        request = urllib.request.Request(f"{self._endpoint}/_ministack/config", data=body, method="POST")  # noqa: S310
        # A proxy of the environment has no business between two loopback addresses.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            if not json.load(answer)["applied"]:
                raise CannotMeasure("The local AWS does not record calls: its version may know another switch.")
