"""Starting a container: record it, make sure of its task definition, run the task, save the task's ARN.

Every call may be the last one this function makes. A retry finds the `pending` record, uses the same generation and
token, and RunTask's client token, derived from both, makes it the same task (facts, surprise 14).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.errors import CallFailed, ErrorCode, Failure, Refused, RevisionConflict
from core.facts import LaunchAccepted, LaunchRejected
from core.lifecycle import State
from core.owed import schedule
from core.plan import LaunchPlan, plan_launch
from core.ports import Clock, Ecs, Store
from core.record import Record
from core.request import parse_start_request
from core.request_model import StartRequest
from core.settings import Settings
from core.settle import Settled, Settler


@dataclass(frozen=True, slots=True)
class Starter:
    """Carries out start requests."""

    store: Store
    ecs: Ecs
    settler: Settler
    settings: Settings
    clock: Clock
    new_token: Callable[[], str]

    def start(self, document: object) -> Settled:
        """The settled record of a started container.

        Raises `Refused` for a request that cannot be carried out (nothing written) and for a launch that AWS refused
        (the record says `failed`); `CallFailed` when it is not known whether the task was started.
        """
        request = parse_start_request(document)
        record, plan = self._record(request)
        try:
            definition = self.ecs.ensure_definition(plan.definition)
            launched = self.ecs.run({**plan.run, "taskDefinition": definition})
        except CallFailed as failed:
            if failed.uncertain:
                raise
            raise self._rejected(record, failed) from failed
        accepted = LaunchAccepted(
            container_id=record.container_id,
            generation=record.generation,
            at=self.clock(),
            task_arn=launched.task_arn,
            task_definition_arn=launched.task_definition_arn,
            cluster_arn=launched.cluster_arn,
        )
        # An event of the task may have been here first: then the ARN is known, and this fact is stale.
        return self.settler.settle(accepted, known=record)

    def _record(self, request: StartRequest) -> tuple[Record, LaunchPlan]:
        """The pending record of this start, saved, and what to launch. Two starters end with the same record."""
        known = self.store.load(request.container_id)
        while True:
            if known is not None and _interrupted(known):
                return known, self._plan(request, known)
            if known is not None and not known.state.ended:
                raise _already_running(known)
            record = self._new(request, known)
            plan = self._plan(request, record)
            record = _with_plan(record, plan)
            try:
                self.store.save(record)
            except RevisionConflict as conflict:
                known = conflict.current or self.store.load(request.container_id)
                continue
            return record, plan

    def _new(self, request: StartRequest, previous: Record | None) -> Record:
        now = self.clock()
        record = Record(
            container_id=request.container_id,
            state=State.PENDING,
            generation=previous.generation + 1 if previous else 1,
            revision=previous.revision + 1 if previous else 1,
            created_at=now,
            updated_at=now,
            cluster_arn=self.settings.cluster_arn,
            image=request.image,
            entrypoint=request.entrypoint,
            cmd=request.cmd,
            agent_token=self.new_token(),
        )
        return schedule(record, self.settings.policy, now)

    def _plan(self, request: StartRequest, record: Record) -> LaunchPlan:
        return plan_launch(request, self.settings, token=record.agent_token or "", generation=record.generation)

    def _rejected(self, record: Record, failed: CallFailed) -> Refused:
        failure = Failure(ErrorCode.LAUNCH_FAILED, f"{failed}", failed.remedy, failed.cause, transient=failed.transient)
        fact = LaunchRejected(
            container_id=record.container_id, generation=record.generation, at=self.clock(), failure=failure
        )
        settled = self.settler.settle(fact, known=record)
        # Another starter of the same generation may have got its task after all.
        if settled.record is not None and settled.record.task_arn is not None:
            return _already_running(settled.record)
        return Refused(failure)


def _interrupted(record: Record) -> bool:
    """A start that died before it saved a task: the same start again goes on where it broke off."""
    return record.state is State.PENDING and record.task_arn is None and record.stop is None


def _already_running(record: Record) -> Refused:
    return Refused(
        Failure(
            ErrorCode.ALREADY_RUNNING,
            f"Container {record.container_id} is {record.state} in generation {record.generation}.",
            "Stop it first, or wait until it has ended; then start it again.",
        )
    )


def _with_plan(record: Record, plan: LaunchPlan) -> Record:
    return replace(record, injection=plan.injection, keep_alive=plan.keep_alive)
