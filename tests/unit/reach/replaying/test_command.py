from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reach.app import main
from tests.factories import CONTAINER_ID, EVENTS, TOKEN, event

RUNNING = str(EVENTS / "task-running.json")
STOPPED = str(EVENTS / "task-stopped.json")
FOREIGN = str(EVENTS / "ignored-service-task.json")


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The document of `--output json`."""
    main(["events", "replay", "--output", "json", *arguments])
    return json.loads(capsys.readouterr().out)


def written(directory: Path, *documents: Any) -> str:
    file = directory / "events.jsonl"
    file.write_text("\n".join(json.dumps(one) for one in documents))
    return str(file)


def test_a_life_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """Every step with its time, its transitions and their triggers; then how the container ended."""
    assert main(["events", "replay", RUNNING, RUNNING, STOPPED]) == 0
    shown = capsys.readouterr().out
    assert "pending -> task-running -> eni-resolved  (task-started, address-resolved)" in shown
    assert "agent_address: 10.0.1.47:9111\n" in shown
    assert "version 3 is not newer than 3" in shown
    assert "2026-11-23T10:05:38.150Z" in shown
    assert f"{CONTAINER_ID}  generation 1: stopped, exit code 0" in shown
    assert "Events: 3; 2 moved, 1 ignored" in shown


def test_an_end_with_a_cause_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """A container that ran and was killed for its memory says so."""
    assert main(["events", "replay", str(EVENTS / "task-out-of-memory.json")]) == 0
    shown = capsys.readouterr().out
    assert "stop.oom_killed: True" in shown
    assert "generation 1: stopped, exit code 137 (out-of-memory)" in shown


def test_a_failure_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """The end of a container that failed has its code, its cause and the remedy."""
    assert main(["events", "replay", str(EVENTS / "task-failed-agent-missing.json")]) == 0
    shown = capsys.readouterr().out
    assert "(agent-binary-missing)" in shown
    assert "What to do: " in shown


def test_a_life_for_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON document: the steps, and the items as in the table but for the token."""
    document = replayed(capsys, RUNNING, STOPPED)
    assert document["prefix"] == "sockerless"
    assert "seed" not in document
    assert [step["state"] for step in document["steps"]] == ["eni-resolved", "stopped"]
    assert document["steps"][0]["transitions"][0] == {
        "from": "pending",
        "to": "task-running",
        "trigger": "task-started",
    }
    item = document["containers"][CONTAINER_ID]
    assert (item["state"], item["stop"]["exit_code"]) == ("stopped", 0)
    assert "agent_token" not in item


def test_malformed_events_make_it_1(capsys: pytest.CaptureFixture[str]) -> None:
    """A script sees that not everything was understood; the rest was replayed all the same."""
    assert main(["events", "replay", str(EVENTS / "malformed-without-version.json"), RUNNING]) == 1
    shown = capsys.readouterr().out
    assert "version: Field required" in shown
    assert "malformed-without-version.json:1" in shown
    assert "eni-resolved" in shown


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["/dev/null"], "There is no event in"),
        (["no-such-file.json"], "no-such-file.json: No such file"),
    ],
)
def test_nothing_to_replay_is_2(capsys: pytest.CaptureFixture[str], arguments: list[str], why: str) -> None:
    """A replay without an event prints the reason on standard error."""
    assert main(["events", "replay", *arguments]) == 2
    assert why in capsys.readouterr().err


def test_two_stacks_need_a_prefix(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The events decide, unless there is more than one answer; then --prefix does."""
    green = event("task-running")
    green["detail"]["startedBy"] = f"green/{CONTAINER_ID}/1"
    both = written(tmp_path, green, event("task-running"))
    assert main(["events", "replay", both]) == 2
    assert "--prefix" in capsys.readouterr().err
    document = replayed(capsys, both, "--prefix", "green")
    assert [step["outcome"] for step in document["steps"]] == ["moved", "not-ours"]


def test_foreign_tasks_are_adopted_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --adopt they are not ours; with it, any production capture is a life."""
    assert [step["outcome"] for step in replayed(capsys, FOREIGN)["steps"]] == ["not-ours"]
    [step] = replayed(capsys, FOREIGN, "--adopt")["steps"]
    assert step["state"] == "eni-resolved"


def test_a_disorder_can_be_had_again(capsys: pytest.CaptureFixture[str]) -> None:
    """A drawn seed is printed; with it the same events come in the same order."""
    disorder = ["--shuffle", "--duplicate", "0.5", "--drop", "0.2"]
    drawn = replayed(capsys, str(EVENTS), "--prefix", "sockerless", *disorder)
    assert replayed(capsys, str(EVENTS), "--prefix", "sockerless", *disorder, "--seed", str(drawn["seed"])) == drawn
    main(["events", "replay", RUNNING, "--shuffle", "--seed", "7"])
    assert "--seed 7" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["1.5", "-0.1", "often", "nan"])
def test_a_probability_is_from_0_to_1(capsys: pytest.CaptureFixture[str], value: str) -> None:
    """Anything else is a mistake of the command line, and nothing is replayed."""
    assert main(["events", "replay", RUNNING, f"--drop={value}"]) == 2
    shown = capsys.readouterr()
    assert "Invalid value for '--drop'" in shown.err
    assert shown.out == ""


def test_no_value_of_an_override_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The values of overrides are neither in the text nor in the JSON, of a malformed event neither."""
    leaky = event("task-running")
    leaky["detail"]["overrides"]["containerOverrides"][0]["environment"][1]["value"] = TOKEN
    malformed = {**leaky, "detail": {**leaky["detail"], "version": TOKEN, "lastStatus": [TOKEN]}}
    file = written(tmp_path, leaky, malformed)
    main(["events", "replay", file])
    main(["events", "replay", file, "--output", "json"])
    shown = capsys.readouterr()
    assert TOKEN not in shown.out + shown.err


def test_help_names_exit_codes_and_forms(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` names the exit codes, the forms of input and the options."""
    assert main(["events", "replay", "--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("exit codes", "receive-message", "operations.md", "--adopt", "--seed"):
        assert word in shown
