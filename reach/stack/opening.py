"""The stack that the command line, the environment and the AWS configuration name, ready for a command."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from core.client import ReachClient
from core.model.record import Record
from reach.options import aws_client
from reach.stack import functions
from reach.stack.outputs import STOP, TABLE, Outputs
from reach.stack.short_ids import whole_id


@dataclass(frozen=True, slots=True)
class Stack:
    """Reads containers, and invokes the function that stops them."""

    outputs: Outputs
    client: ReachClient
    profile: str | None
    region: str | None

    def whole_id(self, text: str) -> str:
        """The container that a short id means. Raises as `reach.stack.short_ids.whole_id` does."""
        return whole_id(self.client, text)

    def get(self, text: str) -> Record:
        """The newest record of that container. Raises as `whole_id` and `ReachClient.get` do."""
        return self.client.get(self.whole_id(text))

    def stop(self, container_id: str, reason: str) -> dict[str, Any]:
        """StopContainerFunction's answer. Raises `CallFailed`."""
        function = self.outputs[STOP]
        client = aws_client("lambda", profile=self.profile, region=self.region)
        return functions.invoke(client, function, {"container_id": container_id, "reason": reason})


def opened(name: str | None, *, profile: str | None, region: str | None) -> Stack:
    """Finds the stack's table. Raises `Refused`, `CallFailed`."""
    from core.adapters.clients import reach_client  # noqa: PLC0415 - brings boto3

    outputs = Outputs(name, os.environ, lambda: aws_client("cloudformation", profile=profile, region=region))
    table = outputs[TABLE]
    return Stack(outputs, reach_client(table, aws_client("dynamodb", profile=profile, region=region)), profile, region)
