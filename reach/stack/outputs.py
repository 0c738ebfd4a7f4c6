"""The outputs of a stack: from the environment, else from CloudFormation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from core.adapters.aws_errors import translated
from core.model.errors import CallFailed
from reach import NotFound, Refused

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

DEFAULT_NAME: Final = "sockerless-reach"
NAME_VARIABLE: Final = "REACH_STACK"
TABLE: Final = "ContainersTableName"
START: Final = "StartContainerFunctionArn"
STOP: Final = "StopContainerFunctionArn"
VARIABLES: Final = {
    TABLE: "CONTAINERS_TABLE_NAME",
    START: "START_CONTAINER_FUNCTION_ARN",
    STOP: "STOP_CONTAINER_FUNCTION_ARN",
}
"""Output -> the variable that `.local/env` exports it as."""


class Outputs:
    """Each output by its name. A variable of the environment wins, but not over a stack that the user named.

    `name` is that of the command line, or None. CloudFormation is asked once, and only when it has to be.
    """

    def __init__(
        self, name: str | None, environment: Mapping[str, str], cloudformation: Callable[[], CloudFormationClient]
    ) -> None:
        self.stack = name or environment.get(NAME_VARIABLE) or DEFAULT_NAME
        self._given = {} if name else {one: environment[key] for one, key in VARIABLES.items() if environment.get(key)}
        self._cloudformation = cloudformation
        self._deployed: dict[str, str] | None = None
        self._status = ""

    def __getitem__(self, output: str) -> str:
        """Raises `NotFound`, `CallFailed`; `Refused` when the environment speaks of another stack."""
        if output in self._given:
            return self._given[output]
        if self._deployed is None:
            self._deployed = self._read()
        for one, value in self._given.items():
            if self._deployed.get(one, value) != value:
                raise Refused(
                    f"{VARIABLES[one]} is {value}, and the stack {self.stack} has {self._deployed[one]}. What to do: "
                    f"export {VARIABLES[output]} too, or unset {VARIABLES[one]}, or name the stack: --stack"
                )
        if output not in self._deployed:
            if self._status.endswith("_IN_PROGRESS"):
                raise NotFound(
                    f"The stack {self.stack} is {self._status} and has no output {output} yet. What to do: try again "
                    "when that has ended."
                )
            raise NotFound(
                f"The stack {self.stack} is {self._status} and has no output {output}. What to do: name a stack of "
                "sockerless-reach (--stack NAME), or deploy this one again with the current template."
            )
        return self._deployed[output]

    def _read(self) -> dict[str, str]:
        found = described(self.stack, self._cloudformation())
        self._status = found["StackStatus"]
        return outputs_of(found)


def described(stack: str, cloudformation: CloudFormationClient) -> StackTypeDef:
    """DescribeStacks of one stack. Raises `NotFound`, `CallFailed`."""
    try:
        with translated("DescribeStacks"):
            [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except CallFailed as failed:
        if failed.code == "ValidationError" and "does not exist" in failed.message:
            raise NotFound(
                f"There is no stack {stack} in this account and Region. What to do: --stack NAME, or "
                f"{NAME_VARIABLE}; check --region and --profile. On the laptop: make up, then . .local/env"
            ) from failed
        raise
    return found


def outputs_of(stack: StackTypeDef) -> dict[str, str]:
    """The outputs that it has, by name."""
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


def parameters_of(stack: StackTypeDef) -> dict[str, str]:
    """The values of its parameters, by name. CloudFormation shows none of those that are secret."""
    return {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", ())}
