"""The demo's plot: set up, start everyone, watch, exec through an agent, stop everyone, compare with the programme."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from core.adapters.dynamodb import DynamoStore
from core.model.record import Record
from local.cloud.cloud import LocalCloud
from local.cloud.command import settle
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.demo.cast import CAST, IMAGE, STOP_REASON, Part
from local.demo.view import View, failure
from local.fargate.client import LocalFargate
from local.fargate.pace import parse_speed
from local.fargate.runtime import RuntimeName
from reach.agent import client as agent_client

POLL_SECONDS: Final = 0.1
ACT_SECONDS: Final = 180
SLOW_SECONDS: Final = 180
"""What an act takes longer when tasks take their time as on Fargate (`--speed real`)."""
HEALTH_SECONDS: Final = {RuntimeName.PROCESS: "10", RuntimeName.DOCKER: "20"}
"""Nobody waits long for the agent that cannot be reached; an engine takes longer to start nine containers at once."""
COMMAND: Final = ("sh", "-c", 'echo "hello from inside the container"; echo "pid $$, in $(pwd)"')


class DemoFailed(CloudError):
    """Something did not end as announced."""


def main(options: argparse.Namespace, layout: Layout) -> int:
    """0 only if every container ended as announced. Everything is stopped in any case.

    `options` are those of `add_demo`.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    console.print("[bold]The local cloud[/bold]  (real template.yaml, real Lambda functions, tasks that run)")
    started = time.monotonic()

    def say(line: str) -> None:
        console.print(f"  {line}", markup=False, highlight=False)

    runtime = settle(options.runtime, say)
    cloud = LocalCloud(
        layout,
        parameters={"HealthTimeoutSeconds": HEALTH_SECONDS[runtime]},
        speed=options.speed,
        seed=options.seed,
        runtime=runtime,
        images=[IMAGE],
        say=say,
    )
    with cloud:
        _Demo(cloud, console, patience=ACT_SECONDS + SLOW_SECONDS * parse_speed(options.speed)).play()
    console.print(f"\nEverything is stopped. It took {time.monotonic() - started:.0f} s.")
    return 0


class _Demo:
    """One performance on one cloud."""

    def __init__(self, cloud: LocalCloud, console: Console, parts: Sequence[Part] = CAST, *, patience: float) -> None:
        self._cloud = cloud
        self._console = console
        self._parts = parts
        self._patience = patience
        self._functions = cloud.client("lambda")
        self._store = DynamoStore(cloud.outputs["ContainersTableName"], cloud.client("dynamodb"))
        self._fargate = LocalFargate(cloud.ecs_endpoint)

    def play(self) -> None:
        """Raises `DemoFailed` with everything that was not as announced."""
        self._console.print("\n[bold]Starting containers[/bold]")
        for part in self._parts:
            if part.fault is not None:
                self._fargate.fault(part.container_id, part.fault, **part.fault_parameters)
        with View(self._console, self._parts) as view:
            for encore in (False, True):
                for part in self._parts:
                    if part.encore is encore:
                        self._invoke("StartContainerFunctionArn", part.document)
                        self._watch(view, lambda _: True)
                records = self._watch(view, self._announced)
        self._check(records)
        self._explain(records)
        self._exec(records["keep-alive"])
        self._stop(records)
        self._account()

    def _announced(self, records: Mapping[str, Record]) -> bool:
        """Everyone who has been started is where announced, or will never be."""
        states = {part.name: part.announced for part in self._parts}
        return self._hopeless(records) or all(records[name].state is states[name] for name in records)

    def _hopeless(self, records: Mapping[str, Record]) -> bool:
        """Someone has ended otherwise: no waiting will mend it."""
        return any(
            record.state.ended and record.state is not part.announced
            for part in self._parts
            if (record := records.get(part.name)) is not None
        )

    def _watch(self, view: View, until: Callable[[Mapping[str, Record]], bool]) -> dict[str, Record]:
        """Polls the items as a backend does, until they are as wanted."""
        deadline = time.monotonic() + self._patience
        while True:
            found = self._store.load_many([part.container_id for part in self._parts]).records
            records = {part.name: found[part.container_id] for part in self._parts if part.container_id in found}
            view.show(records)
            if until(records):
                return records
            if time.monotonic() > deadline:
                states = ", ".join(f"{name} is {record.state}" for name, record in records.items())
                raise DemoFailed(f"After {self._patience:.0f} s not everyone is where announced: {states}.")
            time.sleep(POLL_SECONDS)

    def _check(self, records: Mapping[str, Record]) -> None:
        wrong = []
        for part in self._parts:
            record = records.get(part.name)
            if record is None:
                wrong.append(f"{part.name} was never recorded")
            elif record.state is not part.announced:
                wrong.append(f"{part.name} is {record.state}, announced was {part.announced}: {record.error}")
            elif (problem := part.proves(record)) is not None:
                wrong.append(f"{part.name}: {problem}")
        if wrong:
            raise DemoFailed("Not as announced: " + "; ".join(wrong))

    def _explain(self, records: Mapping[str, Record]) -> None:
        self._console.print("\n[bold]What the failed ones say[/bold]")
        for part in self._parts:
            if records[part.name].error is not None:
                self._console.print(failure(part.name, records[part.name]))

    def _exec(self, record: Record) -> None:
        """Docker exec: address and token come from the item, nothing else is known."""
        if record.agent_address is None or record.agent_token is None:
            raise DemoFailed("The healthy container has no address.")
        self._console.print(f"\n[bold]Exec through the agent at {record.agent_address}[/bold]")
        self._console.print(f"  $ {COMMAND[-1]}", markup=False, highlight=False)
        done = agent_client.run(record.agent_address, record.agent_token, COMMAND)
        for line in done.stdout.decode().splitlines():
            self._console.print(f"  {line}", markup=False, highlight=False)
        if done.exit_code != 0:
            raise DemoFailed(f"The command ended with {done.exit_code}: {done.stderr.decode()}")

    def _stop(self, known: Mapping[str, Record]) -> None:
        """The backend stops what still runs; ECS's events end the records."""
        self._console.print("\n[bold]Stopping containers[/bold]")
        for part in self._parts:
            self._invoke("StopContainerFunctionArn", {"container_id": part.container_id, "reason": STOP_REASON})
        # Every minute on a schedule; asked for now, it stops the task that nobody could reach.
        self._invoke("ReconcileFunctionArn", {})
        with View(self._console, self._parts, known) as view:
            self._watch(view, lambda records: all(record.state.ended for record in records.values()))

    def _account(self) -> None:
        """No task may be left, and no record may still show an address."""
        deadline = time.monotonic() + self._patience
        while left := [task["started_by"] for task in self._fargate.tasks() if task["last_status"] != "STOPPED"]:
            if time.monotonic() > deadline:
                raise DemoFailed(f"Tasks still run: {left}.")
            time.sleep(POLL_SECONDS)
        for record in self._store.load_many([part.container_id for part in self._parts]).records.values():
            if record.agent_address is not None or record.agent_token is not None:
                raise DemoFailed(f"Container {record.container_id} still shows an address.")
        calls = self._fargate.calls()
        self._console.print(
            f"\nCalls to ECS for {len(self._parts)} lives: "
            + ", ".join(f"{number} {name}" for name, number in sorted(calls.items())),
            highlight=False,
        )

    def _invoke(self, output: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._functions.invoke(FunctionName=self._cloud.outputs[output], Payload=json.dumps(payload))
        document: dict[str, Any] = json.load(answer["Payload"])
        if "FunctionError" in answer or "error" in document:
            raise DemoFailed(f"{output} answered {document}")
        return document
