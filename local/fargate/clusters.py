"""Clusters: names that exist, and how many tasks each holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from local.fargate.errors import AwsError
from local.fargate.naming import Names, cluster_name
from local.fargate.task import Task

_PROVIDERS: Final = ("FARGATE", "FARGATE_SPOT")


class Clusters:
    """Those that exist. `tasks` gives all tasks that can be described."""

    def __init__(self, names: Names, existing: Sequence[str], tasks: Callable[[], Iterable[Task]]) -> None:
        self._names = names
        self._existing = set(existing)
        self._tasks = tasks

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateCluster: one that exists is answered as it is."""
        name = request.get("clusterName", "default")
        self._existing.add(name)
        return {"cluster": self._document(name)}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeClusters: unknown ones are MISSING."""
        names = [cluster_name(identifier) for identifier in request.get("clusters", ["default"])]
        unknown = [name for name in names if name not in self._existing]
        return {
            "clusters": [self._document(name) for name in names if name in self._existing],
            "failures": [{"arn": self._names.cluster(name), "reason": "MISSING"} for name in unknown],
        }

    def named(self, request: dict[str, Any]) -> str:
        """The cluster a request means. Raises `ClusterNotFoundException`."""
        name = cluster_name(request.get("cluster"))
        if name not in self._existing:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return name

    def check_capacity(self, request: dict[str, Any]) -> None:
        """Whether a cluster has what RunTask asks for: every one has Fargate, and none has instances of its own.

        Raises `InvalidParameterException`.
        """
        strategy = request.get("capacityProviderStrategy", ())
        if not strategy and request.get("launchType") != "FARGATE":
            raise AwsError("InvalidParameterException", "No Container Instances were found in your cluster.")
        for provider in (item["capacityProvider"] for item in strategy):
            if provider not in _PROVIDERS:
                raise AwsError(
                    "InvalidParameterException",
                    f"The specified capacity provider '{provider}' was not found. Specify a valid name and try again.",
                )

    def _document(self, name: str) -> dict[str, Any]:
        tasks = [task for task in self._tasks() if task.cluster == name]
        return {
            "clusterArn": self._names.cluster(name),
            "clusterName": name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": sum(task.last_status == "RUNNING" for task in tasks),
            "pendingTasksCount": sum(task.last_status in ("PROVISIONING", "PENDING") for task in tasks),
            "activeServicesCount": 0,
            "statistics": [],
            "tags": [],
            "settings": [],
            "capacityProviders": list(_PROVIDERS),
            "defaultCapacityProviderStrategy": [],
        }
