"""The order in which rows are asked: the first that applies is the diagnosis.

Of a task that stopped:

1. Somebody asked for the stop, or Spot took the task: then nothing in the texts may be read as a fault, because the
   reason of a StopTask call is free text.
2. Causes, each subject from the most specific row to the most general. Limits of rate stand before the subjects whose
   calls were limited, files and secrets before images, because "unable to pull secrets or registry auth" heads all.
3. Ends from outside; an init container that failed; then the families of errors whose words are not known.
4. UNKNOWN_STOPS, when no text of any container is known: stop codes and exit codes. The last row always applies.

Of a call: what its text says, then its class, because AWS wraps one service's throttling or refusal in another's class.

A cause names the part that failed (a secret the role may not read is `secrets`); `permission` is for roles as such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.diagnosis.access_rows import LOGS, ROLES, SECRETS
from core.diagnosis.call_rows import ACCESS, SERVICE, THROTTLED
from core.diagnosis.ended_rows import ENDED, REQUESTED
from core.diagnosis.execution_rows import EXECUTION
from core.diagnosis.general_rows import FALLBACKS, FAMILIES, INIT_FAILED
from core.diagnosis.image_rows import IMAGES, RATE_LIMITS
from core.diagnosis.network_rows import CAPACITY, INTERFACES
from core.diagnosis.request_rows import FAILURES, REQUESTS, UNKNOWN_CALL
from core.diagnosis.volume_rows import VOLUMES

if TYPE_CHECKING:
    from core.diagnosis.model import Row

STOPS: Final[tuple[Row, ...]] = (
    *REQUESTED,
    *EXECUTION,
    *VOLUMES,
    *RATE_LIMITS,
    *SECRETS,
    *LOGS,
    *IMAGES,
    *INTERFACES,
    *CAPACITY,
    *ROLES,
    *ENDED,
    *INIT_FAILED,
    *FAMILIES,
)
UNKNOWN_STOPS: Final[tuple[Row, ...]] = FALLBACKS

CALLS: Final[tuple[Row, ...]] = (
    *THROTTLED,
    *ACCESS,
    *CAPACITY,
    *INTERFACES,
    *REQUESTS,
    *SERVICE,
    UNKNOWN_CALL,
)
RUN_FAILURES: Final[tuple[Row, ...]] = (*FAILURES, *CALLS)
