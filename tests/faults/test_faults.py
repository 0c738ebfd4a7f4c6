"""Every AWS call of every function fails in every way, and no container ends otherwise for it.

Each case is one container's life in which one call fails. Its end is the announced one, with its exit code and one task
for each launch; no task, token or parameter is left, and no message in a dead-letter queue. By design there are two
exceptions. A launch for which IAM refuses RunTask or what comes before it (`LAUNCHING`) has failed, and so has one
whose PutParameter is throttled for longer than the SDK repeats it; the record says why. And an event whose three
deliveries are all denied is in the dead-letter queue, and the reconciler does without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle

from core.model.state import State
from tests.e2e.stack import FunctionFailed
from tests.faults.conftest import FUNCTIONS, Watched
from tests.faults.lives import KINDS
from tests.faults.matrix import Case, Outcome, every_case, sample, sites, wave
from tests.faults.proxy import EVERYBODY, Fault
from tests.faults.roles import NOT_REACHED, unreached
from tests.faults.ways import ONCE, WAYS, Call

Tell = Callable[[str], None]
CALM_LIVES = 2
"""Of each kind, for the whole matrix: what only one of them calls is a matter of pace."""
DUE = "dynamodb:Query"
"""It names no container, and is made for all at once."""
JOBS = ("find-leaks", "retire-definitions")


def test_each_call_fails_in_each_way(watched: Watched, full: bool, tell: Tell) -> None:
    """Derived from calm lives. Without `--matrix=full`: the first call of each operation, each way in its turn."""
    stack, ledger = watched
    lives = [Case(kind, number=number) for kind in KINDS for number in range(CALM_LIVES if full else 1)]
    calm = wave(stack, ledger, lives, tell)
    assert calm.problems == []
    calls = sites(calm.calls)
    assert {call.function for call in calls} == set(FUNCTIONS)
    due = _due_fails()
    ledger.follow(EVERYBODY, *due)
    outcome = Outcome()
    if full:
        for way in WAYS:
            outcome = _lived(watched, outcome, every_case(calls, [way]), tell)
        # What the SDK repeats, and what did not occur this time.
        once = [case for case in every_case(calls, ONCE) if case.call and case.call.action in ledger.repeated]
        outcome = _lived(watched, outcome, [*once, *(replace(case, number=1) for case in outcome.missed)], tell)
    else:
        outcome = _lived(watched, outcome, sample(calls, WAYS), tell)
    tell(f"{len(calls)} calls of {len({call.action for call in calls})} kinds")
    for what, how in (("missed", outcome.missed), ("refused", outcome.refused)):
        for case in sorted(map(str, how)):
            tell(f"{what}: {case}")
    assert outcome.problems == []
    assert len(outcome.missed) <= len(outcome.met) // 10
    assert all(fault.met for fault in (due if full else due[:1]))


def _lived(watched: Watched, before: Outcome, cases: Sequence[Case], tell: Tell) -> Outcome:
    outcome = wave(watched.stack, watched.ledger, cases, tell)
    ways = ", ".join(dict.fromkeys(case.way.name for case in cases if case.way))
    tell(f"{ways}: {len(outcome.met)} of {len(cases)} failures were met, {len(outcome.problems)} problems")
    for problem in outcome.problems:
        tell(problem)
    return before + outcome


def _due_fails() -> list[Fault]:
    """Every third Query of what is due, in each way."""
    ways = [way for way in WAYS if Call("Reconcile", DUE, 1, conditional=False).fails(way)]
    return [Fault(Call("Reconcile", DUE, 1 + 3 * place, conditional=False), way) for place, way in enumerate(ways)]


def test_a_job_goes_on_where_a_call_failed(watched: Watched, full: bool, tell: Tell) -> None:
    """The jobs of the reconciler: whatever call fails, the next run does all, and no container has noticed."""
    stack, ledger = watched
    container_id = "f" * 64
    stack.start(container_id)
    healthy = stack.reaches(container_id, State.AGENT_HEALTHY)
    ledger.forget()
    turns = cycle(WAYS)
    met: Counter[str] = Counter()
    for job in JOBS:
        ledger.follow(EVERYBODY)
        whole = stack.invoke("Reconcile", {"job": job})
        assert whole["errors"] == {}
        for call in list(ledger.calls[EVERYBODY]):
            for way in [way for way in WAYS if call.fails(way)] if full else [next(w for w in turns if call.fails(w))]:
                fault = Fault(call, way)
                ledger.follow(EVERYBODY, fault)
                failed = _run(watched, job)
                met[f"{job} {call.operation} {bool(fault.met)}"] += 1
                assert not fault.met or failed, f"{fault} was not reported"
                ledger.follow(EVERYBODY)
                assert stack.invoke("Reconcile", {"job": job}) == whole, f"after {fault}"
    tell(str(met))
    assert stack.reaches(container_id, State.AGENT_HEALTHY) == healthy
    stack.stop(container_id)
    stack.reaches(container_id, State.STOPPED)


def test_the_calls_that_are_not_reached_are_known(watched: Watched, tell: Tell) -> None:
    """After the lives and the jobs: what the roles allow and nothing called is in the list, with its reason."""
    never = unreached(watched.stack, FUNCTIONS, watched.ledger.made)
    for line in sorted(never):
        tell(f"not reached: {line} ({NOT_REACHED.get(line)})")
    assert never <= NOT_REACHED.keys()


def _run(watched: Watched, job: str) -> bool:
    """Whether a run of the job has told that something failed."""
    try:
        answer = watched.stack.invoke("Reconcile", {"job": job})
    except FunctionFailed:
        return True
    return bool(answer["errors"] or answer["stopped"])
