"""Each thing broken in turn: the doctor finds it, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from reach.doctor.asking import Aws
from reach.doctor.examination import GROUPS, check_name, examine
from reach.doctor.facts import Given
from reach.doctor.findings import Reported, Status, Wrong
from tests.healthy_account import STACK
from tests.unit.reach.doctor.answers import Answers, client
from tests.unit.reach.doctor.faults import FAULTS, Fault

NOT_SEEN = {
    "agent-port-from-backend": "where the backend is is not said",
    "efs-binary": "EFS shows no files",
    "agent-flavor": "no container runs",
}
"""What even a healthy account leaves open."""

Seen = dict[str, list[Status]]


def examined(answers: Answers, given: Mapping[str, Any]) -> list[Reported]:
    filled: dict[str, Any] = {"environment": {}, **given}
    if filled.get("backend") in answers.account.ids:
        filled["backend"] = answers.account.ids[filled["backend"]]
    return list(examine(Aws(client), STACK, Given(**filled), say=lambda _: None))


def by_check(found: list[Reported]) -> Seen:
    seen = defaultdict(list)
    for one in found:
        seen[one.check].append(one.finding.status)
    return seen


_HEALTHY: dict[Any, Seen] = {}


def healthy(answers: Answers, fault: Fault) -> Seen:
    """What the doctor says of an account of the fault's kind before it is broken; examined once for each kind."""
    if fault.first:
        fault.first(answers)
    kind = fault.first, fault.given.get("platform")
    if kind not in _HEALTHY:
        given = {name: value for name, value in fault.given.items() if name == "platform"}
        _HEALTHY[kind] = by_check(examined(answers, given))
        assert all(Status.WRONG not in states for states in _HEALTHY[kind].values())
    return _HEALTHY[kind]


def test_nothing_is_wrong_with_a_healthy_account(answers: Answers) -> None:
    """Every check is ok, but for what nothing in an account shows."""
    seen = by_check(examined(answers, {}))
    assert {check for check, states in seen.items() if states != [Status.OK] * len(states)} == NOT_SEEN.keys()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_nothing_else(answers: Answers, name: str) -> None:
    """What is broken turns wrong, with what mends it; every other check says what it said before."""
    fault = FAULTS[name]
    before = healthy(answers, fault)
    fault.plant(answers)
    found = examined(answers, fault.given)
    seen = by_check(found)
    wrong = {fault.wrong} if isinstance(fault.wrong, str) else set(fault.wrong)
    assert {check for check, states in seen.items() if Status.WRONG in states} == wrong
    assert all(Status.UNKNOWN in seen[check] for check in fault.unknown)
    assert not seen.keys() & set(fault.silent)
    others = before.keys() - wrong - {*fault.unknown, *fault.silent}
    assert {check: set(seen[check]) for check in others} == {check: set(before[check]) for check in others}
    mends = [one.finding.mend for one in found if isinstance(one.finding, Wrong)]
    assert any(fault.mend in one for one in mends), mends


def test_every_check_finds_a_fault() -> None:
    """Each check that can find something wrong does so in this table; storage on S3 Files is tried on ministack."""
    found = {
        one for fault in FAULTS.values() for one in ([fault.wrong] if isinstance(fault.wrong, str) else fault.wrong)
    }
    checks = {check_name(one) for group in GROUPS for one in group.checks}
    silent = {"zones", "efs-binary"}
    assert {one for one in checks - found - silent if not one.startswith("s3-")} == set()


def test_a_stack_that_is_not_there(answers: Answers) -> None:
    """It is wrong, and nothing else is looked at, which each group says."""
    found = list(examine(Aws(client), "another", Given({}), say=lambda _: None))
    assert by_check(found) == {
        "credentials": [Status.OK],
        "stack": [Status.WRONG],
        "all": [Status.UNKNOWN] * len(GROUPS),
    }
