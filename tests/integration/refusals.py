"""Refusals of ECS, which moto does not make by itself: it throttles nothing, and denies nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.ecs.exceptions import ECSException
from moto.ecs.models import EC2ContainerServiceBackend


@contextmanager
def refused(operation: str, code: str, message: str, times: int) -> Iterator[list[int]]:
    """The first calls of this operation (moto's name) get this error over the wire. Gives how many are left of them."""
    left = [times]
    carried_out: Any = getattr(EC2ContainerServiceBackend, operation)

    def call(*arguments: Any, **named: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise ECSException(code, message)
        return carried_out(*arguments, **named)

    with patch.object(EC2ContainerServiceBackend, operation, call), warnings.catch_warnings():
        # Throttling is in no service's model, and moto says so.
        warnings.filterwarnings("ignore", f".*with code {code} does not match an error shape")
        yield left


@contextmanager
def throttled(operation: str) -> Iterator[list[int]]:
    """The first call meets ECS's limit."""
    with refused(operation, "ThrottlingException", "Rate exceeded", times=1) as left:
        yield left
