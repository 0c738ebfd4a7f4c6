"""Who asks, and the stack as CloudFormation describes it."""

from __future__ import annotations

from reach.doctor.asking import Aws
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Account, Given
from reach.doctor.knowledge import Document, fact
from reach.doctor.reads import IDENTITY, RESOURCES, STACKS


def gather(aws: Aws, name: str, given: Given) -> Account:
    """Asks for both. A stack that is not there is a ValidationError of CloudFormation."""
    return Account(
        stack=name,
        region=aws.client("cloudformation").meta.region_name,
        identity=fact(lambda: aws.ask(IDENTITY)),
        described=fact(lambda: _described(aws, name)),
        environment=given.environment,
    )


def stack_of(aws: Aws, name: str, described: Document) -> Deployed:
    """The stack, and its resources."""
    _arn, partition, _service, region, account, *_ = str(described["StackId"]).split(":")

    def resources() -> dict[str, str]:
        found = aws.ask(RESOURCES, StackName=name)["StackResourceSummaries"]
        return {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in found}

    return Deployed(
        name=name,
        region=region,
        account=account,
        partition=partition,
        status=described["StackStatus"],
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in described.get("Parameters", ())},
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", ())},
        resources=fact(resources),
    )


def _described(aws: Aws, name: str) -> Document | None:
    answer = aws.ask(STACKS, StackName=name)
    return answer["Stacks"][0] if answer and answer["Stacks"] else None
