"""Where tasks run: the cluster, its capacity, the log group of the containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.model.capacity import Provider
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Cluster
from reach.doctor.findings import Finding, ok, unknown, wrong
from reach.doctor.knowledge import NotAsked

SMALLEST: Final = 0.25
"""vCPU of the smallest task, which a request without limits gets."""
FEWEST: Final = 10
"""Containers below which a quota of Fargate is wrong: one prober serves as many."""


def cluster(stack: Deployed, facts: Cluster) -> Iterator[Finding]:
    """The cluster is there and ACTIVE."""
    name, found = stack.parameter("ClusterName"), facts.cluster.value
    state = found["status"] if found else "not there"
    if state == "ACTIVE":
        yield ok("{cluster}", cluster=name)
    else:
        yield wrong(
            "The cluster {cluster} is {state}, so no task runs.",
            "aws ecs create-cluster --cluster-name {cluster}",
            cluster=name,
            state=state,
        )


def capacity_providers(stack: Deployed, facts: Cluster) -> Iterator[Finding]:
    """The cluster has Fargate's capacity providers, where Capacity is Spot."""
    if not stack.on_spot or (found := facts.cluster.value) is None:
        return
    missing = [one.value for one in Provider if one not in found.get("capacityProviders", ())]
    if missing:
        yield wrong(
            "The cluster {cluster} has no {providers}, and Capacity is {capacity}.",
            "aws ecs put-cluster-capacity-providers --cluster {cluster} --capacity-providers FARGATE FARGATE_SPOT "
            "--default-capacity-provider-strategy capacityProvider=FARGATE",
            cluster=stack.parameter("ClusterName"),
            providers=missing,
            capacity=stack.parameter("Capacity"),
        )
    else:
        yield ok("{providers}", providers=[one.value for one in Provider])


def fargate_quota(stack: Deployed, facts: Cluster) -> Iterator[Finding]:
    """The account's quota of Fargate is enough for ten of the smallest tasks."""
    for provider, quota in facts.quotas.items():
        if isinstance(quota, NotAsked):
            yield unknown(quota)
            continue
        count = int(quota.value / SMALLEST)
        if count < FEWEST:
            yield wrong(
                "{provider} has {vcpus} vCPU, so at most {count} of the smallest containers run at a time.",
                f"console: Service Quotas, AWS Fargate, in {stack.region}: request an increase",
                provider=provider,
                vcpus=quota.value,
                count=count,
            )
        else:
            yield ok(
                "{provider}: {vcpus:g} vCPU, {count} of the smallest containers at a time",
                provider=provider,
                vcpus=quota.value,
                count=count,
            )


def log_group(stack: Deployed, facts: Cluster) -> Iterator[Finding]:
    """TaskLogGroup is there, of the class Standard, which alone shows why an agent never ran."""
    name, found = stack.parameter("TaskLogGroup"), facts.log_group.value
    if not name:
        yield ok("none: the output of the containers is lost, and the causes that only it shows are not found")
    elif found is None:
        yield wrong(
            "There is no log group {group}, so no task starts.",
            "aws logs create-log-group --log-group-name {group}",
            group=name,
        )
    elif (kind := found.get("logGroupClass", "STANDARD")) != "STANDARD":
        yield wrong(
            "The log group {group} is of the class {kind}, whose streams GetLogEvents does not read.",
            "a class cannot be changed: aws logs create-log-group --log-group-name ..., then sam deploy "
            "--parameter-overrides TaskLogGroup=...",
            group=name,
            kind=kind,
        )
    else:
        days = found.get("retentionInDays")
        kept = f"kept for {days} days" if days else "kept for ever: aws logs put-retention-policy sets an end"
        yield ok("{group}, " + kept, group=name)
