"""Starting a container: claim the launch in the record, then run the task, then save the task's ARN.

Every call may be the last one this function makes, and another start of the same container may be at work. So what is
about to be done is saved before it is done: the record names each start that asks ECS for a task (`Record.asked`)
before it asks, and nothing is decided on a record that was read before a wait. A repeated start uses the same
generation and token, and RunTask's client token, derived from both, makes it the same task (ecs.md 5).

Only when every start that asked has been refused does the next launch begin. A task that comes of it all the same, and
that the record does not name, is stopped: by the record that owes it (`UnwantedTask`), or by whoever made it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from core.control.describe import Looker
from core.control.patience import Patience
from core.control.run_task import Launcher
from core.control.settle import Settled, Settler
from core.launch.parse import parse_start_request
from core.launch.plan import LaunchPlan, plan_launch
from core.launch.request import StartRequest
from core.launch.settings import Settings
from core.machine.next_actions import next_actions, relaunch_owed
from core.machine.schedule import schedule
from core.model.actions import StopTask
from core.model.errors import CallFailed, Refused
from core.model.facts import LaunchAccepted, LaunchRejected
from core.model.failure import ErrorCode, Failure
from core.model.record import Ask, Launching, Record, UnwantedTask
from core.model.state import State
from core.ports import Clock, Ecs, Launched, RevisionConflict, Store, TokenVault

PAUSE: Final = 1.0
"""Seconds before a launch that ECS refused is tried again: capacity comes back in moments or not at all."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The saved record in which one start, `by`, says that it asks for the task of `record.attempt`, and its plan."""

    by: str
    record: Record
    plan: LaunchPlan


