"""The names by which a task is found again: by its events, by a retry, by its secret.

An event carries no tags, so everything hangs on RunTask's `startedBy` (contract.md 4):
`<prefix>/<container_id>/<generation>`, at most 128 letters, digits, `-`, `/`, `_` (botocore, RunTask).
The prefix has at most 40 characters (`Settings.started_by_prefix`) and no slash, which leaves 22 digits.
"""

import re
from hashlib import sha256
from typing import Final, NamedTuple

_STARTED_BY: Final = re.compile(r"([^/]*)/([0-9a-f]{64})/([1-9][0-9]{0,17})")


class Ref(NamedTuple):
    """One generation of one container: what a fact speaks of and an action is for."""

    container_id: str
    generation: int


def started_by(prefix: str, ref: Ref) -> str:
    """RunTask's `startedBy`."""
    return f"{prefix}/{ref.container_id}/{ref.generation}"


def parse_started_by(prefix: str | None, text: str) -> Ref | None:
    """None when the task is not one of this prefix; without a prefix, of any."""
    found = _STARTED_BY.fullmatch(text)
    return Ref(found[2], int(found[3])) if found is not None and prefix in (None, found[1]) else None


def client_token(prefix: str, ref: Ref, attempt: int) -> str:
    """RunTask's `clientToken`: the same for a retry of one launch, another for every launch (64 characters).

    boto3 invents a token per call when it is given none, so a repeated function would start a second task.
    The prefix counts, because ECS scopes tokens per cluster and two stacks may share one.
    """
    return sha256(f"{started_by(prefix, ref)}/{attempt}".encode()).hexdigest()


def log_stream(prefix: str, container: str, task_arn: str) -> str:
    """The awslogs driver's stream of one container (ECS Developer Guide, "Send Amazon ECS logs to CloudWatch")."""
    return f"{prefix}/{container}/{task_arn.rpartition('/')[2]}"


def token_parameter(prefix: str, ref: Ref) -> str:
    """The name of the SecureString parameter that holds one generation's agent token (`ssm` delivery)."""
    return f"/{started_by(prefix, ref)}/token"


def container_of_parameter(prefix: str, name: str) -> str | None:
    """The container id in a name that `token_parameter` has made; None for any other parameter."""
    found = parse_started_by(prefix, name.removeprefix("/").removesuffix("/token"))
    return found.container_id if found is not None and name == token_parameter(prefix, found) else None
