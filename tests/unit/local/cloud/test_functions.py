"""What `make up` and `make demo` know of the deployed functions."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import Any

from local.cloud.functions import WORKERS, variables_of_functions, warm
from tests.template import load_template

OUTPUTS = {
    **{f"{name}FunctionArn": f"arn:{name}" for name in WORKERS},
    "ContainersTableName": "table",
}


class Functions:
    """A Lambda client whose invocations of one function meet, as those of workers that start at the same time."""

    def __init__(self) -> None:
        self._together = {f"arn:{name}": threading.Barrier(number) for name, (_, number) in WORKERS.items()}
        self.met: set[str] = set()

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert Payload.startswith(b"{")
        self._together[FunctionName].wait(timeout=10)
        self.met.add(FunctionName)
        return {"Payload": BytesIO(b"{}")}

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - as above
        return {"Environment": {"Variables": {"OF": FunctionName}}}


def test_every_function_is_warmed() -> None:
    """Each function of the template is invoked as often at the same time as it is to have workers."""
    functions = Functions()
    warm(functions, OUTPUTS)
    deployed = {
        name for name, one in load_template()["Resources"].items() if one["Type"] == "AWS::Serverless::Function"
    }
    assert functions.met == {f"arn:{name}" for name in WORKERS}
    assert {f"{name}Function" for name in WORKERS} == deployed


def test_variables_are_the_deployed_ones_and_the_endpoints() -> None:
    """Variables are listed by logical id, as `sam local invoke --env-vars` expects them."""
    variables = variables_of_functions(Functions(), OUTPUTS, ("http://aws", "http://ecs"))
    assert variables.keys() == {f"{name}Function" for name in WORKERS}
    assert variables["TaskStateFunction"] == {
        "OF": "arn:TaskState",
        "AWS_ENDPOINT_URL": "http://aws",
        "AWS_ENDPOINT_URL_ECS": "http://ecs",
    }
