"""The cluster, what Fargate gives the account, and the log group of the containers."""

from __future__ import annotations

from functools import partial
from typing import Final

from core.model.capacity import Provider
from reach.doctor.asking import Aws
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Cluster, Given
from reach.doctor.knowledge import Document, fact
from reach.doctor.reads import CLUSTERS, DEFAULT_QUOTA, LOG_GROUPS, QUOTA

QUOTAS: Final = {Provider.FARGATE: "L-3032A538", Provider.FARGATE_SPOT: "L-36FBB829"}
"""Service Quotas, AWS Fargate: "Fargate On-Demand vCPU resource count", and that of Spot."""


def gather(aws: Aws, stack: Deployed, _: Given) -> Cluster:
    """Asks for the quotas of the capacity that the stack uses."""
    used = {
        "on-demand": {Provider.FARGATE},
        "spot": {Provider.FARGATE_SPOT},
        "spot-first": {Provider.FARGATE, Provider.FARGATE_SPOT},
    }[stack.parameter("Capacity") or "on-demand"]
    return Cluster(
        cluster=fact(lambda: _cluster(aws, stack.parameter("ClusterName"))),
        quotas={name: fact(partial(_quota, aws, code)) for name, code in QUOTAS.items() if name in used},
        log_group=fact(lambda: _log_group(aws, stack.parameter("TaskLogGroup"))),
    )


def _cluster(aws: Aws, name: str) -> Document | None:
    answer = aws.ask(CLUSTERS, clusters=[name])
    return answer["clusters"][0] if answer and answer["clusters"] else None


def _quota(aws: Aws, code: str) -> float:
    """In vCPU. An account that never raised a quota may have no value of its own (API: GetServiceQuota)."""
    key = {"ServiceCode": "fargate", "QuotaCode": code}
    answer = aws.ask(QUOTA, **key) or aws.ask(DEFAULT_QUOTA, **key)
    return float(answer["Quota"]["Value"])


def _log_group(aws: Aws, name: str) -> Document | None:
    """By its whole name: the API takes a prefix."""
    if not name:
        return None
    groups = aws.ask(LOG_GROUPS, logGroupNamePrefix=name)["logGroups"]
    return next((one for one in groups if one["logGroupName"] == name), None)
