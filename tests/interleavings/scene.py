"""A scene: a small world, what may happen in it, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.launch.settings import Settings
from core.model.policy import Policy
from tests.exploration.faults import Fault
from tests.factories import SETTINGS
from tests.interleavings.state import Left
from tests.interleavings.task import Fate

ONE_START: Left = Left(starts=1)
USUAL: Settings = replace(SETTINGS, watch_shards=1, health_timeout_seconds=10.0)
CALLS: frozenset[str] = frozenset(
    {"RunTask", "StopTask", "PutItem", "DescribeTasks", "ListTasks", "SendMessage", "GetItem", "BatchGetItem"}
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`about` is one line for the table. `policies`: the stack's, then that of each deployment.

    `first` is what becomes of the first task, `fates` what any other may become; one that the calm starts has the first
    of them. `skews`: how far a clock may be ahead. `young`: ECS shows and lists a new task late.

    What trouble there is: `ways` in which the calls `faulty` may fail; `lags`, DescribeTasks shows a version before the
    last; `dies`, an invocation after a call that changed something; `loses` and `doubles`, messages.

    `recycles`: every task has the same address. `stranger`: when a task has ended, another's agent has its address.
    `requests`: the members of a start request beside the container's id, one for each kind of start. `probed`: messages
    to the prober arrive; else the calm alone has them. `agrees`: every way ends in the same record. `waived`: rules
    that do not hold here, for a reason.

    `prologue`: how the labels of the steps begin that lead to the first state, each taken once, or with a `*` behind it
    as often as there is one; `given` is what may happen in it.
    """

    name: str
    about: str
    depth: int
    """Steps up to which every interleaving is taken when all tests run: a thousand states or so."""
    left: Left
    prologue: tuple[str, ...] = ()
    given: Left = ONE_START
    probed: bool = True
    containers: int = 1
    settings: Settings = USUAL
    policies: tuple[Policy, ...] = (USUAL.policy,)
    first: Fate = Fate.RUNS
    fates: tuple[Fate, ...] = (Fate.STUCK,)
    faulty: frozenset[str] = CALLS
    ways: tuple[Fault, ...] = ()
    lags: bool = False
    dies: bool = False
    loses: bool = False
    doubles: bool = False
    skews: tuple[float, ...] = (0,)
    young: bool = False
    recycles: bool = False
    stranger: bool = False
    requests: tuple[dict[str, object], ...] = field(default_factory=lambda: ({},))
    agrees: bool = False
    waived: frozenset[str] = frozenset()
    conditional: bool = True
    """Whether the table keeps the condition of a write. Only a mutation says no."""
