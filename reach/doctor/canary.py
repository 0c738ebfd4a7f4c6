"""One container, started, reached and stopped: what no reading of an account can tell."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from core.client import ReachClient
from core.launch.request import Platform
from core.model.errors import CallFailed, ContainerExited, ContainerFailed, ContainerNotFound, WaitTimeout
from core.model.record import Record
from reach import FunctionRefused, NotFound
from reach.doctor.asking import Aws, denied
from reach.doctor.deployed import Deployed
from reach.doctor.findings import Finding, Reported, Status, ok, unknown, wrong
from reach.exits import remedy_of
from reach.showing.words import SHORT, duration
from reach.stack.functions import invoke

GROUP: Final = "canary"
IMAGE: Final = "public.ecr.aws/docker/library/busybox:stable"
LIFETIME: Final = 900
"""Seconds after which the stack itself stops it, should this process die before it can."""
_COMMAND: Final = ("sleep", str(LIFETIME))
"""Not a keep-alive command: the agent starts it, so that its flavor shows."""
_MARGIN: Final = 60
_SHOWN: Final = 90
"""Seconds that ECS may take to show the end of a task (backend.md "stop")."""
_ACTIONS: Final = {"Invoke": "lambda:InvokeFunction", "GetItem": "dynamodb:GetItem"}
"""The actions of the calls that a canary needs."""
_REASON: Final = "The canary of reach doctor is not needed any more."


@dataclass(frozen=True, slots=True)
class Canary:
    """A container of a new id. `functions`: a client of Lambda that waits for them. `say` takes what it waits for."""

    aws: Aws
    functions: Any
    stack: Deployed
    image: str
    platform: Platform
    say: Callable[[str], object]

    def life(self) -> Generator[Reported]:
        """Starts it, waits until its agent has answered, stops it, waits until it has ended.

        It is stopped whatever happens, at Ctrl-C too. Raises `CallFailed` when that is refused then.
        """
        container_id = secrets.token_hex(32)
        try:
            started = self._tried("canary-start", self._start, container_id)
            yield started
            if started.finding.status is Status.OK:
                yield self._tried("canary-reach", self._reach, container_id)
            yield self._tried("canary-end", self._end, container_id)
        except BaseException:
            self._stop(container_id)
            raise

    def _start(self, container_id: str) -> Finding:
        request = {
            "container_id": container_id,
            "generation": 1,  # so a repeated call is the same start
            "image": self.image,
            "cmd": list(_COMMAND),
            "platform": self.platform.value,
            "max_lifetime": LIFETIME,
            "labels": {"reach": "doctor"},
        }
        self.say(f"starting {container_id[:SHORT]}")
        try:
            answer = invoke(self.functions, self.stack.outputs["StartContainerFunctionArn"], request)
        except FunctionRefused as refused:
            return wrong("StartContainerFunction refuses it: {code}.", "{why}", code=refused.code, why=str(refused))
        return ok("{container} as {task}", container=container_id, task=answer.get("task_arn"))

    def _reach(self, container_id: str) -> Finding:
        attempts, start = self.stack.number("LaunchAttempts", 2), self.stack.number("StartTimeoutSeconds", 300)
        self.say(f"until the agent of {container_id[:SHORT]} has answered")
        try:
            seconds = attempts * start + self.stack.number("HealthTimeoutSeconds", 60) + _MARGIN
            record = self._client().wait_until_healthy(container_id, seconds).record
        except ContainerFailed as failed:
            return wrong(
                "{code}: {message}",
                "{remedy}",
                code=failed.failure.code,
                message=failed.failure.message,
                remedy=failed.failure.remedy or f"reach why {container_id[:SHORT]}",
            )
        except (ContainerExited, WaitTimeout) as ended:
            return wrong("{message}", f"reach why {container_id[:SHORT]}", message=str(ended))
        return self._judged(record)

    def _judged(self, record: Record) -> Finding:
        if record.warning is not None:
            return wrong("{message}", "{remedy}", message=record.warning.message, remedy=record.warning.remedy)
        seconds = (record.updated_at - record.created_at).total_seconds()
        return ok("{address} answered after {time}", address=record.agent_address, time=duration(seconds))

    def _end(self, container_id: str) -> Finding:
        self._stop(container_id)
        self.say(f"until {container_id[:SHORT]} has ended")
        seconds = self.stack.number("StopTimeoutSeconds", 30) + _SHOWN
        try:
            ended = self._client().wait_until_ended(container_id, seconds)
        except ContainerFailed as failed:
            return ok("its item shows {code}", code=failed.failure.code)
        except ContainerNotFound:
            return ok("no item: it was never recorded")
        except WaitTimeout as late:
            return wrong("{message}", f"reach why {container_id[:SHORT]}", message=str(late))
        return ok("its item shows the end, exit code {code}", code=ended.exit_code)

    def _stop(self, container_id: str) -> None:
        """One that was never recorded needs no stop."""
        function = self.stack.outputs["StopContainerFunctionArn"]
        with suppress(NotFound):
            invoke(self.functions, function, {"container_id": container_id, "reason": _REASON})

    def _client(self) -> ReachClient:
        from core.adapters.clients import reach_client  # noqa: PLC0415 - brings boto3

        return reach_client(self.stack.outputs["ContainersTableName"], self.aws.client("dynamodb"))

    def _tried(self, check: str, step: Callable[[str], Finding], container_id: str) -> Reported:
        """What a step finds. A call that is not allowed is no fault of the stack; a function that dies is."""
        try:
            return Reported(GROUP, check, step(container_id))
        except CallFailed as failed:
            reason = denied(failed.code, failed.message, _ACTIONS[failed.operation])
            if reason.permission or failed.unreached:
                return Reported(GROUP, check, unknown(reason))
            return Reported(GROUP, check, wrong("{message}", "{remedy}", message=str(failed), remedy=remedy_of(failed)))
