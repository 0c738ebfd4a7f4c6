"""Starting a container: record it, make sure of its task definition, run the task, save the task's ARN.

Every call may be the last one this function makes. A retry finds the `pending` record, uses the same generation and
token, and RunTask's client token, derived from both, makes it the same task (facts, surprise 14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.errors import CallFailed, DefinitionGone, ErrorCode, Failure, Refused
from core.facts import LaunchAccepted, LaunchRejected
from core.lifecycle import State
from core.looking import Looker
from core.owed import schedule
from core.plan import LaunchPlan, plan_launch
from core.ports import Clock, Ecs, Launched, RevisionConflict, Store, TokenVault
from core.record import Record
from core.request import parse_start_request
from core.request_model import StartRequest
from core.settings import Settings
from core.settle import Settled, Settler

PAUSE: Final = 1.0
"""Seconds before a launch that ECS refused is tried again: capacity comes back in moments or not at all."""


@dataclass(frozen=True, slots=True)
class Starter:
    """Carries out start requests."""

    store: Store
    ecs: Ecs
    vault: Callable[[], TokenVault]
    settler: Settler
    looker: Looker
    settings: Settings
    clock: Clock
    sleep: Callable[[float], object]
    new_token: Callable[[], str]
    told: Callable[[Settled], None] = lambda _: None
    """Hears of a launch that AWS refused: the caller only gets the refusal."""
    untagged: Callable[[Record, Sequence[str]], None] = lambda _, __: None
    """Hears of labels that AWS does not take as tags, by name: the container starts without them."""

    def start(self, document: object) -> Settled:
        """The settled record of a started container.

        Raises `Refused` for a request that cannot be carried out (nothing written) and for a launch that AWS refused
        (the record says `failed`); `CallFailed` when it is not known whether the task was started.
        """
        request = parse_start_request(document)
        record = self._record(request)
        while True:
            try:
                launched = self._launch(request, record)
            except CallFailed as failed:
                if failed.uncertain:
                    raise
                if failed.code == "ConflictException":
                    return self._adopt(record, failed)
                record = self._another(record, failed)
                self.sleep(PAUSE)
                continue
            return self._accepted(record, launched)

    def _launch(self, request: StartRequest, record: Record) -> Launched:
        plan = self._plan(request, record)
        if plan.untagged_labels:
            self.untagged(record, plan.untagged_labels)
        if plan.secret_name is not None and record.agent_token is not None:
            self.vault().put(plan.secret_name, record.agent_token)
        definition = self.ecs.ensure_definition(plan.definition)
        try:
            return self.ecs.run({**plan.run, "taskDefinition": definition})
        except DefinitionGone:
            # Retired since this function last saw it (core.retiring). The refused call used up no client token.
            definition = self.ecs.ensure_definition(plan.definition, refused=definition)
            return self.ecs.run({**plan.run, "taskDefinition": definition})

    def _accepted(self, record: Record, launched: Launched) -> Settled:
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

    def _another(self, record: Record, failed: CallFailed) -> Record:
        """The record of the next launch. Raises `Refused` when there is to be none."""
        failure = failed.as_launch_failure()
        rejected = LaunchRejected(
            container_id=record.container_id,
            generation=record.generation,
            at=self.clock(),
            attempt=record.attempt,
            failure=failure,
        )
        settled = self.settler.settle(rejected, known=record)
        self.told(settled)
        if settled.record is None or settled.record.state is State.FAILED:
            raise Refused(failure) from failed
        if not _unlaunched(settled.record):
            # Another starter of the same generation has got its task after all.
            raise _already_running(settled.record) from failed
        return settled.record

    def _adopt(self, record: Record, failed: CallFailed) -> Settled:
        """The same client token with other parameters: an earlier try of this start has its task already."""
        for known, fact in self.looker.look([record]):
            settled = self.settler.settle(fact, known=known)
            if settled.record is not None and settled.record.task_arn is not None:
                return settled
        raise failed

    def _record(self, request: StartRequest) -> Record:
        """The pending record of this start, saved. Two starters end with the same record."""
        known = self.store.load(request.container_id)
        while True:
            if known is not None and not known.state.ended and not _unlaunched(known):
                raise _already_running(known)
            record = self._described(request, self._to_fill(request, known))
            if record == known:
                return record
            if known is not None and known.state.ended:
                # What the last generation is owed would be forgotten with it: the stop of its task, its secret.
                known = self.settler.settle(known=known).record or known
                record = replace(record, revision=known.revision + 1)
            try:
                self.store.save(record)
            except RevisionConflict as conflict:
                if conflict.current == record:
                    return record
                known = conflict.current or self.store.load(request.container_id)
                continue
            return record

    def _to_fill(self, request: StartRequest, known: Record | None) -> Record:
        """A start that died before it saved a task goes on with its generation and token; any other is a new one."""
        now = self.clock()
        if known is not None and not known.state.ended:
            return known
        return Record(
            container_id=request.container_id,
            state=State.PENDING,
            generation=known.generation + 1 if known else 1,
            revision=known.revision if known else 0,
            created_at=now,
            updated_at=now,
            cluster_arn=self.settings.cluster_arn,
            agent_token=self.new_token(),
        )

    def _described(self, request: StartRequest, record: Record) -> Record:
        """The record with what the request says, planned through: what cannot be launched is refused unwritten."""
        plan = self._plan(request, record)
        described = replace(
            record,
            image=request.image,
            entrypoint=request.entrypoint,
            cmd=request.cmd,
            injection=plan.injection,
            keep_alive=plan.keep_alive,
            token_parameter=plan.secret_name,
            health_timeout=request.health_timeout,
            start_timeout=request.start_timeout,
        )
        if described == record:
            return record
        written = replace(described, revision=record.revision + 1, updated_at=self.clock())
        return schedule(written, self.settings.policy, self.clock())

    def _plan(self, request: StartRequest, record: Record) -> LaunchPlan:
        return plan_launch(
            request,
            self.settings,
            token=record.agent_token or "",
            generation=record.generation,
            attempt=record.attempt,
        )


def _unlaunched(record: Record) -> bool:
    """A start that died before it saved a task: the same start again goes on where it broke off."""
    return record.state is State.PENDING and record.task_arn is None and not record.stop_requested


def _already_running(record: Record) -> Refused:
    return Refused(
        Failure(
            ErrorCode.ALREADY_RUNNING,
            f"Container {record.container_id} is {record.state} in generation {record.generation}.",
            "Stop it first, or wait until it has ended; then start it again.",
        )
    )
