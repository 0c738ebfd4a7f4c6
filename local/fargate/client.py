"""A small client of `/_local`, for tests and the demo. The ECS API itself is boto3's."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class LocalFargateError(Exception):
    """The server refused; the message is the server's."""


class LocalFargate:
    """Talks to the server at `endpoint`, such as `http://127.0.0.1:4567`."""

    def __init__(self, endpoint: str, *, timeout: float = 10) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._timeout = timeout
        # No proxy of the environment between two loopback addresses.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def healthy(self) -> bool:
        try:
            return bool(self._call("GET", "health")["status"] == "ok")
        except OSError:
            return False

    def fault(self, match: str, name: str, *, times: int | None = None, **parameters: Any) -> dict[str, Any]:
        """Adds a fault; `local.fargate.faults` lists names and parameters."""
        return self._call("POST", "faults", {"match": match, "fault": name, "times": times, **parameters})

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force, with how often each was applied."""
        return list(self._call("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def kill(self, task: str) -> None:
        self._call("POST", f"tasks/{task.rpartition('/')[2]}/kill")

    def interrupt(self, task: str) -> None:
        self._call("POST", f"tasks/{task.rpartition('/')[2]}/interrupt")

    def deliveries(self, task: str | None = None) -> list[dict[str, Any]]:
        """`event`, `outcome`, `copies`, `arrivals`, `targets` of each event, oldest first; no environment values."""
        query = "?" + urllib.parse.urlencode({"task": task}) if task else ""
        return list(self._call("GET", f"events{query}")["deliveries"])

    def events(self, task: str | None = None) -> list[dict[str, Any]]:
        return [delivery["event"] for delivery in self.deliveries(task)]

    def calls(self) -> dict[str, int]:
        """How often each operation of the ECS API was called."""
        return self._call("GET", "calls")

    def reset_calls(self) -> None:
        self._call("DELETE", "calls")

    def tasks(self) -> list[dict[str, Any]]:
        """id, arn, started_by, last_status, desired_status, version, address, pids, stop_code, stopped_reason."""
        return list(self._call("GET", "tasks")["tasks"])

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the endpoint is the caller's own
            f"{self._endpoint}/_local/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as exc:
            raise LocalFargateError(exc.read().decode()) from exc
