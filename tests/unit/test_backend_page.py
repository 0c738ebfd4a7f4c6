"""docs/backend.md against the code: no error is without a status, and each call of a recipe is one that there is."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any

import pytest

from core.client import ReachClient
from core.model import errors
from core.model.failure import Cause, ErrorCode
from local.agent import protocol
from tests.authorization import actions, resource_type, resource_types
from tests.factories import CONTAINER_ID
from tests.records import healthy
from tests.template import load_template
from tests.unit.core.test_client import Life
from tests.unit.test_docs import BACKEND, blocks, cells, section, without_blocks

STATUSES = {204, 304, 400, 404, 409, 500, 503}
"""Of those that Docker's daemon answers with (moby, api/server/httpstatus)."""


def rows(head: str) -> list[list[str]]:
    """The table of the errors whose first column has this head."""
    tables = section(BACKEND, "Errors").split("\n\n")
    [table] = [one for one in tables if one.startswith(f"| {head} |")]
    return cells(table)


@pytest.mark.parametrize(("head", "words"), [("`error.code`", ErrorCode), ("`error.cause`", Cause)])
def test_every_code_and_cause_has_a_status(head: str, words: type[Enum]) -> None:
    """Each of the enumeration once, in its order; a code's status is Docker's, or that of its cause."""
    table = rows(head)
    assert [row[0].strip("`") for row in table] == [*words]
    for code, status, says in table:
        assert says, code
        named = {int(number) for number in re.findall(r"\b\d{3}\b", status)}
        assert named <= STATUSES
        assert named or status == "of the cause"


def test_a_code_without_a_cause_has_a_status_all_the_same() -> None:
    """What an item has no cause for falls to `unknown`, whose status is a number."""
    [unknown] = [row for row in rows("`error.cause`") if row[0] == "`unknown`"]
    assert unknown[1] == "500"


def test_every_error_of_the_client_has_a_status() -> None:
    """Each that the client's docstrings name, and no other."""
    methods = [getattr(ReachClient, name) for name in dir(ReachClient) if not name.startswith("_")]
    raised = {name for one in methods for name in re.findall(r"`(\w+)`", one.__doc__) if hasattr(errors, name)}
    listed = [row[0].strip("`") for row in rows("the client raises")]
    assert sorted(listed) == sorted(raised)


def test_the_calls_of_recipes_exist() -> None:
    """Functions are the template's, methods the client's, messages the agent's; every method is in a recipe."""
    text = without_blocks(BACKEND)
    functions = {f"{name}Function" for name in re.findall(r"\*function\*\s+(\w+)", text)}
    assert functions == {"StartContainerFunction", "StopContainerFunction"} <= load_template()["Resources"].keys()
    called = re.findall(r"\*client\*\s+`(\w+)", text)
    methods = {name for name in vars(ReachClient) if not name.startswith("_")}
    assert set(called) | {"get_many"} == methods
    assert "`get_many(" in text
    messages = {*re.findall(r"\*agent\*\s+`(\w+)`", text)}
    assert messages == {"attach"}
    for message in ("attach", "exec", "stdin", "close_stdin", "signal", "resize"):
        assert f"`{message}`" in text
        protocol.decode(json.dumps({**MESSAGES.get(message, {}), "type": message, "id": "5f3a"}))


MESSAGES: dict[str, dict[str, Any]] = {
    "exec": {"cmd": ["true"]},
    "stdin": {"data": ""},
    "signal": {"signal": "SIGTERM"},
    "resize": {"width": 80, "height": 24},
}


def test_what_inspect_is_said_to_have_it_has() -> None:
    """Each name in the second column of the recipe's table is a key of inspect."""
    named = {name.split(".")[0] for row in cells(section(BACKEND, "inspect")) for name in re.findall(r"`(\w+)", row[1])}
    assert named - {"running"} <= Life((0, healthy())).client.inspect(CONTAINER_ID).keys()


def test_the_policy_is_one_that_iam_understands() -> None:
    """Each action exists, and each resource is of a type that it takes."""
    [policy] = [json.loads(block) for block in blocks(BACKEND, "json")]
    for one in policy["Statement"]:
        named = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        resources = [one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"]
        for action in named:
            assert actions(action) == [action]
            for resource in resources:
                kind = resource_type(resource, partition="aws", region="us-east-1", account="123456789012")
                assert kind in resource_types(action), (action, resource)
