"""Reads what the execution role reads before a task's images are pulled: its secrets, and logins to registries.

A failure ends the task in the words of Fargate's agent. None of them has a value of a secret.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.fargate import reasons
from local.fargate.reasons import InitializationFailed

_SECRET: Final = re.compile(r"(arn:[^:]+:secretsmanager:(?:[^:]*:){3}[^:]+)(?::([^:]*):([^:]*):([^:]*))?")
"""ARN, JSON key, version stage and version id."""


class SecretStore:
    """Secrets Manager and Parameter Store of the local AWS; without clients nothing can be read."""

    def __init__(self, clients: dict[str, Any]) -> None:
        self._clients = clients

    async def value(self, value_from: str) -> str:
        """The value that a `valueFrom` names. Raises `InitializationFailed`."""
        secret = _SECRET.fullmatch(value_from)
        if secret is None:
            return await asyncio.to_thread(self._parameter, value_from)
        return await asyncio.to_thread(self._selected, *secret.groups())

    async def login(self, arn: str) -> dict[str, str]:
        """User name and password of a `credentialsParameter`. Raises `InitializationFailed`."""
        return await asyncio.to_thread(self._login, arn)

    def _parameter(self, value_from: str) -> str:
        # The ARN of /a and that of a are the same.
        name = value_from.partition(":parameter/")[2]
        names = [name, f"/{name}"] if name else [value_from]
        found = self._call(
            "ssm", reasons.parameter_unavailable, lambda ssm: ssm.get_parameters(Names=names, WithDecryption=True)
        )["Parameters"]
        if not found:
            raise InitializationFailed(reasons.parameter_unavailable(f"invalid ssm parameters: {name or value_from}"))
        return str(found[0]["Value"])

    def _selected(self, arn: str, key: str | None, stage: str | None, version: str | None) -> str:
        """The whole secret, or the value of its JSON key."""
        chosen = {name: value for name, value in (("VersionStage", stage), ("VersionId", version)) if value}
        text = self._secret(
            {"SecretId": arn, **chosen},
            lambda why: reasons.secret_unavailable(f"failed to fetch secret {arn} from secrets manager: {why}"),
        )
        if not key:
            return text
        try:
            members = json.loads(text)
        except ValueError:
            # Fargate's agent shows the character; it may be part of a password.
            raise InitializationFailed(reasons.secret_unavailable(reasons.NO_JSON)) from None
        if not isinstance(members, dict) or key not in members:
            says = f"retrieved secret from Secrets Manager did not contain json key {key}"
            raise InitializationFailed(reasons.secret_unavailable(says))
        return members[key] if isinstance(members[key], str) else json.dumps(members[key])

    def _login(self, arn: str) -> dict[str, str]:
        text = self._secret(
            {"SecretId": arn},
            lambda why: reasons.login_unavailable(f"asm fetching secret from the service for {arn}: {why}"),
        )
        try:
            members = json.loads(text)
            return {"username": str(members["username"]), "password": str(members["password"])}
        except (ValueError, TypeError, KeyError):
            raise InitializationFailed(reasons.login_unavailable(reasons.NO_LOGIN)) from None

    def _secret(self, chosen: dict[str, str], unavailable: Callable[[str], str]) -> str:
        answer = self._call("secretsmanager", unavailable, lambda service: service.get_secret_value(**chosen))
        return str(answer.get("SecretString", ""))

    def _call(self, service: str, unavailable: Callable[[str], str], call: Callable[[Any], Any]) -> Any:
        if not self._clients:
            raise InitializationFailed(unavailable("no AWS endpoint is configured"))
        try:
            return call(self._clients[service])
        except ClientError as exc:
            error = exc.response["Error"]
            raise InitializationFailed(unavailable(f"{error['Code']}: {error['Message']}")) from exc
        except BotoCoreError as exc:
            raise InitializationFailed(unavailable(str(exc))) from exc
