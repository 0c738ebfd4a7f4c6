"""What is known of an account, by concern: values that gathering fills and checks read.

A `Document` is AWS's own; None stands for what AWS says is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.launch.request import Platform
from core.model.record import Record
from reach.doctor.knowledge import Document, Fact


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line and the environment say. `backend`: a security group or a CIDR, from which it connects."""

    environment: Mapping[str, str]
    backend: str | None = None
    platform: Platform = Platform.X86_64


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks, and CloudFormation's document of the stack."""

    stack: str
    region: str
    identity: Fact[Document]
    described: Fact[Document | None]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The containers table."""

    table: Fact[Document | None]
    time_to_live: Fact[Document | None]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where tasks run. `quotas`: by capacity provider, in vCPU."""

    cluster: Fact[Document | None]
    quotas: Mapping[str, Fact[float]]
    log_group: Fact[Document | None]


@dataclass(frozen=True, slots=True)
class Network:
    """The VPC of the tasks, and the subnets of the prober.

    `groups`: the security groups of tasks, prober and backend, by id; those that are not there are not in it.
    `endpoint_groups`: the same of the interface endpoints. `task_groups`: the ids of the tasks', which are the VPC's
    default group where the stack names none. `dns`: by attribute of the VPC.
    """

    task_subnets: Fact[list[Document]]
    prober_subnets: Fact[list[Document]]
    route_tables: Fact[list[Document]]
    nat_gateways: Fact[dict[str, Document]]
    endpoints: Fact[list[Document]]
    groups: Fact[dict[str, Document]]
    endpoint_groups: Fact[dict[str, Document]]
    task_groups: Fact[list[str]]
    dns: Mapping[str, Fact[bool]]
    backend: str | None = None

    def groups_of_tasks(self) -> list[Document]:
        """Those of the tasks that are there. Raises `NotKnown`."""
        there = self.groups.value
        return [there[one] for one in self.task_groups.value if one in there]


@dataclass(frozen=True, slots=True)
class MountTarget:
    """A file system's door in one zone. `zone` is that of its subnet."""

    id: str
    zone: str
    status: str
    groups: Fact[list[Document]]


@dataclass(frozen=True, slots=True)
class Mounts:
    """The mount targets of a file system, and the tasks that go through them."""

    targets: Fact[list[MountTarget]]
    task_subnets: Fact[list[Document]]
    task_groups: Fact[list[Document]]


@dataclass(frozen=True, slots=True)
class Efs:
    """The agent on EFS."""

    file_system: Fact[Document | None]
    policy: Fact[Document | None]
    access_point: Fact[Document | None]
    mounts: Mounts


@dataclass(frozen=True, slots=True)
class StagedObject:
    """The agent's object in a bucket. `head`: its first bytes."""

    metadata: Mapping[str, str]
    head: bytes


@dataclass(frozen=True, slots=True)
class S3Files:
    """The agent in a bucket, at `key`. `staged`: None where there is no such object."""

    file_system: Fact[Document | None]
    access_point: Fact[Document | None]
    mounts: Mounts
    versioning: Fact[Document | None]
    encryption: Fact[Document | None]
    staged: Fact[StagedObject | None]
    bucket: Fact[str]
    key: Fact[str]
    role: Fact[Document | None]
    platform: Platform


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the agent binary lies; None for a file system that the stack does not use."""

    efs: Efs | None
    s3_files: S3Files | None


@dataclass(frozen=True, slots=True)
class Permission:
    """What a role must be allowed to do on a resource. `denied`: those of the actions that IAM does not allow it.

    `role` is the parameter or the logical id that names it.
    """

    role: str
    actions: tuple[str, ...]
    resource: str
    denied: Fact[list[str]]


@dataclass(frozen=True, slots=True)
class Roles:
    """`roles`: by the parameter that names them; those that are not set are not in it."""

    roles: Mapping[str, Fact[Document | None]]
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue. `age`: seconds since its oldest message came, by CloudWatch's newest figure; None without one."""

    url: str
    attributes: Document | None
    age: Fact[float | None]


@dataclass(frozen=True, slots=True)
class Events:
    """From ECS's event to the function, and the queues. `policy`: who may invoke TaskStateFunction."""

    rule: Fact[Document | None]
    targets: Fact[list[Document]]
    policy: Fact[Document | None]
    queues: Mapping[str, Fact[Queue]]


@dataclass(frozen=True, slots=True)
class Functions:
    """By logical id. `sources`: of the probes and of the reconciler. `unreserved`: the account's concurrency."""

    functions: Mapping[str, Fact[Document | None]]
    reserved: Mapping[str, Fact[int | None]]
    sources: Mapping[str, Fact[list[Document]]]
    schedules: Fact[dict[str, Document | None]]
    unreserved: Fact[int]


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent that containers get.

    `image`: AgentImage, empty where containers do not need it. `manifest`: what ECR has under that name, None where it
    has nothing. `live`: the containers that have not ended.
    """

    image: str
    manifest: Fact[Document | None]
    live: Fact[list[Record]]
    platform: Platform
