"""The stack that the command line, the environment and the AWS configuration name, ready for a command."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.adapters.clock import SystemClock
from core.client import ReachClient, Reader
from core.model.errors import CallFailed
from core.model.facts import MAIN
from core.model.record import Record
from reach.options import PATIENCE, Patience, aws_client
from reach.showing.last_lines import MOST, NO_GROUP, LastLines, are_wanted, unread
from reach.stack import functions
from reach.stack.outputs import START, STOP, TABLE, Outputs
from reach.stack.short_ids import whole_id
from reach.stack.watching import Watched

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


@dataclass(frozen=True, slots=True)
class Stack:
    """Reads containers and what they print, and invokes the functions that start and stop them."""

    outputs: Outputs
    store: Reader
    profile: str | None
    region: str | None

    @property
    def client(self) -> ReachClient:
        """Reads items."""
        return ReachClient(self.store, SystemClock())

    def watched(self, seen: Callable[[Record], object]) -> ReachClient:
        """The same, and `seen` gets each record that a wait polls."""
        return ReachClient(Watched(self.store, seen), SystemClock())

    def whole_id(self, text: str) -> str:
        """The container that a short id means. Raises as `reach.stack.short_ids.whole_id` does."""
        return whole_id(self.client, text)

    def get(self, text: str) -> Record:
        """The newest record of that container. Raises as `whole_id` and `ReachClient.get` do."""
        return self.client.get(self.whole_id(text))

    def start(self, request: dict[str, Any]) -> dict[str, Any]:
        """StartContainerFunction's answer to one send. Raises as `functions.invoke` does."""
        return self._invoke(START, request)

    def stop(self, container_id: str, reason: str) -> dict[str, Any]:
        """StopContainerFunction's answer. Raises as `functions.invoke` does.

        One that came to nothing is sent again. Without an answer it may have stopped the container, and another send
        would stop what was started since.
        """
        request = {"container_id": container_id, "reason": reason}
        return functions.repeated(lambda: self._invoke(STOP, request), SystemClock(), unanswered=False)

    def _invoke(self, output: str, request: dict[str, Any]) -> dict[str, Any]:
        function = self.outputs[output]
        # botocore would repeat the call unseen, and give up a function that still works.
        once = Patience(read=functions.SECONDS, attempts=1)
        client = aws_client("lambda", profile=self.profile, region=self.region, patience=once)
        return functions.invoke(client, function, request, single=True)

    def logs(self) -> CloudWatchLogsClient:
        """boto3's client of CloudWatch Logs."""
        client: CloudWatchLogsClient = aws_client("logs", profile=self.profile, region=self.region)
        return client

    def last_lines(self, record: Record) -> LastLines | None:
        """What the container printed last, where it may say why. A call that fails is said, and raises nothing."""
        if not are_wanted(record) or record.task_arn is None:
            return None
        if record.logs is None:
            return LastLines(unread=NO_GROUP)
        from core.adapters.logs import CloudWatchOutput  # noqa: PLC0415 - brings botocore

        output = CloudWatchOutput(self.logs(), record.logs.group, record.logs.stream_prefix)
        try:
            return LastLines(output.last_lines(record.task_arn, MAIN, MOST))
        except CallFailed as failed:
            return LastLines(unread=unread(failed, record.logs.group))


def opened(name: str | None, *, profile: str | None, region: str | None, patience: Patience = PATIENCE) -> Stack:
    """Finds the stack's table. Raises `Refused`, `CallFailed`."""
    from core.adapters.dynamodb import DynamoStore  # noqa: PLC0415 - brings boto3

    def client(service: str) -> Any:
        return aws_client(service, profile=profile, region=region, patience=patience)

    outputs = Outputs(name, os.environ, lambda: client("cloudformation"))
    return Stack(outputs, DynamoStore(outputs[TABLE], client("dynamodb")), profile, region)
