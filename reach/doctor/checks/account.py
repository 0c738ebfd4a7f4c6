"""Whose account it is, and whether the stack is in it."""

from __future__ import annotations

from collections.abc import Iterator

from reach.doctor.facts import Account
from reach.doctor.findings import Finding, ok, wrong
from reach.doctor.knowledge import NotAsked
from reach.stack.outputs import VARIABLES


def credentials(account: Account) -> Iterator[Finding]:
    """AWS accepts the credentials, in this Region."""
    identity = account.identity
    if isinstance(identity, NotAsked):
        yield wrong(
            "AWS does not accept the credentials in {region}: {why}",
            "aws configure, or aws sso login; check --profile, --region, AWS_ENDPOINT_URL: aws sts get-caller-identity",
            region=account.region,
            why=identity.why,
        )
    else:
        found = identity.value
        yield ok("{arn} in {region}", arn=found["Arn"], account=found["Account"], region=account.region)


def stack(account: Account) -> Iterator[Finding]:
    """The stack is in this account and Region."""
    if account.described.value is None:
        yield wrong(
            "There is no stack {stack} in {region}.",
            "name it: --stack, or REACH_STACK; check --region and --profile: aws cloudformation list-stacks; or deploy "
            "it: sam build && sam deploy",
            stack=account.stack,
            region=account.region,
        )
    else:
        yield ok("{stack}", stack=account.stack)


def environment(account: Account) -> Iterator[Finding]:
    """What the environment says of a stack is said of this one."""
    described = account.described.value
    if described is None:
        return
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", ())}
    given = {
        name: account.environment[variable] for name, variable in VARIABLES.items() if account.environment.get(variable)
    }
    faults = [name for name, value in given.items() if outputs.get(name) != value]
    for name in faults:
        yield wrong(
            "{variable} is {value}, and the stack {stack} has {output}: commands without --stack use the former.",
            "unset {variable}",
            variable=VARIABLES[name],
            value=given[name],
            stack=account.stack,
            output=outputs.get(name),
        )
    if given and not faults:
        yield ok("{variables}", variables=[VARIABLES[name] for name in given])
