"""Agent tokens in the Systems Manager Parameter Store (`ssm` delivery)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from core.adapters.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class SsmTokenVault:
    """Implements `core.ports.TokenVault` with SecureString parameters under the account's default key."""

    def __init__(self, client: SSMClient) -> None:
        self._client = client

    def put(self, name: str, token: str) -> None:
        """PutParameter. It overwrites the parameter of an earlier attempt of the same start, with the same token."""
        with translated("PutParameter"):
            self._client.put_parameter(
                Name=name,
                Value=token,
                Type="SecureString",
                Overwrite=True,
                Description="Token of one container's agent; deleted when the container ends.",
            )

    def names(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """DescribeParameters, page by page, without values."""
        with translated("DescribeParameters"):
            pages = self._client.get_paginator("describe_parameters").paginate(
                ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": [f"/{prefix}"]}]
            )
            for page in pages:
                for parameter in page["Parameters"]:
                    yield parameter["Name"], parameter["LastModifiedDate"]

    def erase(self, name: str) -> None:
        """DeleteParameter. Repeating it changes nothing."""
        with translated("DeleteParameter"), suppress(self._client.exceptions.ParameterNotFound):
            self._client.delete_parameter(Name=name)
