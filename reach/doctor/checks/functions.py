"""The functions run, are started by what starts them, and have concurrency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reach.doctor.deployed import SCHEDULES, Deployed
from reach.doctor.facts import Functions
from reach.doctor.findings import Finding, ok, unknown, wrong
from reach.doctor.knowledge import NotAsked

_TABLE: Final = "TABLE_NAME"
_DEPLOY: Final = "sam deploy. If it says that there are no changes: console: CloudFormation, Detect drift"
_PROBER: Final = "AgentHealthFunction"


def functions(stack: Deployed, facts: Functions) -> Iterator[Finding]:
    """Each function is there and active, and works on the stack's table."""
    fine = []
    for name, found in facts.functions.items():
        if isinstance(found, NotAsked):
            yield unknown(found)
        elif found.value is None:
            yield wrong("{function} is gone.", _DEPLOY, function=stack.outputs[f"{name}Arn"])
        elif (state := found.value.get("State", "Active")) not in ("Active", "Inactive"):
            yield wrong(
                "{function} is {state}: {reason}",
                "aws lambda get-function-configuration --function-name {function}; mend that, and sam deploy",
                function=name,
                state=state,
                reason=found.value.get("StateReason", "without a reason."),
            )
        elif (table := _variables(found.value).get(_TABLE)) != stack.outputs.get("ContainersTableName"):
            yield wrong(
                "{function} works on the table {table}, not on the stack's.", _DEPLOY, function=name, table=table
            )
        else:
            fine.append(name)
    if fine:
        yield ok("{functions}", functions=fine)


def prober_placement(stack: Deployed, facts: Functions) -> Iterator[Finding]:
    """The prober stands in ProberSubnets, with its security group."""
    found = facts.functions[_PROBER].value if _PROBER in facts.functions else None
    if found is None or not stack.parameter("VpcId"):
        return
    placed = found.get("VpcConfig", {})
    group = stack.outputs.get("ProberSecurityGroupId")
    if sorted(placed.get("SubnetIds", ())) == sorted(stack.ids("ProberSubnets")) and group in placed.get(
        "SecurityGroupIds", ()
    ):
        yield ok("{subnets} with {group}", subnets=placed["SubnetIds"], group=group)
    else:
        yield wrong(
            "The prober stands in {subnets} with {groups}, and not in ProberSubnets with {group}.",
            _DEPLOY,
            subnets=placed.get("SubnetIds", []) or "no VPC",
            groups=placed.get("SecurityGroupIds", []) or "no group",
            group=group,
        )


def reserved_concurrency(_: Deployed, facts: Functions) -> Iterator[Finding]:
    """No function has a reserved concurrency of 0, which stops it."""
    stopped = 0
    for name, reserved in facts.reserved.items():
        if isinstance(reserved, NotAsked):
            yield unknown(reserved)
            return
        if reserved.value == 0:
            stopped += 1
            yield wrong(
                "{function} has a reserved concurrency of 0: Lambda never runs it.",
                "aws lambda delete-function-concurrency --function-name {function}",
                function=name,
            )
    if facts.reserved and not stopped:
        yield ok("none is stopped")


def sources(_: Deployed, facts: Functions) -> Iterator[Finding]:
    """Lambda polls the probe queue for the prober, and the table's stream for the reconciler."""
    for name, found in facts.sources.items():
        if isinstance(found, NotAsked):
            yield unknown(found)
        elif not found.value:
            yield wrong("{function} has no event source.", _DEPLOY, function=name)
        else:
            off = [one for one in found.value if one["State"] not in ("Enabled", "Enabling", "Creating", "Updating")]
            for one in off:
                yield wrong(
                    "The event source of {function} is {state}: {source}.",
                    "aws lambda update-event-source-mapping --uuid {uuid} --enabled",
                    function=name,
                    state=one["State"],
                    source=one["EventSourceArn"],
                    uuid=one["UUID"],
                )
            if not off:
                yield ok("{function}", function=name)


def schedules(stack: Deployed, facts: Functions) -> Iterator[Finding]:
    """The three schedules of the reconciler are there and enabled."""
    fine = []
    for name in SCHEDULES:
        found = facts.schedules.value.get(name)
        state = found["State"] if found else "gone"
        if state == "ENABLED":
            fine.append(name)
        else:
            yield wrong(
                "The schedule {schedule} is {state}, so lost actions are not repeated.",
                f"console: EventBridge, Schedules: enable {stack.resources.value.get(name, name)}; or " + _DEPLOY,
                schedule=name,
                state=state,
            )
    if fine:
        yield ok("{schedules}", schedules=fine)


def concurrency(stack: Deployed, facts: Functions) -> Iterator[Finding]:
    """ProberMaximumConcurrency is at most half of the account's unreserved concurrency."""
    most, unreserved = stack.number("ProberMaximumConcurrency", 5), facts.unreserved.value
    if 2 * most > unreserved:
        yield wrong(
            "Probers may take {most} of this account's {unreserved} concurrent executions, and starts and events need "
            "half of them.",
            f"console: Service Quotas, AWS Lambda, Concurrent executions, in {stack.region}; or sam deploy "
            f"--parameter-overrides ProberMaximumConcurrency={max(unreserved // 2, 2)}",
            most=most,
            unreserved=unreserved,
        )
    else:
        yield ok("{most} of {unreserved}", most=most, unreserved=unreserved)


def _variables(function: object) -> dict[str, str]:
    environment: dict[str, dict[str, str]] = function.get("Environment", {})  # type: ignore[attr-defined]  # a document
    return environment.get("Variables", {})
