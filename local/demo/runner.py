"""Runs the cases of the demo: start all, wait, exec through an agent, stop all, compare with what is expected."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.adapters.dynamodb import DynamoStore
from core.model.record import Record
from core.model.state import State
from local.cloud.cloud import LocalCloud
from local.cloud.command import choose_runtime
from local.cloud.functions import WORKERS, warm
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.demo.cases import CASES, IMAGE
from local.demo.view import Screen, View, failure
from local.fargate.client import LocalFargate
from local.fargate.pace import parse_speed
from local.fargate.runtime import RuntimeName
from reach.agent import client as agent_client

POLL_SECONDS: Final = 0.1
ON_THE_WAY: Final = 3
"""How many containers are without an address at the same time. Each has events in flight, and the local AWS starts a
Python worker, which takes seconds on a busy machine, for each event that finds no idle one."""
PATIENCE: Final = 180
"""Seconds for all cases to end as expected; twice that when tasks take their time as on Fargate (`--speed real`)."""
HEALTH_SECONDS: Final = {RuntimeName.PROCESS: "10", RuntimeName.DOCKER: "20"}
"""How long the blocked agent is probed; an engine takes longer to start all containers at once."""
COMMAND: Final = ("sh", "-c", 'echo "hello from $HOSTNAME"; echo "process $$, parent $PPID"')
_STARTING: Final = frozenset({State.PENDING, State.TASK_RUNNING})


class DemoFailed(CloudError):
    """A container did not end as expected."""


def main(options: argparse.Namespace, layout: Layout) -> int:
    """0 only if every container ended as expected. Everything is stopped in any case. `options` are of `add_demo`."""
    screen = Screen()
    started = time.monotonic()
    screen.heading("The local cloud", "(real template.yaml, real Lambda functions, tasks that run)")
    runtime = choose_runtime(options.runtime, screen.step)
    cloud = LocalCloud(
        layout,
        # An agent that cannot be reached keeps one worker of the prober; the others are enough for the rest.
        parameters={
            "HealthTimeoutSeconds": HEALTH_SECONDS[runtime],
            "ProberMaximumConcurrency": str(WORKERS["AgentHealth"][1]),
        },
        agent_flavor=options.agent_flavor,
        speed=options.speed,
        seed=options.seed,
        runtime=runtime,
        images=[IMAGE],
        say=screen.step,
    )
    with cloud:
        # As on an AWS that is in use: the table is to show what the product takes, not what Python's imports take.
        begun = time.monotonic()
        warm(cloud.client("lambda"), cloud.outputs)
        screen.step(f"functions warm ({time.monotonic() - begun:.1f} s)")
        # Phases of real length keep events apart.
        at_once = ON_THE_WAY if options.speed == "fast" else len(CASES)
        _Runner(cloud, screen, at_once=at_once, patience=PATIENCE * (1 + parse_speed(options.speed))).run()
    screen.line(f"\nEverything is stopped. It took {time.monotonic() - started:.0f} s.")
    if options.picture is not None:
        screen.save(options.picture)
    return 0


class _Runner:
    """All cases on one cloud, at most `at_once` of them without an address; `patience` in seconds."""

    def __init__(self, cloud: LocalCloud, screen: Screen, *, at_once: int, patience: float) -> None:
        self._cloud = cloud
        self._screen = screen
        self._at_once = at_once
        self._patience = patience
        self._functions = cloud.client("lambda")
        self._store = DynamoStore(cloud.outputs["ContainersTableName"], cloud.client("dynamodb"))
        self._fargate = LocalFargate(cloud.ecs_endpoint)

    def run(self) -> None:
        """Raises `DemoFailed` with everything that is not as expected."""
        self._screen.heading("Starting containers")
        for case in CASES:
            if case.fault is not None:
                self._fargate.fault(case.container_id, case.fault, **case.fault_parameters)
        with View(self._screen) as view:
            for case in CASES:
                self._invoke("StartContainer", case.document)
                self._wait(view, lambda records: sum(r.state in _STARTING for r in records.values()) < self._at_once)
            records = self._wait(view, _decided)
        _check(records)
        self._screen.heading("What the failed ones say")
        for name, record in records.items():
            if record.error is not None:
                self._screen.show(failure(name, record.error))
        self._exec(records["keep-alive"])
        self._screen.recorded = False
        self._stop(records)
        self._account()

    def _records(self) -> dict[str, Record]:
        found = self._store.load_many([case.container_id for case in CASES]).records
        return {case.name: found[case.container_id] for case in CASES if case.container_id in found}

    def _wait(self, view: View, until: Callable[[Mapping[str, Record]], bool]) -> dict[str, Record]:
        """Polls the items as a backend does."""
        deadline = time.monotonic() + self._patience
        while True:
            records = self._records()
            view.show(records)
            if until(records):
                return records
            if time.monotonic() > deadline:
                states = ", ".join(f"{name} is {record.state}" for name, record in records.items())
                raise DemoFailed(f"After {self._patience:.0f} s not every container is as expected: {states}.")
            time.sleep(POLL_SECONDS)

    def _exec(self, record: Record) -> None:
        """Docker exec. It needs address and token of the item, and nothing else."""
        if record.agent_address is None or record.agent_token is None:
            raise DemoFailed("The healthy container has no address.")
        self._screen.heading(f"Exec through the agent at {record.agent_address}")
        self._screen.step(f"$ {COMMAND[-1]}")
        done = agent_client.run(record.agent_address, record.agent_token, COMMAND)
        for line in done.stdout.decode().splitlines():
            self._screen.step(line)
        if done.exit_code != 0:
            raise DemoFailed(f"The command ended with {done.exit_code}: {done.stderr.decode()}")

    def _stop(self, known: Mapping[str, Record]) -> None:
        """The backend stops what still runs; ECS's events end the records."""
        self._screen.heading("Stopping containers")
        for case in CASES:
            self._invoke("StopContainer", {"container_id": case.container_id, "reason": "the demo is over"})
        # Every minute on a schedule; invoked now, it stops the task whose agent could not be reached.
        self._invoke("Reconcile", {})
        with View(self._screen, known) as view:
            self._wait(view, lambda records: all(record.state.ended for record in records.values()))

    def _account(self) -> None:
        """No task may be left, and no record may still show an address."""
        deadline = time.monotonic() + self._patience
        while left := [task["started_by"] for task in self._fargate.tasks() if task["last_status"] != "STOPPED"]:
            if time.monotonic() > deadline:
                raise DemoFailed(f"Tasks still run: {left}.")
            time.sleep(POLL_SECONDS)
        for name, record in self._records().items():
            if record.agent_address is not None or record.agent_token is not None:
                raise DemoFailed(f"{name} has ended and still shows an address.")
        calls = ", ".join(f"{number} {name}" for name, number in sorted(self._fargate.calls().items()))
        self._screen.line(f"\nCalls to ECS for {len(CASES)} containers: {calls}")

    def _invoke(self, function: str, payload: Mapping[str, Any]) -> None:
        arn = self._cloud.outputs[f"{function}FunctionArn"]
        answer = self._functions.invoke(FunctionName=arn, Payload=json.dumps(payload))
        document: dict[str, Any] = json.load(answer["Payload"])
        if "FunctionError" in answer or "error" in document:
            raise DemoFailed(f"{function}Function answered {document}")


def _decided(records: Mapping[str, Record]) -> bool:
    """All are as expected, or one has ended otherwise: no waiting will mend that."""
    states = {case.name: case.expected for case in CASES}
    wrong = any(record.state.ended and record.state is not states[name] for name, record in records.items())
    return wrong or all(records[name].state is state for name, state in states.items())


def _check(records: Mapping[str, Record]) -> None:
    wrong = []
    for case in CASES:
        record = records[case.name]
        if record.state is not case.expected:
            wrong.append(f"{case.name} is {record.state}, not {case.expected}: {record.error}")
        elif (problem := case.check(record)) is not None:
            wrong.append(f"{case.name}: {problem}")
    if wrong:
        raise DemoFailed("Not as expected: " + "; ".join(wrong))
