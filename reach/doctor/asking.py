"""Asks AWS, each question once. The only module of the doctor that calls it for an answer.

An answer is AWS's document, None where AWS says that the thing is not there, or `NotKnown`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from reach.doctor.knowledge import NotAsked, NotKnown

_DENIALS: Final = re.compile(r"AccessDenied|Unauthorized|Forbidden|^403$|NotAuthorized|AuthorizationError")
"""The codes by which AWS's services refuse a call that IAM does not allow: most have a spelling of their own."""
_NAMED: Final = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
_OF_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")


@dataclass(frozen=True, slots=True)
class Read:
    """A call that changes nothing: boto3's names of service and method, and the IAM action that allows it.

    `absent` holds the error codes by which AWS says that the thing is not there.
    """

    service: str
    operation: str
    action: str
    absent: frozenset[str] = frozenset()


class Aws:
    """AWS for one examination. `client` makes a client of a service; each is made once."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._make = client
        self._clients: dict[str, Any] = {}
        self._answers: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client, which the canary calls too."""
        if service not in self._clients:
            self._clients[service] = self._make(service)
        return self._clients[service]

    def is_local(self, service: str) -> bool:
        """Whether an emulator answers for this service, and not AWS."""
        host = urlsplit(self.client(service).meta.endpoint_url).hostname or ""
        return not host.endswith(_OF_AWS)

    def ask(self, read: Read, **request: Any) -> Any:
        """The whole answer, of all pages. None: AWS says that it is not there. Raises `NotKnown`, each time alike."""
        key = f"{read.service} {read.operation} {sorted(request.items())}"
        if key not in self._answers:
            self._answers[key] = self._asked(read, request)
        answer = self._answers[key]
        if isinstance(answer, NotAsked):
            raise NotKnown(answer)
        return answer

    def _asked(self, read: Read, request: dict[str, Any]) -> Any:
        client = self.client(read.service)
        try:
            if client.can_paginate(read.operation):
                return client.get_paginator(read.operation).paginate(**request).build_full_result()
            return getattr(client, read.operation)(**request)
        except ClientError as error:
            answer = error.response.get("Error", {})
            code = answer.get("Code", "Unknown")
            return None if code in read.absent else denied(code, answer.get("Message", ""), read.action)
        except BotoCoreError as error:
            return NotAsked(f"{read.action} was not answered: {error}")


def denied(code: str, message: str, action: str) -> NotAsked:
    """What a refusal of AWS means: the action that is not allowed, by its own words where it names one."""
    said = f"{code}: {message}" if message else code
    if _DENIALS.search(code):
        named = _NAMED.search(message)
        return NotAsked(said, named[1] if named else action)
    return NotAsked(f"{action} was not answered: {said}")
