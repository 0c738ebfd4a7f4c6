"""The canary: what its life shows, and that it is stopped whatever happens."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from core.adapters.clock import SystemClock
from core.launch.parse import parse_start_request
from core.launch.request import Platform
from core.model.errors import CallFailed
from core.model.parts import AgentWarning
from core.model.record import Record
from core.storage.item import to_item
from reach.doctor.asking import Aws
from reach.doctor.canary import IMAGE, LIFETIME, Canary
from reach.doctor.deployed import Deployed
from reach.doctor.findings import Reported, Status, Unknown, Wrong
from tests.contract.table import create_containers_table
from tests.factories import at
from tests.moto_aws import ACCOUNT, REGION, client
from tests.records import exited, failed, healthy, resolved
from tests.unit.reach.doctor.answers import Refusal

START, STOP = "start", "stop"
REFUSED = {"error": {"code": "NotFound", "message": "There is none.", "remedy": "Start one."}}


@dataclass
class Functions:
    """Lambda with the two functions, which write the item that a life leaves behind.

    `started` and `stopped`: the record after each, None for none. `answer`: of the start.
    """

    started: Record | None = field(default_factory=healthy)
    stopped: Record | None = field(default_factory=exited)
    answer: dict[str, Any] = field(default_factory=lambda: {"container_id": "any", "task_arn": "arn:task"})
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        request = json.loads(Payload)
        self.calls.append((FunctionName, request))
        record, answer = (
            (self.started, self.answer)
            if FunctionName == START
            else (self.stopped, {"container_id": "any", "state": "any"})
        )
        if record is None:
            answer = self.answer if FunctionName == START else REFUSED
        else:
            put(replace(record, container_id=request["container_id"]))
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def put(record: Record) -> None:
    item = {name: TypeSerializer().serialize(value) for name, value in to_item(record).items()}
    client("dynamodb").put_item(TableName="containers", Item=item)


@pytest.fixture
def no_time_passes(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The items are of 2026, and sleeping takes no time."""
    passed = [0.0]
    monkeypatch.setattr(SystemClock, "now", lambda _: at(100))
    monkeypatch.setattr(SystemClock, "monotonic", lambda _: passed[0])
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: passed.append(passed.pop() + seconds))
    create_containers_table(client("dynamodb"), "containers")


def canary(functions: Any, say: Callable[[str], object] = lambda _: None) -> Canary:
    outputs = {
        "ContainersTableName": "containers",
        "StartContainerFunctionArn": START,
        "StopContainerFunctionArn": STOP,
    }
    stack = Deployed("reach", REGION, ACCOUNT, "aws", "CREATE_COMPLETE", {}, outputs)
    services = {"dynamodb": client("dynamodb")}
    return Canary(Aws(services.__getitem__), functions, stack, IMAGE, Platform.X86_64, say)


def statuses(found: list[Reported]) -> dict[str, Status]:
    return {one.check: one.finding.status for one in found}


pytestmark = pytest.mark.usefixtures("no_time_passes")


def test_a_whole_life() -> None:
    """It is started, reached and stopped; its item shows the end."""
    functions = Functions()
    found = list(canary(functions).life())
    assert statuses(found) == dict.fromkeys(["canary-start", "canary-reach", "canary-end"], Status.OK)
    [(first, request), (last, stop)] = functions.calls
    assert (first, last) == (START, STOP)
    assert stop["container_id"] == request["container_id"]


def test_its_request_is_one_that_the_stack_takes() -> None:
    """It ends by itself within a quarter of an hour, and has a child, which shows the flavor of its agent."""
    functions = Functions()
    list(canary(functions).life())
    request = parse_start_request(functions.calls[0][1])
    assert (request.image, request.max_lifetime) == (IMAGE, LIFETIME)
    assert request.cmd[0] == "sleep"


@pytest.mark.parametrize(
    ("functions", "check", "said"),
    [
        (Functions(started=failed()), "canary-reach", "did not answer within 60 s"),
        (Functions(started=exited(3)), "canary-reach", "exited with code 3"),
        (Functions(started=resolved()), "canary-reach", "was still eni-resolved"),
        (
            Functions(started=healthy(warning=AgentWarning("No child is shown.", "Check AgentFlavor."))),
            "canary-reach",
            "No child is shown.",
        ),
        (
            Functions(
                started=None,
                stopped=None,
                answer={"error": {"code": "LaunchFailed", "message": "No agent image.", "remedy": "Set it."}},
            ),
            "canary-start",
            "No agent image.",
        ),
        (Functions(stopped=healthy()), "canary-end", "was still agent-healthy"),
        (
            Functions(started=healthy(warning=AgentWarning("{0.__class__}", "Look at {nothing}."))),
            "canary-reach",
            "{0.__class__} Look at {nothing}.",
        ),
    ],
    ids=["unreachable", "exited", "late", "without a child", "refused", "does not end", "braces in a text"],
)
def test_what_goes_wrong_is_found(functions: Functions, check: str, said: str) -> None:
    """The step that goes wrong says why and what to do, and the container is stopped."""
    found = list(canary(functions).life())
    [finding] = [one.finding for one in found if isinstance(one.finding, Wrong)]
    assert said in f"{finding.what} {finding.mend}"
    assert finding.mend
    assert statuses(found)[check] is Status.WRONG
    assert functions.calls[-1][0] == STOP


@pytest.mark.parametrize("moment", ["starting", "until the agent", "until"])
def test_ctrl_c_leaves_nothing(moment: str) -> None:
    """It is stopped whenever the command is interrupted, also before the start was answered."""
    functions = Functions()

    def interrupt(what: str) -> None:
        if what.startswith(moment):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(canary(functions, interrupt).life())
    assert functions.calls[-1][0] == STOP


def test_a_reader_that_goes_away_leaves_nothing() -> None:
    """Closing the findings stops the container, as an error while they are printed does."""
    functions = Functions()
    life = canary(functions).life()
    next(life)
    life.close()
    assert [name for name, _ in functions.calls] == [START, STOP]


@dataclass
class Denying:
    """Lambda that allows nothing."""

    code: str

    def invoke(self, **_: Any) -> dict[str, Any]:
        refusal = Refusal(self.code, "You may not.")
        raise ClientError(refusal.answer, "Invoke")  # type: ignore[arg-type]  # as much of an answer as is read


def test_a_canary_that_may_not_be_started() -> None:
    """The permission is named, and the stack is not called wrong."""
    found = list(canary(Denying("AccessDeniedException")).life())
    assert statuses(found) == {"canary-start": Status.UNKNOWN, "canary-end": Status.UNKNOWN}
    assert {one.finding.permission for one in found if isinstance(one.finding, Unknown)} == {"lambda:InvokeFunction"}


def test_a_function_that_cannot_run_is_wrong() -> None:
    """A call that fails for another reason than permission is a fault of the stack."""
    found = list(canary(Denying("ResourceNotFoundException")).life())
    assert statuses(found)["canary-start"] is Status.WRONG


def test_an_interrupted_canary_that_cannot_be_stopped_says_so() -> None:
    """The error of the stop is shown, so that the operator stops it by hand."""

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(CallFailed, match="Invoke failed"):
        list(canary(Denying("AccessDeniedException"), interrupt).life())
