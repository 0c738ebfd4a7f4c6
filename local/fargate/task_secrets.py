"""The `secrets` of a task definition, read from the local AWS as the execution role would."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.fargate import reasons
from local.fargate.errors import InitializationFailed


class SecretSource(Protocol):
    """Where secrets come from."""

    async def read(self, value_from: str) -> str:
        """The value. Raises `InitializationFailed`."""


class NoSecrets:
    """For a server without an AWS endpoint."""

    async def read(self, value_from: str) -> str:
        """Always refuses."""
        raise InitializationFailed(reasons.secret_unavailable(value_from, "no AWS endpoint is configured"))


class AwsSecrets:
    """Parameter Store (ARN or name) and Secrets Manager (ARN). JSON keys of a secret are not selected."""

    def __init__(self, session: Any, endpoint: str) -> None:
        self._ssm = session.client("ssm", endpoint_url=endpoint)
        self._secrets_manager = session.client("secretsmanager", endpoint_url=endpoint)

    async def read(self, value_from: str) -> str:
        """The current value. Raises `InitializationFailed` with ECS's words."""
        try:
            return await asyncio.to_thread(self._read, value_from)
        except (BotoCoreError, ClientError) as exc:
            raise InitializationFailed(reasons.secret_unavailable(value_from, str(exc))) from exc

    def _read(self, value_from: str) -> str:
        if ":secretsmanager:" in value_from:
            return str(self._secrets_manager.get_secret_value(SecretId=value_from)["SecretString"])
        name = value_from.partition(":parameter")[2] or value_from
        return str(self._ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
