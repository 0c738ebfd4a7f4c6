"""Stopping a container: recorded first, so that it stays owed when ECS refuses or the task is not known."""

from __future__ import annotations

from dataclasses import dataclass

from core.control.describe import Looker
from core.control.settle import Settled, Settler, joined
from core.launch.parse import parse_stop_request
from core.model.errors import Refused
from core.model.facts import StopRequested
from core.model.failure import ErrorCode, Failure
from core.model.record import Record
from core.ports import Clock, Store


@dataclass(frozen=True, slots=True)
class Stopper:
    """Carries out stop requests. The container ends by ECS's events, not here."""

    store: Store
    settler: Settler
    looker: Looker
    clock: Clock

    def stop(self, document: object) -> Settled:
        """The record after the request. Idempotent: an ended container stays as it is.

        Raises `Refused` for a container that is not recorded or a request that is not one, `CallFailed` when ECS did
        not take the request: it stays recorded, and the reconciler repeats it.
        """
        request = parse_stop_request(document)
        record = self.store.load(request.container_id)
        if record is None:
            raise Refused(
                Failure(
                    ErrorCode.NOT_FOUND,
                    f"Container {request.container_id} is not recorded.",
                    "Check the id; ended containers are forgotten after RecordRetentionDays.",
                )
            )
        settled = self._ask(record, request.reason)
        if settled.record is not None and settled.record.task_arn is None and not settled.record.state.ended:
            # A start is on its way, or died: if its task exists, adopt it; the stop it is owed follows from that.
            for _, fact in self.looker.look([settled.record]):
                settled = joined(settled, self.settler.settle(fact, known=settled.record))
        return settled

    def _ask(self, record: Record, reason: str) -> Settled:
        """The request as a fact of the newest generation: the container may be started anew at this moment."""
        while True:
            asked = StopRequested(ref=record.ref, at=self.clock(), reason=reason)
            settled = self.settler.settle(asked, known=record)
            if settled.record is None or settled.record.generation == asked.ref.generation:
                return settled
            record = settled.record
