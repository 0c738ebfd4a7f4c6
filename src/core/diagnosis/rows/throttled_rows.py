"""Rows for throttled AWS calls during a start. If the text names the throttled part, another row names its cause."""

from typing import Final

from core.diagnosis.row import Actor, start_row
from core.model.failure import Cause

THROTTLING: Final = r"(throttlingexception|\brate exceeded|requestlimitexceeded|errorcode: throttling)"
RETRY_SLOWER: Final = (
    "Start the container again in a moment. If it repeats, start fewer containers at once or have the quota of the "
    "named call raised."
)

# moby #42088, on CreateLogStream.
THROTTLED_STARTS: Final = (
    start_row(
        patterns=(THROTTLING,),
        cause=Cause.THROTTLED,
        summary="AWS throttled a call that the start needs",
        remedy=RETRY_SLOWER,
        transient=True,
        actor=Actor.AWS,
    ),
)
