"""Decides the order of the rows: the first that matches is the diagnosis.

For a task that stopped:

1. StopTask calls and Spot interruptions. A StopTask call's reason is free text, so its words prove no fault.
2. Causes. Each subject goes from the most specific row to the most general. Secrets and environment files come before
   images, because all three begin with "unable to pull secrets or registry auth".
3. Ends from outside, then a failed init container, then error names with unknown words.
4. UNKNOWN_STOPS, if no row knows any text: stop codes and exit codes. The last row always matches.

For a call: its text comes before its class, because AWS wraps throttling, a refusal or a failure of one service in
another service's class. Only the SDK's own classes for calls that were never sent come before the texts.

A cause names the part that failed: an unreadable secret is `secrets`, and `permission` is for roles alone. ECS cuts
long texts, and the end of a text says most. So a general row has a cause only if all rows whose texts begin alike share
it, and it is transient only if all of them are.
"""

from typing import Final

from core.diagnosis.row import Row
from core.diagnosis.rows.access_rows import FETCHES, LOGS, SECRETS
from core.diagnosis.rows.call_rows import ACCESS, UNSENT, WRAPPED
from core.diagnosis.rows.ended_rows import ENDED, REQUESTED
from core.diagnosis.rows.execution_rows import EXECUTION
from core.diagnosis.rows.general_rows import FALLBACKS, FAMILIES
from core.diagnosis.rows.image_rows import IMAGES, THROTTLED_STARTS
from core.diagnosis.rows.network_rows import CAPACITY, INTERFACES
from core.diagnosis.rows.request_rows import FAILURES, REQUESTS
from core.diagnosis.rows.volume_rows import VOLUMES

STOPS: Final[tuple[Row, ...]] = (
    *REQUESTED,
    *EXECUTION,
    *VOLUMES,
    *SECRETS,
    *THROTTLED_STARTS,
    *LOGS,
    *IMAGES,
    *INTERFACES,
    *CAPACITY,
    *FETCHES,
    *ENDED,
    *FAMILIES,
)
UNKNOWN_STOPS: Final[tuple[Row, ...]] = FALLBACKS

CALLS: Final[tuple[Row, ...]] = (*UNSENT, *WRAPPED, *ACCESS, *CAPACITY, *INTERFACES, *REQUESTS)
RUN_FAILURES: Final[tuple[Row, ...]] = (*FAILURES, *CALLS)
