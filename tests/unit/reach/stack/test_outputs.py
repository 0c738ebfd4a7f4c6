from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core.model.errors import CallFailed
from local.cloud.environment import upper_snake_case
from reach import NotFound, Refused
from reach.options import aws_client
from reach.stack.outputs import DEFAULT_NAME, STOP, TABLE, VARIABLES, Outputs
from tests.template import load_template
from tests.unit.reach.deployment import OUTPUTS, STOP_ARN, FakeCloudFormation


def unasked() -> Any:
    pytest.fail("CloudFormation is asked")


def outputs(environment: Mapping[str, str] | None = None, name: str | None = None, **stacks: dict[str, str]) -> Outputs:
    deployed = {DEFAULT_NAME: OUTPUTS, "other": {TABLE: "others"}, **stacks}
    asked: list[Any] = [FakeCloudFormation(deployed)]
    return Outputs(name, environment or {}, asked.pop)


def test_variables_are_those_of_the_laptop() -> None:
    """Each output is the template's, and each variable the one that `.local/env` exports."""
    assert VARIABLES.keys() <= load_template()["Outputs"].keys()
    assert all(variable == upper_snake_case(output) for output, variable in VARIABLES.items())


def test_variables_win() -> None:
    """With `.local/env` sourced CloudFormation is not asked."""
    found = Outputs(None, {"CONTAINERS_TABLE_NAME": "mine", "STOP_CONTAINER_FUNCTION_ARN": "arn"}, unasked)
    assert (found[TABLE], found[STOP]) == ("mine", "arn")


@pytest.mark.parametrize("variables", [{}, {"CONTAINERS_TABLE_NAME": ""}])
def test_the_default_stack(variables: dict[str, str]) -> None:
    """Without variables the outputs are those of the stack `sockerless-reach`; an empty variable is none."""
    assert outputs(variables)[TABLE] == "containers"


def test_a_stack_named_by_the_environment() -> None:
    """REACH_STACK names another stack."""
    assert outputs({"REACH_STACK": "other"})[TABLE] == "others"


def test_a_stack_that_is_named_wins() -> None:
    """--stack is what the user wants now, whatever was sourced before."""
    assert outputs({"CONTAINERS_TABLE_NAME": "mine", "REACH_STACK": "x"}, name="other")[TABLE] == "others"


def test_two_stacks_are_not_mixed() -> None:
    """A table of one stack and a function of another would stop a container that is not shown."""
    found = outputs({"CONTAINERS_TABLE_NAME": "mine"})
    assert found[TABLE] == "mine"
    with pytest.raises(Refused, match="CONTAINERS_TABLE_NAME is mine, and the stack sockerless-reach has containers"):
        found[STOP]


def test_a_variable_that_agrees_is_no_other_stack() -> None:
    """What the environment leaves out comes from the same stack."""
    assert outputs({"CONTAINERS_TABLE_NAME": "containers"})[STOP] == STOP_ARN


def test_no_such_stack() -> None:
    """The error names the stack, and how to name another one."""
    with pytest.raises(NotFound, match=r"no stack third .*--stack NAME.*--region.*\.local/env"):
        outputs(name="third")[TABLE]


def test_another_kind_of_stack() -> None:
    """A stack without the output is not ours, or is older than the template."""
    with pytest.raises(NotFound, match="has no output ContainersTableName\\."):
        outputs(name="empty", empty={})[TABLE]


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_a_stack_that_is_not_deployed(status: str) -> None:
    """One that is being made is not to be deployed again; the error says its status, whatever it is."""
    found = Outputs("new", {}, lambda: FakeCloudFormation({"new": {}}, status=status))  # type: ignore[arg-type, return-value]
    with pytest.raises(NotFound, match=f"is {status} and has no output") as refused:
        found[TABLE]
    assert ("again when that has ended" in str(refused.value)) is status.endswith("IN_PROGRESS")


def test_cloudformation_is_asked_once() -> None:
    """One call, for all outputs."""
    found = outputs()
    assert (found[TABLE], found[STOP]) == ("containers", STOP_ARN)


def test_a_call_that_fails(environment: pytest.MonkeyPatch) -> None:
    """Whoever may not read the stack sees AWS's error, not that there is no stack."""
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    made = aws_client("cloudformation", profile=None, region=None)
    with pytest.raises(CallFailed, match="NoCredentialsError"):
        Outputs(None, {}, lambda: made)[TABLE]