@dataclass(frozen=True, slots=True)
class Starter:
    """Carries out start requests."""

    store: Store
    ecs: Ecs
    vault: Callable[[], TokenVault]
    launcher: Launcher
    settler: Settler
    looker: Looker
    settings: Settings
    clock: Clock
    patience: Callable[[], Patience]
    new_token: Callable[[], str]
    told: Callable[[Settled], None] = lambda _: None
    """Hears of a launch that AWS refused: the caller only gets the refusal."""
    untagged: Callable[[Record, Sequence[str]], None] = lambda _, __: None
    """Hears of labels that AWS does not take as tags, by name: the container starts without them."""

    def start(self, document: object, by: str) -> Settled:
        """The settled record of a started container. `by` names this invocation among all starts of the container.

        Raises `Refused` for a request that cannot be carried out (nothing written) and for a launch that AWS refused
        (the record says `failed`); `CallFailed` when it is not known whether the task was started.
        """
        request = parse_start_request(document)
        patience = self.patience()
        while True:
            claim = self._claim(request, by)
            try:
                launched = self._launch(claim, patience)
            except CallFailed as failed:
                if failed.code == "ConflictException":
                    return self._adopt(claim, failed)
                if failed.uncertain:
                    raise
                self._rejected(claim, failed)
                patience.wait(PAUSE)
                continue
            return self._accepted(claim, launched)

    def _claim(self, request: StartRequest, by: str) -> Claim:
        """The record of this start, saved. Two starters end with the same record, and both are named in it."""
        known = self.store.load(request.container_id)
        tidied = None
        while True:
            _refuse_if_running(request, known)
            if known is not None and known.state.ended and known.generation != tidied and self._owes(known):
                # Decided again on what is saved afterwards: another start may have been quicker.
                tidied = known.generation
                known = self.settler.settle(known=known).record
                continue
            claim = self._claimed(request, known, by)
            try:
                self.store.save(claim.record)
            except RevisionConflict as conflict:
                if conflict.current != claim.record:
                    known = conflict.current or self.store.load(request.container_id)
                    continue
            return claim

    def _owes(self, record: Record) -> bool:
        return bool(next_actions(record, self.settings.policy))

    def _claimed(self, request: StartRequest, known: Record | None, by: str) -> Claim:
        """Planned through before anything is written: what cannot be launched is refused here."""
        now = self.clock()
        record = known if known is not None and not known.state.ended else self._next_generation(request, known)
        plan = plan_launch(
            request,
            self.settings,
            token=record.agent_token or "",
            generation=record.generation,
            attempt=record.attempt,
        )
        asked = (*(ask for ask in record.asked if ask.by != by), Ask(by, now))
        claimed = replace(
            record,
            revision=record.revision + 1,
            updated_at=now,
            image=request.image,
            entrypoint=request.entrypoint,
            cmd=request.cmd,
            injection=plan.injection,
            keep_alive=plan.keep_alive,
            token_parameter=plan.secret_name,
            health_timeout=request.health_timeout,
            start_timeout=request.start_timeout,
            launching=Launching(asked, _request_hash(request, record)),
        )
        return Claim(by, schedule(claimed, self.settings.policy, now), plan)

    def _next_generation(self, request: StartRequest, known: Record | None) -> Record:
        """A task whose end the last generation still owes is remembered by this one: ECS may not show it yet."""
        now = self.clock()
        actions = next_actions(known, self.settings.policy) if known else ()
        owed = [action.task_arn for action in actions if isinstance(action, StopTask)]
        return Record(
            container_id=request.container_id,
            state=State.PENDING,
            generation=known.generation + 1 if known else 1,
            revision=known.revision if known else 0,
            created_at=now,
            updated_at=now,
            cluster_arn=self.settings.cluster_arn,
            agent_token=self.new_token(),
            unwanted_tasks=tuple(UnwantedTask(arn, now) for arn in owed),
        )

    def _launch(self, claim: Claim, patience: Patience) -> Launched:
        plan, record = claim.plan, claim.record
        if plan.untagged_labels:
            self.untagged(record, plan.untagged_labels)
        if plan.secret_name is not None and record.agent_token is not None:
            try:
                self.vault().put(plan.secret_name, record.agent_token)
            except CallFailed as failed:
                # Whether it took effect or not, it has started no task.
                raise failed.but(uncertain=False) from failed
        return self.launcher.launch(plan, patience)

    def _accepted(self, claim: Claim, launched: Launched) -> Settled:
        accepted = LaunchAccepted(
            container_id=claim.record.container_id,
            generation=claim.record.generation,
            at=self.clock(),
            task_arn=launched.task_arn,
            task_definition_arn=launched.task_definition_arn,
            cluster_arn=launched.cluster_arn,
        )
        # An event of the task may have been here first: then the ARN is known, and this fact is stale.
        settled = self.settler.settle(accepted, known=claim.record)
        if settled.record is None or settled.record.generation != accepted.generation:
            # Started so late that its generation is over: no record will ever name it.
            reason = f"Started too late for generation {accepted.generation} of container {accepted.container_id}."
            self.ecs.stop(launched.cluster_arn, launched.task_arn, reason)
        return self._answer(claim, settled)

    def _rejected(self, claim: Claim, failed: CallFailed) -> None:
        """Returns when another launch is this start's to make. Raises `Refused` when there is to be none.

        Raises `CallFailed`, uncertain, when another start of the same launch may still be taken.
        """
        rejected = LaunchRejected(
            container_id=claim.record.container_id,
            generation=claim.record.generation,
            at=self.clock(),
            attempt=claim.record.attempt,
            failure=failed.as_launch_failure(),
            by=claim.by,
            by_run_task=failed.operation == "RunTask",
        )
        settled = self.settler.settle(rejected, known=claim.record)
        record = settled.record
        if record is not None and record.generation == rejected.generation and record.unlaunched:
            self.told(settled)
            if record.attempt > rejected.attempt and not relaunch_owed(record):
                return
            raise failed.but(uncertain=True) from failed
        raise _already_running(self._answer(claim, settled).record or claim.record) from failed

    def _adopt(self, claim: Claim, failed: CallFailed) -> Settled:
        """The same client token with other parameters: an earlier try of this launch has its task already."""
        for known, fact in self.looker.look([claim.record]):
            settled = self.settler.settle(fact, known=known)
            if settled.record is not None and settled.record.task_arn is not None:
                return self._answer(claim, settled)
        raise failed.but(uncertain=True) from failed

    def _answer(self, claim: Claim, settled: Settled) -> Settled:
        """What became of the claim. Raises `Refused` when it failed, or when another generation counts by now."""
        record, name = settled.record, claim.plan.secret_name
        ours = record is not None and record.generation == claim.record.generation
        if name is not None and not (ours and record is not None and record.token_parameter == name):
            # Put by this start, and erased for the record's sake before.
            self.vault().erase(name)
        if record is not None and ours and record.error is None:
            return settled
        self.told(settled)
        if record is None:
            raise Refused(_deleted(claim.record))
        raise Refused(record.error) if ours and record.error is not None else _already_running(record)


def _request_hash(request: StartRequest, record: Record) -> str:
    """What tells two requests apart. Keyed with the token: an environment may hold secrets that could be guessed."""
    document = json.dumps(request.model_dump(mode="json"), sort_keys=True)
    return hmac.new((record.agent_token or "").encode(), document.encode(), sha256).hexdigest()


def _refuse_if_running(request: StartRequest, known: Record | None) -> None:
    if known is None or known.state.ended:
        return
    if not known.unlaunched or relaunch_owed(known):
        raise _already_running(known)
    if known.launching and known.launching.request_hash not in (None, _request_hash(request, known)):
        raise Refused(
            Failure(
                ErrorCode.ALREADY_RUNNING,
                f"Container {known.container_id} is {known.state} in generation {known.generation} with another "
                "request, and its task may have been started.",
                "Send the same request again, or stop the container first.",
                transient=True,
            )
        )


def _already_running(record: Record) -> Refused:
    return Refused(
        Failure(
            ErrorCode.ALREADY_RUNNING,
            f"Container {record.container_id} is {record.state} in generation {record.generation}.",
            "Stop it first, or wait until it has ended; then start it again.",
        )
    )


def _deleted(record: Record) -> Failure:
    return Failure(
        ErrorCode.LAUNCH_FAILED,
        f"The item of container {record.container_id} was deleted while the container was being started.",
        "Start the container again; nothing but this stack may delete items that have not ended.",
        transient=True,
    )
