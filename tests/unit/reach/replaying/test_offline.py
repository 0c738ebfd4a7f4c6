from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from core.model.policy import Policy
from core.model.state import State
from reach.replaying.offline import Offline, withheld
from reach.replaying.reading import Found
from reach.replaying.step import Outcome, Step, task_of
from tests.factories import CONTAINER_ID, event, observed
from tests.template import Resolved, load_template

RUNNING = event("task-running")
LEAVING = event("task-deprovisioning")
STOPPED = event("task-stopped")


def machine(**options: Any) -> Offline:
    return Offline(prefix="sockerless", **options)


def fed(one: Offline, *events: Any) -> list[Step]:
    return [one.feed(Found(f"event {number}", document)) for number, document in enumerate(events, start=1)]


def changed(document: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**document, "detail": {**document["detail"], **members}}


def test_a_life_is_shown_step_by_step() -> None:
    """Each event with what it proved, what the record learnt from it, and what is pending then."""
    offline = machine()
    up, end = fed(offline, RUNNING, STOPPED)
    assert (up.outcome, up.state, up.task) == (Outcome.MOVED, "eni-resolved", "RUNNING v3")
    assert [str(one.trigger) for one in up.transitions] == ["task-started", "address-resolved"]
    assert up.changes["agent_address"] == (None, "10.0.1.47:9111")
    assert up.changes["timings.started"] == (None, "2026-11-23T10:00:28.000Z")
    assert up.pending == ("ask the agent at 10.0.1.47:9111",)
    assert (end.state, end.changes["stop.exit_code"]) == ("stopped", (None, 0))
    assert end.changes["agent_address"] == ("10.0.1.47:9111", None)
    assert offline.records()[CONTAINER_ID].state is State.STOPPED


def test_every_ignored_event_has_its_reason() -> None:
    """Late, repeated, foreign, unreadable and withheld events each have the reason of the part that ignores them."""
    broken = Found("file:3", problem="This is no JSON: Extra data.")
    offline = machine()
    offline.feed(Found("first", STOPPED))
    steps = [
        *fed(offline, STOPPED, RUNNING, event("ignored-service-task"), event("malformed-without-version"),
             event("ignored-activating")),
        offline.feed(broken),
    ]  # fmt: skip
    assert [(one.outcome, one.why) for one in steps] == [
        (Outcome.IGNORED, "version 5 is not newer than 5"),
        (Outcome.IGNORED, "version 3 is not newer than 5"),
        (Outcome.NOT_OURS, "startedBy is not sockerless/<container id>/<generation>"),
        (Outcome.MALFORMED, "The task document is not usable: version: Field required."),
        (Outcome.WITHHELD, "the rule lets through lastStatus RUNNING, and desiredStatus STOPPED"),
        (Outcome.MALFORMED, "This is no JSON: Extra data."),
    ]


@pytest.mark.parametrize("order", list(permutations([RUNNING, LEAVING, STOPPED])))
def test_every_order_ends_alike(order: tuple[dict[str, Any], ...]) -> None:
    """The machine of the stack decides, so no order of delivery changes the end."""
    offline = machine()
    fed(offline, *order)
    record = offline.records()[CONTAINER_ID]
    assert (record.state, record.stop and record.stop.exit_code, record.task_version) == (State.STOPPED, 0, 5)


def test_time_does_not_run_backwards() -> None:
    """A late event counts as known when it came: after the one before it."""
    offline = machine(every_event=True)
    steps = fed(offline, STOPPED, RUNNING)
    assert steps[1].at == steps[0].at


def test_every_event_can_be_fed() -> None:
    """Without the rule the record learns from PROVISIONING on, as it would if the pattern let it through."""
    steps = fed(machine(every_event=True), event("ignored-provisioning"), event("ignored-pending"), RUNNING)
    assert [one.outcome for one in steps] == [Outcome.LEARNT, Outcome.LEARNT, Outcome.MOVED]


