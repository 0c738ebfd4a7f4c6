"""The scenes. Together they have everything that may go wrong; each has two or three things of it, so that it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.launch.settings import Settings, TokenDelivery
from core.model.policy import Policy
from tests.exploration.faults import Fault
from tests.interleavings.prologues import DIED, ENDED, HEALTHY, NEW, RESOLVED, RUNS, STARTED
from tests.interleavings.scene import USUAL, Scene
from tests.interleavings.state import Left
from tests.interleavings.task import Fate

_ANSWERS: Final = (Fault.THROTTLED, Fault.LOST_BEFORE, Fault.LOST_AFTER)
_ECS: Final = frozenset({"RunTask", "StopTask", "DescribeTasks", "ListTasks"})
_LAST: Final = ("event arrives", "event of*")
_ROLE: Final = "arn:aws:iam::123456789012:role/execution"


def _policy(settings: Settings = USUAL, **changes: object) -> Policy:
    return replace(settings.policy, **changes)  # type: ignore[arg-type]


_EARLY: Final = replace(USUAL, early_probe=True, verify_agent_identity=False)
_SSM: Final = replace(USUAL, execution_role_arn=_ROLE, token_delivery=TokenDelivery.SSM)
_LOGGED: Final = replace(USUAL, execution_role_arn=_ROLE, task_log_group="/ecs/tasks", launch_attempts=1)

SCENES: Final = (
    Scene(
        name="starts",
        about="two starts at once; a call without an answer, refused or throttled; a death after any change",
        depth=8,
        left=Left(starts=2, runs=1, ticks=1, trouble=1),
        dies=True,
        ways=(*_ANSWERS, Fault.REFUSED, Fault.REPEATED),
        first=Fate.STUCK,
        probed=False,
    ),
    Scene(
        name="other-request",
        about="two starts at once that ask for different commands; a death",
        depth=9,
        left=Left(starts=1, runs=1, ticks=1, trouble=1),
        dies=True,
        prologue=("start 1 begins 1 as 0",),
        requests=({}, {"cmd": ["migrate"]}),
        first=Fate.STUCK,
        probed=False,
    ),
    Scene(
        name="repeated-start",
        about="a start of generation 1 is repeated while its task runs, and after its exit; a lost answer, a death",
        depth=7,
        left=Left(starts=2, trouble=1),
        dies=True,
        ways=(Fault.LOST_AFTER,),
        faulty=frozenset({"RunTask", "PutItem"}),
        requests=({"generation": 1},),
        first=Fate.EXITS,
        prologue=(*RUNS, "event arrives", "event of*"),
        probed=False,
    ),
    Scene(
        name="events",
        about="a task that exits: its events in any order, twice, lost; the reconciler, DescribeTasks a version behind",
        depth=9,
        left=Left(runs=1, trouble=1),
        loses=True,
        doubles=True,
        faulty=frozenset({"DescribeTasks"}),
        lags=True,
        prologue=STARTED,
        first=Fate.EXITS,
        probed=False,
        agrees=True,
    ),
    Scene(
        name="late-address",
        about="a RUNNING event without the address; the reconciler; a death",
        depth=10,
        left=Left(runs=1, ticks=1, trouble=1),
        dies=True,
        prologue=STARTED,
        first=Fate.LAGS,
        probed=False,
    ),
    Scene(
        name="adoption",
        about="a start that died after RunTask; two reconcilers; tasks that ECS shows and lists late; throttling",
        depth=8,
        left=Left(runs=2, ticks=1, trouble=1),
        ways=(Fault.THROTTLED,),
        given=Left(starts=1, trouble=1),
        dies=True,
        prologue=DIED,
        young=True,
        probed=False,
    ),
    Scene(
        name="relaunch",
        about="a task that never starts is launched again: event, reconciler; a death, a refusal, a lost answer",
        depth=14,
        left=Left(runs=1, trouble=1),
        dies=True,
        ways=(Fault.LOST_AFTER, Fault.REFUSED),
        faulty=frozenset({"RunTask", "PutItem"}),
        prologue=(*STARTED, "task 1 is DEPROVISIONING"),
        first=Fate.FAILS,
        probed=False,
    ),
    Scene(
        name="restart",
        about="a container that runs: a stop and a start at once, late events of the old generation, a death",
        depth=7,
        left=Left(starts=1, trouble=1),
        dies=True,
        given=Left(starts=1, stops=1),
        prologue=(*RESOLVED, "stop 2 begins", "stop 2: GetItem", "stop 2: PutItem"),
        probed=False,
    ),
    Scene(
        name="late-events",
        about="a new generation while events of the old one still come, twice; a death",
        depth=7,
        left=Left(starts=1, trouble=1),
        dies=True,
        doubles=True,
        given=Left(starts=1, stops=1),
        prologue=ENDED,
        probed=False,
    ),
    Scene(
        name="stop-of-start",
        about="a stop while the start is under way; StopTask and DescribeTasks fail or do not know the task",
        depth=9,
        left=Left(starts=1, stops=1, trouble=1),
        ways=_ANSWERS,
        faulty=_ECS,
        young=True,
        probed=False,
    ),
    Scene(
        name="probe",
        about="a probe by the real prober, while the task exits; its message lost or doubled",
        depth=7,
        left=Left(trouble=1),
        loses=True,
        doubles=True,
        prologue=RESOLVED,
        first=Fate.EXITS,
    ),
    Scene(
        name="silence",
        about="an agent that never listens: the prober and the reconciler by clocks a second apart",
        depth=8,
        left=Left(runs=1, ticks=1),
        skews=(-1, 1),
        prologue=RESOLVED,
        first=Fate.SILENT,
    ),
    Scene(
        name="stranger",
        about="early probes that check no identity; the task never starts, and a stranger's agent has its address",
        depth=10,
        left=Left(),
        settings=_EARLY,
        policies=(_policy(_EARLY),),
        prologue=(*STARTED, "task 1 is PENDING"),
        first=Fate.FAILS,
        stranger=True,
        # Without the check a stranger's answer counts while the address is the record's: that is what the check is for.
        waived=frozenset({"healthy"}),
    ),
    Scene(
        name="recycled-address",
        about="a new generation at the address of the old one, whose probe is still under way",
        depth=9,
        left=Left(stops=1, starts=1),
        fates=(Fate.RUNS,),
        prologue=(*RESOLVED, "task 1 listens"),
        stranger=True,
        recycles=True,
    ),
    Scene(
        name="two-reconcilers",
        about="two runs over what is due, calls of which fail; a death after any change",
        depth=13,
        left=Left(runs=2, trouble=1),
        dies=True,
        loses=True,
        ways=(Fault.THROTTLED, Fault.LOST_AFTER),
        prologue=(*RUNS, "event is lost", "the clock reaches"),
        given=Left(starts=1, ticks=1, trouble=1),
        probed=False,
    ),
    Scene(
        name="two-containers",
        about="one run over two containers, and events of both; a call fails for one of them",
        depth=7,
        left=Left(runs=1, trouble=1),
        containers=2,
        ways=(Fault.THROTTLED,),
        faulty=frozenset({"DescribeTasks", "PutItem", "SendMessage"}),
        given=Left(starts=2, ticks=1),
        fates=(Fate.RUNS,),
        prologue=(*RUNS, "start 2 begins 2", *NEW, "task 2 is RUNNING", "the clock reaches"),
        probed=False,
    ),
    Scene(
        name="parameter",
        about="the token in the Parameter Store: a stop, a death of the start or of who erases it; the leak finder",
        depth=12,
        left=Left(starts=1, stops=1, leaks=1, trouble=1),
        dies=True,
        settings=_SSM,
        first=Fate.STUCK,
        probed=False,
    ),
    Scene(
        name="output",
        about="an end that only the output explains: the event, the reconciler, a new start, a death",
        depth=10,
        left=Left(runs=1, starts=1, trouble=1),
        dies=True,
        settings=_LOGGED,
        policies=(_policy(_LOGGED),),
        prologue=(*RESOLVED, "task 1 is DEPROVISIONING"),
        first=Fate.REFUSES,
        probed=False,
    ),
    Scene(
        name="spot",
        about="a healthy container gets Spot's notice; a stop; events in any order",
        depth=6,
        left=Left(stops=1, runs=1, ticks=1),
        prologue=HEALTHY,
        first=Fate.INTERRUPTED,
    ),
    Scene(
        name="policy",
        about="another policy in the middle: unreachable tasks are kept, one launch only, another health time-out",
        depth=6,
        left=Left(deployments=1, runs=1, ticks=2, stops=1),
        policies=(_policy(), _policy(keep_unreachable=True, launch_attempts=1, health_timeout=60.0)),
        prologue=RESOLVED,
        first=Fate.SILENT,
        probed=False,
    ),
    Scene(
        name="time-to-live",
        about="an ended item is deleted by its time to live while two starts and a stop are under way",
        depth=7,
        left=Left(ticks=1, starts=2, stops=1),
        policies=(_policy(retention=30.0),),
        prologue=(*RESOLVED, "task 1 is DEPROVISIONING", "event arrives", "event of*", "task 1 is STOPPED", *_LAST),
        first=Fate.EXITS,
        probed=False,
    ),
    Scene(
        name="leaks",
        about="the leak finder while a container is stopped, started again and its start dies",
        depth=6,
        left=Left(starts=1, stops=1, leaks=1, trouble=1),
        dies=True,
        prologue=RUNS,
        probed=False,
    ),
)
