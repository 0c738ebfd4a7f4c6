"""The functions, what starts them, and the concurrency that the account gives them."""

from __future__ import annotations

from functools import partial
from typing import Final

from reach.doctor.asking import Aws
from reach.doctor.deployed import FUNCTIONS, SCHEDULES, Deployed
from reach.doctor.facts import Functions, Given
from reach.doctor.knowledge import Document, fact
from reach.doctor.reads import ACCOUNT_SETTINGS, FUNCTION, FUNCTION_CONCURRENCY, SCHEDULE, SOURCES

SOURCED: Final = ("AgentHealthFunction", "ReconcileFunction")
"""Those that Lambda polls a queue or a stream for."""


def gather(aws: Aws, stack: Deployed, _: Given) -> Functions:
    """Asks about each function that an output names."""
    arns = {name: stack.outputs[f"{name}Arn"] for name in FUNCTIONS if stack.outputs.get(f"{name}Arn")}
    return Functions(
        functions={name: fact(partial(aws.ask, FUNCTION, FunctionName=arn)) for name, arn in arns.items()},
        reserved={name: fact(partial(_reserved, aws, arn)) for name, arn in arns.items()},
        sources={name: fact(partial(_sources, aws, arns[name])) for name in SOURCED if name in arns},
        schedules=fact(lambda: _schedules(aws, stack)),
        unreserved=fact(lambda: int(aws.ask(ACCOUNT_SETTINGS)["AccountLimit"]["UnreservedConcurrentExecutions"])),
    )


def _reserved(aws: Aws, arn: str) -> int | None:
    """None: the function shares what is unreserved."""
    answer = aws.ask(FUNCTION_CONCURRENCY, FunctionName=arn) or {}
    found: int | None = answer.get("ReservedConcurrentExecutions")
    return found


def _sources(aws: Aws, arn: str) -> list[Document]:
    found: list[Document] = aws.ask(SOURCES, FunctionName=arn)["EventSourceMappings"]
    return found


def _schedules(aws: Aws, stack: Deployed) -> dict[str, Document | None]:
    """By logical id. A physical id may hold the group's name too."""
    there = stack.resources.value
    return {
        name: aws.ask(SCHEDULE, Name=there[name].rpartition("|")[2].rpartition("/")[2])
        for name in SCHEDULES
        if name in there
    }
