"""Rows for missing network interfaces and missing capacity, of tasks and of calls.

Sources: ECS Developer Guide, "Troubleshooting Amazon ECS TaskFailedToStart errors", "Amazon ECS API failure reasons"
and "Amazon ECS service event messages"; re:Post "network interface provision errors for Fargate".
"""

from functools import partial
from typing import Final

from core.diagnosis.row import Actor, start_row
from core.model.failure import Cause

_interface = partial(start_row, cause=Cause.ENI_PROVISIONING)
_capacity = partial(start_row, cause=Cause.CAPACITY)

_ENI: Final = r"(network interface|\beni\b|unexpected ec2 error|subnet|security group)"

INTERFACES: Final = (
    _interface(
        pattern=r"insufficientfreeaddresses|insufficient free addresses|"
        r"create network interface with public ip assignment",
        summary="The task's subnet has no free address",
        remedy="Free addresses in the subnet, or configure more or larger task subnets; every task takes one address.",
        may_pass=True,
    ),
    _interface(
        pattern=r"tag the network interface|tagpolicyviolation",
        summary="A tag policy forbids the task's network interface",
        remedy="Give the tasks the tags that the organisation's tag policy requires of ec2:network-interface, or "
        "exempt the interfaces that ECS makes.",
    ),
    _interface(
        pattern=rf"{_ENI}.*(unauthorizedoperation|not authorized)",
        summary="ECS may not make a network interface in the subnet",
        remedy="Check that the service-linked role AWSServiceRoleForECS exists, that no service control policy denies "
        "ec2:CreateNetworkInterface, and that a shared subnet is shared with this account.",
    ),
    _interface(
        pattern=rf"{_ENI}.*(does not exist|\.notfound|invalidsubnet|invalidgroup)|"
        r"security groups?.*(same|different) (vpc|network)",
        summary="The subnet or security group of the task does not exist, or they are of different VPCs",
        remedy="Correct TaskSubnets and TaskSecurityGroups: they must exist in this Region and belong to one VPC.",
    ),
    _interface(
        pattern=r"limit for (the )?network interfaces|networkinterfacelimitexceeded|security groups? limit",
        summary="The quota of network interfaces is used up",
        remedy="Have the quota `Network interfaces per Region` raised, or stop tasks that are not needed.",
        may_pass=True,
    ),
    _interface(
        pattern=r"network interface provision|configure eni|regular eni|netplugin|unexpected ec2 error|"
        r"(attach|create|detach) (a )?network interface|unused device index",
        summary="The task's network interface was not ready in time",
        remedy="Start the container again: this passes. If it repeats, spread the tasks over more subnets and check "
        "the AWS Health dashboard.",
        actor=Actor.AWS,
    ),
)

CAPACITY: Final = (
    _capacity(
        pattern=r"configuration is above your limit",
        summary="The task is larger than this account's Fargate quota",
        remedy="Ask for less CPU or memory, or have the quota `Fargate On-Demand vCPU resource count` (or Spot) raised "
        "in Service Quotas.",
    ),
    _capacity(
        pattern=r"limit on the number of (vcpus?|tasks)|vcpu.{0,20}(limit|quota)|quota.{0,40}vcpu",
        summary="The account's Fargate quota is used up",
        remedy="Stop tasks that are not needed, or have the quota `Fargate On-Demand vCPU resource count` (or Spot) "
        "raised in Service Quotas; a new account starts with few vCPUs.",
        may_pass=True,
    ),
    _capacity(
        pattern=r"capacity is (currently )?(unavailable|not available)|insufficient capacity|"
        r"capacity (is |was )?unavailable|no (spot )?capacity",
        summary="Fargate has no free capacity in the Availability Zone",
        remedy="Start the container again later, and configure task subnets in more Availability Zones; if the tasks "
        "run on Spot, allow On-Demand as well (capacity `spot-first`).",
        actor=Actor.AWS,
    ),
    _capacity(
        pattern=r"ephemeral ?storage provisioning",
        summary="The task's disk was not ready in time",
        remedy="Start the container again: this passes. Ask for less ephemeral storage if it repeats.",
        actor=Actor.AWS,
    ),
    # ECS gives these reasons only in clusters with EC2 instances, which our tasks do not need.
    _capacity(
        codes="AGENT INACTIVE",
        pattern=r"\bresource:\w+|^taskfailedtostart: ?agent\b|no active instances|empty capacity provider|"
        r"no container instances",
        summary="The cluster has no instance with room for the task",
        remedy="Run on Fargate: launch type FARGATE, or a capacity provider strategy of FARGATE or FARGATE_SPOT as the "
        "cluster's default. On EC2 capacity add instances whose ECS agent is connected.",
        may_pass=True,
    ),
    start_row(
        codes="ATTRIBUTE",
        pattern=r"^taskfailedtostart: ?attribute\b|placement constraint|not compatible with the selected compute",
        cause=Cause.TASK_DEFINITION,
        summary="The task definition does not suit the cluster's capacity",
        remedy="Run on Fargate: launch type FARGATE, or a cluster whose default capacity provider is FARGATE, and no "
        "placement constraints.",
    ),
)
