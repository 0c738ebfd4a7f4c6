"""StartContainerFunction: the backend's synchronous start."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.control.start import start_container
from core.model.errors import Refused
from core.model.state import State
from handlers.app import TABLE, TASKS, YIELDING_TASKS, App, prepare
from handlers.telemetry import count, logger, refusal

app = App("StartContainerFunction")
prepare(TABLE, TASKS, YIELDING_TASKS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"container_id", "generation", "state", "task_arn", "task_definition_arn"}`, or `{"error": …}`."""
    try:
        record = start_container(app, event, context.aws_request_id)
    except Refused as refused:
        return refusal(refused, event)
    if record.state is State.PENDING:  # and not what became of an earlier start
        count("StateEntered", state=State.PENDING)
    tasks = {"task_arn": record.task_arn, "task_definition_arn": record.task_definition_arn}
    return {**record.ref._asdict(), "state": record.state, **tasks}
