"""How a scene comes to its first state: the beginnings of labels, each taken once, or with a `*` while it is there.

Numbers count invocations in the order in which they begin.
"""

from typing import Final

DIED: Final = ("start 1 begins", "start 1: PutItem", "start 1: RunTask, then it dies")
STARTED: Final = ("start 1 begins", "start 1: PutItem", "start 1: RunTask", "start 1*")
NEW: Final = ("start 2: PutItem", "start 2: RunTask", "start 2*")
"""The same of a container that was never started."""
RUNS: Final = (*STARTED, "task 1 is RUNNING")
RESOLVED: Final = (*RUNS, "event arrives", "event of*")
HEALTHY: Final = (*RESOLVED, "task 1 listens", "probe arrives", "probe of*")
ENDED: Final = (*RUNS, "stop 2 begins", "stop 2*", "task 1 is DEPROVISIONING", "event arrives: task 1 v4", "event of*")
"""And the RUNNING event is still under way."""
