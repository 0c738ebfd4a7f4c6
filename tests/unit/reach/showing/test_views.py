from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest

from core.client import Loaded
from core.model.errors import UnreadableRecord
from core.model.failure import Cause
from core.model.parts import Instant, Stop, UnexplainedEnd
from core.model.record import Record
from reach.showing import documents, why
from reach.showing.listing import listing
from reach.showing.story import story, truths
from tests.factories import ADDRESS, CONTAINER_ID, TOKEN, at, pending
from tests.records import complete, exited, failed, healthy, resolved, running

RECORDS = [pending(), running(), resolved(), healthy(), failed(), exited(3), complete()]
NOW: datetime = at(100)
by_state = pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.state)


def shown(record: Record) -> str:
    return "\n".join(line.plain for line in why.lines(story(record, NOW), bar="="))


def rows(*records: Record, unreadable: tuple[UnreadableRecord, ...] = ()) -> list[str]:
    loaded = Loaded({str(number): record for number, record in enumerate(records)}, unreadable)
    return [line.plain for line in listing(loaded, NOW)]


@by_state
def test_no_view_shows_the_token(record: Record) -> None:
    """Only `inspect --show-token` does."""
    given = replace(record, agent_token=TOKEN)
    assert TOKEN in json.dumps(documents.document(given, token=True))
    views = [
        shown(given),
        json.dumps(story(given, NOW)),
        *rows(given),
        json.dumps(documents.document(given)),
        json.dumps(documents.documents(Loaded({CONTAINER_ID: given}))),
        *documents.lines(documents.document(given)),
    ]
    assert not any(TOKEN in view for view in views)


def test_a_row_says_what_came_of_it() -> None:
    """The address may be trusted in agent-healthy alone; an end shows its exit code, a failure its code and cause."""
    failure = failed().error
    assert failure
    ends = [row.split("http.server")[1].strip() for row in rows(*RECORDS)[1:-1]]
    assert ends == ["-", "-", "-", ADDRESS, "AgentUnreachable", "exit code 3"]
    assert rows(failed(error=replace(failure, cause=Cause.PERMISSION)))[1].endswith("AgentUnreachable (permission)")
    assert rows(exited(stop=None))[1].endswith("exit code unknown")


def test_a_row_says_since_when() -> None:
    """The last transition, or the record of the start."""
    assert " 1 min 40 s " in rows(pending())[1]
    assert " 1 min 8 s " in rows(healthy())[1]
    assert "agent-healthy (stopping)" in rows(complete())[1]


def test_an_item_that_cannot_be_read_is_listed() -> None:
    """It may be a live container."""
    assert "schema 2" in rows(unreadable=(UnreadableRecord(CONTAINER_ID, "it has schema 2"),))[-1]


def test_the_lines_of_inspect() -> None:
    """A line for each thing that is known, with the names of JSON."""
    lines = list(documents.lines(documents.document(healthy(labels={"a\nb": "c"}))))
    assert any(line.split() == ["agent_address", ADDRESS] for line in lines)
    assert any(line.split() == ["timings.healthy", "2026-11-23T10:00:32.000Z"] for line in lines)
    assert any(line.split() == ["labels.a\\nb", "c"] for line in lines)
    assert not any("exit_code" in line for line in lines)


def test_why_of_a_failure() -> None:
    """Code, cause, message, remedy, and whether the same request may succeed."""
    failure = failed().error
    assert failure
    text = shown(failed(error=replace(failure, cause=Cause.THROTTLED, transient=True)))
    assert "AgentUnreachable (throttled)\nBecause: The agent at 10.0.1.47:9111 did not answer" in text
    assert "\nWhat to do: Check that the security group lets TCP 9111 in.\nThe same request may succeed later" in text


def test_why_of_a_healthy_container() -> None:
    """What the item proves, and no more: the agent answered once."""
    text = shown(healthy())
    assert f"The agent at {ADDRESS} answered 32 s after the start, at 2026-11-23T10:00:32.000Z." in text
    assert "It answered once" in text
    assert "What to do" not in text


def test_why_of_a_start() -> None:
    """What it waits for, and what to check."""
    assert "check that the task's security group lets the agent's TCP port in" in shown(resolved())


def test_why_of_an_end() -> None:
    """Exit code, instant, diagnosis and ECS's words."""
    assert "ran and ended with code 3 at 2026-11-23T10:00:39.000Z. ECS says: Essential container" in shown(exited(3))
    killed = Stop(exit_code=137, oom_killed=True, cause=Cause.OUT_OF_MEMORY)
    assert "code 137" in shown(exited(stop=killed))
    assert "(out-of-memory). It was killed for the memory it used." in shown(exited(stop=killed))
    assert "ended with an unknown code" in shown(exited(stop=None))


def test_why_has_the_warning_and_the_earlier_launches() -> None:
    """What is wrong although the agent answers; and each launch that was given up, with its own diagnosis."""
    text = shown(complete())
    warning, launches = complete().warning, complete().launches
    assert warning
    assert f"Warning: {warning.message}\nWhat to do: {warning.remedy}" in text
    assert all(f"Launch {number} was given up" in text for number in range(1, len(launches) + 1))
    assert f"LaunchFailed (capacity)\nBecause: {launches[0].failure.message}" in text


def test_why_says_what_ends_a_healthy_container() -> None:
    """A stop that is under way or recorded, a limit of its life, a process that may have exited unseen."""
    text = "\n".join(truths(complete(unexplained=None), NOW))
    assert all(words in text for words in ("on its way out", "max_lifetime", "keep_alive", "ExitCheckSeconds"))
    assert any("ECS has not confirmed it yet" in one for one in truths(healthy(stop=Stop(requested=True)), NOW))


def test_why_of_an_end_that_is_not_explained_yet() -> None:
    """The state stays for seconds, and the address is gone: nothing is said of an agent."""
    record = resolved(unexplained=UnexplainedEnd(at(40), "main"), agent_address=None)
    assert truths(record, NOW) == [
        "Its end is known. Its output is read next, which decides between stopped and failed."
    ]


def test_bars_have_the_scale_of_the_start() -> None:
    """A container that was up for hours does not make its start invisible, and its bar says that it is longer."""
    bars = {line.split()[0]: line.count("=") for line in shown(healthy()).splitlines() if "=" in line}
    assert bars == {"RunTask": 1, "network": why.WIDTH, "address": 1, "agent": 3, "up": why.WIDTH}
    assert any(line.endswith("=>") for line in shown(healthy()).splitlines())
    assert "=" not in shown(healthy(timings={Instant.CREATED: at(0)})).splitlines()[3]


def test_what_a_user_wrote_does_not_steer_the_terminal() -> None:
    """An image, a message and a reason are one line each, without escapes."""
    failure = failed().error
    assert failure
    hostile = failed(image="x\x1b[2J", error=replace(failure, message="a\nb\x1b]0;t\x07"))
    assert "\x1b" not in shown(hostile) + "".join(rows(hostile))
    assert "Because: a\\nb\\x1b]0;t\\x07" in shown(hostile)
