"""The stack as a whole: its status, its outputs, its version, its table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reach import __version__
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Table
from reach.doctor.findings import Finding, Unknown, ok, wrong
from reach.doctor.knowledge import Document

VERSION: Final = "TemplateVersion"
OUTPUTS: Final = (
    "ContainersTableName",
    "TaskStateFunctionArn",
    "AgentHealthFunctionArn",
    "StartContainerFunctionArn",
    "StopContainerFunctionArn",
    "ReconcileFunctionArn",
    "ProbeQueueUrl",
    "TaskStateRuleName",
    "DashboardUrl",
)
"""Those that every stack has. ProberSecurityGroupId comes with VpcId."""
_INDEX: Final = "watch-index"
_EXPIRY: Final = "expires_at"
_DEPLOY: Final = "sam build && sam deploy"


def status(stack: Deployed, _: Table) -> Iterator[Finding]:
    """The last deployment has succeeded."""
    if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        yield ok("{stack} is {status}", stack=stack.name, status=stack.status)
    elif stack.status.endswith("_IN_PROGRESS") and "ROLLBACK" not in stack.status:
        yield Unknown(f"{stack.name} is {stack.status}: ask again when the deployment has ended")
    else:
        yield wrong(
            "{stack} is {status}: the last deployment failed.",
            "aws cloudformation describe-stack-events --stack-name {stack} --query "
            "\"StackEvents[?ends_with(ResourceStatus,'FAILED')].[LogicalResourceId,ResourceStatusReason]\"; mend that, "
            "and deploy again",
            stack=stack.name,
            status=stack.status,
        )


def outputs(stack: Deployed, _: Table) -> Iterator[Finding]:
    """The stack has every output that backends and operators read."""
    wanted = [*OUTPUTS, *(["ProberSecurityGroupId"] if stack.parameter("VpcId") else [])]
    if missing := [one for one in wanted if not stack.outputs.get(one)]:
        yield wrong(
            "{stack} has no {outputs}: it was deployed from another template.",
            _DEPLOY,
            stack=stack.name,
            outputs=missing,
        )
    else:
        yield ok("{count}", count=len(wanted))


def template_version(stack: Deployed, _: Table) -> Iterator[Finding]:
    """The stack was deployed from the template of this version of reach."""
    deployed = stack.outputs.get(VERSION)
    if deployed == __version__:
        yield ok("{version}", version=deployed)
    else:
        yield wrong(
            "{stack} was deployed from version {deployed} of the template, and this is reach {own}.",
            "take the older one to the newer version: " + _DEPLOY + ", or pipx install --force .",
            stack=stack.name,
            deployed=deployed or "before 0.1.0",
            own=__version__,
        )


def table(stack: Deployed, facts: Table) -> Iterator[Finding]:
    """The table is active, with its index, its stream and its expiry."""
    name, found = stack.outputs.get("ContainersTableName"), facts.table.value
    if found is None:
        yield wrong(
            "There is no table {table}: no container is known, and none can be started.",
            "restore it from its backup (console: DynamoDB, Backups), or delete the stack and deploy it again",
            table=name,
        )
        return
    faults = list(_faults(found["Table"]))
    for what, mend in faults:
        yield wrong("{table} " + what, mend, table=name)
    if not faults:
        yield ok("{table}", table=name)


def _faults(table: Document) -> Iterator[tuple[str, str]]:
    """What it is or lacks, and what mends that."""
    if (state := table["TableStatus"]) not in ("ACTIVE", "UPDATING"):
        yield f"is {state}.", "aws dynamodb describe-table --table-name {table}"
    indexes = {one["IndexName"]: one.get("IndexStatus", "ACTIVE") for one in table.get("GlobalSecondaryIndexes", ())}
    if indexes.get(_INDEX) != "ACTIVE":
        yield f"has no active {_INDEX}, which the reconciler reads.", _DEPLOY
    if not table.get("StreamSpecification", {}).get("StreamEnabled"):
        yield "has no stream, by which the reconciler learns of verdicts.", _DEPLOY


def expiry(stack: Deployed, facts: Table) -> Iterator[Finding]:
    """Ended items expire."""
    if facts.table.value is None or facts.time_to_live.value is None:
        return
    name, description = stack.outputs["ContainersTableName"], facts.time_to_live.value["TimeToLiveDescription"]
    if description["TimeToLiveStatus"] in ("ENABLED", "ENABLING") and description.get("AttributeName") == _EXPIRY:
        yield ok("{table} by {attribute}", table=name, attribute=_EXPIRY)
    else:
        yield wrong(
            "{table} does not expire items by {attribute}, so those of ended containers stay.",
            "aws dynamodb update-time-to-live --table-name {table} --time-to-live-specification "
            "Enabled=true,AttributeName={attribute}",
            table=name,
            attribute=_EXPIRY,
        )
