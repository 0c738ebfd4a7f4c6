"""The whole examination: every group of checks, in the order in which a start depends on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final

from reach.doctor.asking import Aws
from reach.doctor.checks import (
    account,
    agent,
    cluster,
    efs,
    events,
    functions,
    ports,
    roles,
    routes,
    s3_files,
    stack,
    subnets,
)
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Given
from reach.doctor.findings import Finding, Reported, unknown
from reach.doctor.gathering import account as of_account
from reach.doctor.gathering import agent as of_agent
from reach.doctor.gathering import cluster as of_cluster
from reach.doctor.gathering import events as of_events
from reach.doctor.gathering import functions as of_functions
from reach.doctor.gathering import network as of_network
from reach.doctor.gathering import roles as of_roles
from reach.doctor.gathering import storage as of_storage
from reach.doctor.gathering import table as of_table
from reach.doctor.knowledge import Document, Fact, NotAsked, NotKnown, fact

Check = Callable[..., Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Group:
    """Checks of one concern. They judge what `gather` returns, beside the stack."""

    name: str
    gather: Callable[[Aws, Deployed, Given], Any]
    checks: tuple[Check, ...]


ACCOUNT: Final = "account"
ACCOUNT_CHECKS: Final[tuple[Check, ...]] = (account.credentials, account.stack, account.environment)
"""Without these there is no stack to examine."""

GROUPS: Final = (
    Group("stack", of_table.gather, (stack.status, stack.outputs, stack.template_version, stack.table, stack.expiry)),
    Group(
        "cluster",
        of_cluster.gather,
        (cluster.cluster, cluster.capacity_providers, cluster.fargate_quota, cluster.log_group),
    ),
    Group(
        "network",
        of_network.gather,
        (
            subnets.task_subnets,
            subnets.free_addresses,
            subnets.zones,
            subnets.vpc_dns,
            routes.way_to_registry,
            routes.way_to_logs,
            routes.way_to_ssm,
            ports.task_groups,
            routes.task_egress,
            ports.agent_port_from_prober,
            ports.agent_port_from_backend,
            ports.agent_networks,
            ports.prober_subnets,
            ports.prober_ipv6,
            ports.prober_egress,
            routes.dynamodb_endpoint,
        ),
    ),
    Group(
        "storage",
        of_storage.gather,
        (
            efs.efs_file_system,
            efs.efs_policy,
            efs.efs_mount_targets,
            efs.efs_port,
            efs.efs_access_point,
            efs.efs_binary,
            s3_files.s3_file_system,
            s3_files.s3_role,
            s3_files.s3_mount_targets,
            s3_files.s3_port,
            s3_files.s3_access_point,
            s3_files.s3_bucket,
            s3_files.s3_object,
        ),
    ),
    Group(
        "roles",
        of_roles.gather,
        (
            roles.execution_role,
            roles.may_pull,
            roles.may_log,
            roles.may_read_tokens,
            roles.task_role,
            roles.may_mount,
            roles.may_pass_roles,
        ),
    ),
    Group(
        "events",
        of_events.gather,
        (
            events.rule,
            events.target,
            events.invocation,
            events.dead_events,
            events.probe_queue,
            events.waiting_probes,
            events.dead_probes,
        ),
    ),
    Group(
        "functions",
        of_functions.gather,
        (
            functions.functions,
            functions.prober_placement,
            functions.reserved_concurrency,
            functions.sources,
            functions.schedules,
            functions.concurrency,
        ),
    ),
    Group("agent", of_agent.gather, (agent.agent_source, agent.agent_image, agent.agent_flavor)),
)


def examine(  # noqa: PLR0913 - what is examined, and how
    aws: Aws,
    name: str,
    given: Given,
    *,
    only: Collection[str] = (),
    say: Callable[[str], object],
    canary: Callable[[Deployed], Iterator[Reported]] | None = None,
) -> Generator[Reported]:
    """What every check finds, or those of the groups in `only`, and last the canary, if one is given.

    `say` takes the name of the group that is asked about. Where the stack is not known, each group says so once.
    """
    say(ACCOUNT)
    who = of_account.gather(aws, name, given)
    yield from _judged(ACCOUNT, ACCOUNT_CHECKS, who)
    found = fact(lambda: _stack(aws, name, who.described))
    for group in GROUPS:
        if only and group.name not in only:
            continue
        say(group.name)
        if isinstance(found, NotAsked):
            yield Reported(group.name, "all", unknown(found))
        else:
            yield from _judged(group.name, group.checks, found.value, group.gather(aws, found.value, given))
    if canary is not None and not isinstance(found, NotAsked):
        yield from canary(found.value)


def _stack(aws: Aws, name: str, described: Fact[Document | None]) -> Deployed:
    """Raises `NotKnown`."""
    if described.value is None:
        raise NotKnown(NotAsked(f"there is no stack {name}"))
    return of_account.stack_of(aws, name, described.value)


def check_name(check: Check) -> str:
    """As the report spells it."""
    return check.__name__.replace("_", "-")


def _judged(group: str, checks: tuple[Check, ...], *facts: Any) -> Iterator[Reported]:
    """What one check says twice, of two things, is said once."""
    for check in checks:
        found: list[Finding] = []
        for finding in _findings(check, facts):
            if finding not in found:
                found.append(finding)
                yield Reported(group, check_name(check), finding)


def _findings(check: Check, facts: tuple[Any, ...]) -> Iterator[Finding]:
    try:
        yield from check(*facts)
    except NotKnown as missing:
        yield unknown(missing.reason)
