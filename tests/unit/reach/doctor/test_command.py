"""`reach doctor` on the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reach.app import main
from reach.commands import doctor
from reach.doctor.examination import GROUPS
from tests.moto_aws import REGION
from tests.unit.reach.doctor.answers import Answers, Refusal, client
from tests.unit.reach.doctor.faults import FAULTS


@pytest.fixture
def account(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """The command finds a healthy account."""
    monkeypatch.setattr(doctor, "aws_clients", lambda **_: client)
    return answers


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["doctor", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_healthy_account_is_0(account: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    """Each finding below its group, and how many there are of each; what could not be checked is no failure."""
    code, out, err = ran(capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [one for one in lines if not one.startswith(" ")][:-1] == ["account", *(group.name for group in GROUPS)]
    assert "  ok    cluster                 work" in lines
    assert lines[-1].endswith("0 wrong, 3 could not be checked")


def test_a_fault_is_1(account: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong is said with what to do."""
    FAULTS["rule disabled"].plant(account)
    code, out, _ = ran(capsys)
    assert code == 1
    rule = account.account.outputs["TaskStateRuleName"]
    lines = out.splitlines()
    wrong = lines.index(f"  wrong rule                    The rule {rule} is DISABLED, so no event arrives.")
    assert lines[wrong + 1].split() == f"What to do: aws events enable-rule --name {rule}".split()
    assert "1 wrong" in lines[-1]


def test_one_document(account: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    """Every finding with its facts, what mends it or what it lacks, and how many there are of each."""
    FAULTS["rule disabled"].plant(account)
    code, out, _ = ran(capsys, "--output", "json")
    document = json.loads(out)
    assert code == 1
    assert (document["stack"], document["region"]) == ("sockerless-reach", REGION)
    [rule] = [one for one in document["findings"] if one["check"] == "rule"]
    name = account.account.outputs["TaskStateRuleName"]
    assert rule == {
        "group": "events",
        "check": "rule",
        "status": "wrong",
        "what": f"The rule {name} is DISABLED, so no event arrives.",
        "mend": f"aws events enable-rule --name {name}",
        "permission": None,
        "facts": {"rule": name, "state": "DISABLED"},
    }
    statuses = [one["status"] for one in document["findings"]]
    assert document["summary"] == {one: statuses.count(one) for one in ("ok", "wrong", "could not check")}


def test_what_is_lacking_is_named(account: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    """A denied call is no fault of the account: the permission is named, and the code is 0."""

    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise Refusal("AccessDenied", "You may not.")

    account.by_operation["DescribeClusters"] = refuse
    code, out, _ = ran(capsys)
    assert code == 0
    lines = out.splitlines()
    found = lines.index("  ?     cluster                 AccessDenied: You may not.")
    assert lines[found + 1].strip() == "Lacks: ecs:DescribeClusters"


def test_one_group_alone(account: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    """--only asks AWS about that group, beside account and stack."""
    account.asked.clear()
    code, out, _ = ran(capsys, "--only", "events")
    assert code == 0
    assert [one for one in out.splitlines() if not one.startswith(" ")][:-1] == ["account", "events"]
    assert {service for service, _ in account.asked} == {
        "cloudformation",
        "cloudwatch",
        "events",
        "lambda",
        "sqs",
        "sts",
    }


def test_the_groups_of_the_option_are_those_of_the_examination() -> None:
    """None is forgotten."""
    assert [one.value for one in doctor.Concern] == [group.name for group in GROUPS]


def test_the_backend(account: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    """Given its group or its addresses, the doctor says whether it reaches agents."""
    code, out, _ = ran(capsys, "--backend-security-group", account.account.ids["backend"], "--only", "network")
    assert code == 0
    assert f"TCP 9111 from {account.account.ids['backend']}" in out
    code, out, _ = ran(capsys, "--backend-cidr", "10.2.0.0/16", "--only", "network")
    assert code == 1
    assert "--cidr 10.2.0.0/16" in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--backend-cidr", "10.2.0.1/16"], "host bits set"),
        (["--backend-cidr", "anything"], "does not appear to be"),
        (["--backend-cidr", "10.2.0.0/16", "--backend-security-group", "sg-1"], "exclude each other"),
        (["--only", "weather"], "weather"),
    ],
)
def test_a_wrong_command_line_is_2(
    account: Answers, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    """It is refused before AWS is asked."""
    account.asked.clear()
    code, out, err = ran(capsys, *arguments)
    assert (code, out) == (2, "")
    assert why in err
    assert account.asked == set()


def test_the_help_fits_a_screen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Some 50 lines of 80 columns: a screen, or a page of less."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = ran(capsys, "--help")
    assert code == 0
    assert len(out.splitlines()) <= 52
    assert max(map(len, out.splitlines())) <= 80
