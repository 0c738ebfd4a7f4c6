"""The process of one cold start: `python -m bench.functions.cold MODULE EVENT`, of `handlers`, or `bare`.

Prints CPU seconds of each step, from the interpreter on: the imports, the clients, the event, and the same event again.
The bare function imports boto3, has one DynamoDB client, and reads one item.
"""

import json
import sys
from typing import Any

from bench.functions.context import Context, cpu

steps: dict[str, float] = {}
_module, _event = sys.argv[1:]
_last = cpu()


def step(name: str) -> None:
    """What was used since the last one. Of clients, the sum."""
    global _last
    now = cpu()
    steps[name], _last = steps.get(name, 0.0) + now - _last, now


def _bare() -> Any:
    import boto3  # noqa: PLC0415 - it is measured

    step("imports")
    table = boto3.client("dynamodb")
    step("clients")
    return lambda event, _: table.get_item(TableName="containers", Key={"container_id": {"S": event["container_id"]}})


def _ours() -> Any:
    from botocore.session import Session  # noqa: PLC0415 - as above

    create = Session.create_client

    def measured(*arguments: Any, **options: Any) -> Any:
        step("imports")
        client = create(*arguments, **options)
        step("clients")
        return client

    Session.create_client = measured  # type: ignore[method-assign]  # it only measures
    handler = __import__(f"handlers.{_module}", fromlist=["handler"]).handler
    step("imports")
    return handler


handler = _bare() if _module == "bare" else _ours()
for name in ("first event", "second event"):
    handler(json.loads(_event), Context())
    step(name)
print(json.dumps(steps), file=sys.stderr)
