"""The stack's functions in this process, each as Lambda would have it: this is the one place that loads them.

A function has modules of its own (`handlers` and what lies below, imported anew), so that no two functions share a
client or a setting. While it is imported and while it runs, its environment is what template.yaml gives it, and
nothing else; its calls are those its role allows, by their actions alone, and any other is refused as IAM refuses.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import import_module
from types import ModuleType
from typing import Any, Final
from unittest.mock import patch
from uuid import uuid4

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.moto_aws import ACCOUNT, REGION
from tests.template import Resolved

_PACKAGE: Final = "handlers"
_make_api_call: Final[Any] = BaseClient._make_api_call  # type: ignore[attr-defined]  # the stubs leave it out


@dataclass
class Context:
    """Lambda's, as far as the handlers and Powertools look at it."""

    function_name: str
    seconds: float
    memory_limit_in_mb: int = 256
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    _began: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.seconds - (time.monotonic() - self._began)) * 1000)


class Function:
    """One function of the template. Call it with an event: the answer, or what Lambda would report as an error."""

    def __init__(self, stack: Resolved, template: Mapping[str, Any], name: str) -> None:
        """`name`: its logical id in the template, which `stack` resolves. Nothing is imported before the first call."""
        properties = {**template["Globals"]["Function"], **template["Resources"][name]["Properties"]}
        [role] = properties["Role"]["Fn::GetAtt"][:1]
        self._name = name
        self._handler = properties["Handler"]
        self._seconds = properties["Timeout"]
        self._allowed = _actions(stack.value(template["Resources"][role]["Properties"]["Policies"]))
        # The variables of the template, and those of Lambda's own that matter here.
        self._environment = {
            **stack.environment(name),
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        self.modules: dict[str, ModuleType] = {}
        """Its own of the handlers, by name."""

    def __call__(self, event: dict[str, Any]) -> Any:
        with self._worker():
            module, _, handler = self._handler.rpartition(".")
            return getattr(import_module(module), handler)(event, Context(self._name, self._seconds))

    @contextmanager
    def _worker(self) -> Iterator[None]:
        others = _taken()
        sys.modules.update(self.modules)
        try:
            with (
                patch.dict(os.environ, self._environment, clear=True),
                patch.object(BaseClient, "_make_api_call", self._authorised()),
            ):
                yield
        finally:
            self.modules = _taken()
            sys.modules.update(others)

    def _authorised(self) -> Any:
        def call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
            action = f"{client.meta.service_model.signing_name}:{operation}"
            if not any(fnmatchcase(action, one) for one in self._allowed):
                said = f"{self._name} is not authorized to perform: {action}"
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": said}}, operation)
            return _make_api_call(client, operation, parameters)

        return call


def _actions(policies: list[dict[str, Any]]) -> tuple[str, ...]:
    """What the policies of a role allow. Resources and conditions are checked by tests of the template."""
    statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    allowed = [one["Action"] for one in statements if one["Effect"] == "Allow"]
    return tuple(action for many in allowed for action in ([many] if isinstance(many, str) else many))


def _taken() -> dict[str, ModuleType]:
    """The modules of the handlers, out of `sys.modules`."""
    names = [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]
    return {name: sys.modules.pop(name) for name in names}
