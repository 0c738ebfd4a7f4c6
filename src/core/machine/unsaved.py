"""Which change of a record may wait for its next write.

Theory of operation
-------------------
Each write of an item costs a unit for each KB, and ECS sends an event for each version of a task. Most versions of an
ordinary life say what is known: a task that was asked to stop is stopping, one that has ended has stopped. A change
waits when no state, no action and no instant of the end hangs on it. The function that learnt it goes on with it, and
forgets it. The saved record then knows less, so whoever reads it may do once more what may be done twice
(`core.machine.next_actions`), and never what it would not have done.

What waits is in the next write, because every document of ECS repeats what the earlier ones said.
"""

from dataclasses import replace

from core.model.parts import Instant, Stop
from core.model.record import Record


def may_wait(saved: Record, changed: Record) -> bool:
    """Whether `changed` holds nothing that has to be saved now. `changed` is `saved` after facts were applied."""
    if saved.check_at is not None and saved.check_at <= changed.updated_at:
        return False  # it is due: until it has another check, every run of the reconciler looks at it
    return _essence(saved, saved) == _essence(changed, saved)


def _essence(record: Record, saved: Record) -> Record:
    """The record without what may wait. Of the index only whether it has the record: an early check does no harm."""
    return replace(
        record,
        revision=saved.revision,
        updated_at=saved.updated_at,
        check_at=None,
        task_version=saved.task_version,
        timings={name: at for name, at in record.timings.items() if not _may_wait(name, saved)},
        stop=record.stop if saved.state.ended else _stop(record.stop),
    )


def _may_wait(name: Instant, saved: Record) -> bool:
    """When a task that is stopping began to by ECS's clock; when the task of a container that has ended was gone."""
    match name:
        case Instant.STOPPING:
            return name in saved.timings and not saved.state.ended
        case Instant.STOPPED:
            return saved.state.ended and saved.finished_at is not None
        case _:
            return False


def _stop(stop: Stop | None) -> Stop | None:
    """Without ECS's words for a stop that is known: they come with the end."""
    return stop and replace(stop, code=None, reason=None, unconfirmed=False)
