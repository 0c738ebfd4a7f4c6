"""Mount targets, which EFS and S3 Files have alike: one in each zone of the tasks, TCP 2049 open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reach.doctor.facts import Mounts, MountTarget
from reach.doctor.findings import Finding, ok, wrong
from reach.doctor.knowledge import Document
from reach.doctor.rules.traffic import EGRESS, INGRESS, lets, networks_of

NFS: Final = 2049


def in_each_zone(mounts: Mounts, *, mend: str) -> Iterator[Finding]:
    """A mount target that is available in each zone of the tasks. `mend` makes one: it takes a subnet's id."""
    subnets = {one["AvailabilityZone"]: one["SubnetId"] for one in mounts.task_subnets.value}
    ready = {one.zone for one in mounts.targets.value if one.status == "available"}
    others = {one.zone: one.status for one in mounts.targets.value if one.status != "available"}
    lacking = sorted(subnets.keys() - ready)
    for zone in lacking:
        state = f"its mount target is {others[zone]}" if zone in others else "no mount target"
        yield wrong("{zone}: " + state + ", so tasks in {subnet} cannot mount.", mend, zone=zone, subnet=subnets[zone])
    if subnets and not lacking:
        yield ok("in {zones}", zones=sorted(subnets))


def open_to_tasks(mounts: Mounts) -> Iterator[Finding]:
    """The mount targets let TCP 2049 in from the tasks, and the tasks let it out."""
    tasks, subnets = mounts.task_groups.value, mounts.task_subnets.value
    ids, networks = [one["GroupId"] for one in tasks], networks_of(subnets)
    targets = _of_the_tasks(mounts)
    closed = [
        (one, groups[0]["GroupId"] if groups else "its security group")
        for one in targets
        if not lets(groups := one.groups.value, INGRESS, NFS, group_ids=ids, networks=networks)
    ]
    for target, group in closed:
        yield wrong(
            "{target} in {zone} does not let TCP 2049 in from the tasks, so mounts time out.",
            f"aws ec2 authorize-security-group-ingress --group-id {group} --protocol tcp --port 2049 "
            f"--source-group {ids[0] if ids else '...'}",
            target=target.id,
            zone=target.zone,
        )
    to: list[Document] = [group for one in targets for group in one.groups.value]
    if targets and tasks and not lets(tasks, EGRESS, NFS, group_ids=[one["GroupId"] for one in to], networks=networks):
        yield wrong(
            "{groups} do not let TCP 2049 out to the mount targets, so mounts time out.",
            f"aws ec2 authorize-security-group-egress --group-id {ids[0]} --protocol tcp --port 2049 --cidr 0.0.0.0/0",
            groups=ids,
        )
    elif targets and not closed:
        yield ok("TCP 2049 from {groups}", groups=ids)


def _of_the_tasks(mounts: Mounts) -> list[MountTarget]:
    """Those in zones of the tasks: no task uses another."""
    zones = {one["AvailabilityZone"] for one in mounts.task_subnets.value}
    return [one for one in mounts.targets.value if one.zone in zones]
