"""The order in which rows are asked: the first that applies is the diagnosis.

Of a task that stopped:

1. Somebody asked for the stop, or Spot took the task: then nothing in the texts may be read as a fault, because the
   reason of a StopTask call is free text.
2. Causes, each subject from the most specific row to the most general. Files and secrets stand before images, because
   "unable to pull secrets or registry auth" heads all.
3. Ends from outside; an init container that failed; then the families of errors whose words are not known.
4. UNKNOWN_STOPS, when no text of any container is known: stop codes and exit codes. The last row always applies.

Of a call: what its text says, then its class, because AWS wraps one service's throttling, refusal or own failure in
another's class. Only a class of the SDK's own, of a call that was never sent, needs no text.

A cause names the part that failed (a secret the role may not read is `secrets`); `permission` is for roles as such. A
text that ECS cut loses its end, which says most. So a general row has the cause that all rows have whose texts begin
alike, or none; and it may pass only when all of them may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.diagnosis.rows.access_rows import FETCHES, LOGS, ROLES, SECRETS
from core.diagnosis.rows.call_rows import ACCESS, SERVICE, THROTTLED, UNSENT, WRAPPED
from core.diagnosis.rows.ended_rows import ENDED, REQUESTED
from core.diagnosis.rows.execution_rows import EXECUTION
from core.diagnosis.rows.general_rows import FALLBACKS, FAMILIES, INIT_FAILED
from core.diagnosis.rows.image_rows import IMAGES, PULLS_LIMITED
from core.diagnosis.rows.network_rows import CAPACITY, INTERFACES
from core.diagnosis.rows.request_rows import FAILURES, REQUESTS, UNKNOWN_CALL
from core.diagnosis.rows.throttled_rows import THROTTLED_STARTS
from core.diagnosis.rows.volume_rows import VOLUMES

if TYPE_CHECKING:
    from core.diagnosis.row import Row

STOPS: Final[tuple[Row, ...]] = (
    *REQUESTED,
    *EXECUTION,
    *VOLUMES,
    *SECRETS,
    *PULLS_LIMITED,
    *THROTTLED_STARTS,
    *LOGS,
    *IMAGES,
    *INTERFACES,
    *CAPACITY,
    *ROLES,
    *FETCHES,
    *ENDED,
    *INIT_FAILED,
    *FAMILIES,
)
UNKNOWN_STOPS: Final[tuple[Row, ...]] = FALLBACKS

CALLS: Final[tuple[Row, ...]] = (
    *UNSENT,
    *THROTTLED,
    *WRAPPED,
    *ACCESS,
    *CAPACITY,
    *INTERFACES,
    *REQUESTS,
    *SERVICE,
    UNKNOWN_CALL,
)
RUN_FAILURES: Final[tuple[Row, ...]] = (*FAILURES, *CALLS)