def test_early_probe_is_pending_at_pending() -> None:
    """With EarlyProbe the rule lets PENDING through, and the probe of its address is pending."""
    [step] = fed(machine(policy=Policy(early_probe=True)), event("ignored-pending"))
    assert (step.outcome, step.state) == (Outcome.LEARNT, "pending")
    assert step.pending == ("ask the agent at 10.0.1.47:9111",)


def test_agents_can_be_made_to_answer() -> None:
    """With `agent_answers` a life reaches agent-healthy."""
    up, end = fed(machine(agent_answers=True), RUNNING, STOPPED)
    assert [str(one.to) for one in up.transitions] == ["task-running", "eni-resolved", "agent-healthy"]
    assert [str(one.origin) for one in end.transitions] == ["agent-healthy"]


def test_after_a_failed_launch_another_is_pending() -> None:
    """The next launch is shown and not performed."""
    [step] = fed(machine(), event("task-failed-image-pull"))
    assert step.transitions
    assert step.state in ("pending", "failed")
    assert all(pending.startswith("launch the task again") for pending in step.pending)


def test_a_new_generation_begins_a_new_record() -> None:
    """The container was started again: its old record gives way, and the old task's events are stale."""
    again = changed(RUNNING, startedBy=f"sockerless/{CONTAINER_ID}/2", taskArn="arn:aws:ecs:x:1:task/default/other")
    offline = machine()
    steps = fed(offline, STOPPED, again, STOPPED)
    assert [one.state for one in steps] == ["stopped", "eni-resolved", "eni-resolved"]
    assert steps[2].why == "it concerns generation 1, and the record is at 2"
    assert offline.records()[CONTAINER_ID].generation == 2


def test_containers_have_records_of_their_own() -> None:
    """Events of several containers may be mixed."""
    other = "5e" * 32
    offline = machine()
    fed(offline, changed(RUNNING, startedBy=f"sockerless/{other}/1"), STOPPED)
    assert {one: record.state for one, record in offline.records().items()} == {
        other: State.ENI_RESOLVED,
        CONTAINER_ID: State.STOPPED,
    }


def test_no_step_shows_an_override() -> None:
    """Overrides carry the token: nothing of them is in a step."""
    leaky = changed(RUNNING, overrides={"containerOverrides": [{"name": "main", "environment": [
        {"name": "SOCKERLESS_AGENT_TOKEN", "value": "hush-hush"}]}]})  # fmt: skip
    malformed = {**leaky, "detail": {name: one for name, one in leaky["detail"].items() if name != "version"}}
    steps = fed(machine(), leaky, malformed)
    assert "hush-hush" not in repr(steps) + repr([step.document() for step in steps])


@pytest.mark.parametrize("early", [False, True])
def test_the_rule_is_the_template_s(early: bool) -> None:
    """An event is withheld offline if and only if the pattern in template.yaml does not match it."""
    template = load_template()
    resolved = Resolved(template, EarlyProbe="on" if early else "off")
    pattern = resolved.value(template["Resources"]["TaskStateRule"]["Properties"]["EventPattern"])
    passing, stopping = pattern["detail"]["$or"]
    for status in ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "STOPPING", "STOPPED"):
        for desired in ("RUNNING", "STOPPED"):
            task = observed(3, status, desired)
            matches = status in passing["lastStatus"] or desired in stopping["desiredStatus"]
            assert (withheld(task, early_probe=early) is None) is matches


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (RUNNING, "RUNNING v3"),
        (changed(RUNNING, desiredStatus="STOPPED"), "RUNNING (to be STOPPED) v3"),
        (STOPPED, "STOPPED v5"),
        ({"detail": {"version": "x"}}, ""),
        (None, ""),
    ],
)
def test_what_is_shown_of_a_task(document: Any, expected: str) -> None:
    """`task_of` gives status and version of any document."""
    assert task_of(document) == expected
