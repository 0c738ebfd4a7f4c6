"""What may leave the account: an event without the values that its task was started with. Pure.

ECS echoes RunTask's overrides in clear text in every event, because an override can hold no reference to a secret
(botocore, ContainerOverride), and its reasons may quote them. Names stay, because they tell a story; values go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

REDACTED: Final = "***"
SECRET_NAME: Final = re.compile(r"TOKEN|SECRET|PASSWORD|KEY", re.IGNORECASE)
"""A member, or a variable, of such a name hides everything below it."""
VALUES: Final = frozenset({"environment", "command"})
"""Members of an override that hold what the caller gave: arguments carry passwords as often as variables do."""
PROSE: Final = frozenset({"reason", "stoppedReason"})
RECOGNISED: Final = 6
"""A value of fewer characters (`true`, `9111`) is a word of any sentence: it is not replaced in a reason."""


def redacted(document: Any) -> Any:
    """A copy in which no environment value, no argument of a command and no member of a secret's name can be read.

    What was taken out is taken out of the reasons too. What the state machine reads stays as it is. Redacting twice
    changes nothing.
    """
    taken: set[str] = set()
    copy = _hidden(document, taken)
    return _reworded(copy, sorted((one for one in taken if len(one) >= RECOGNISED), key=len, reverse=True))


def _hidden(value: Any, taken: set[str]) -> Any:
    match value:
        case Mapping():
            secret_pair = _is_secret(value.get("name"))
            return {
                name: _blank(one, taken, names=name in VALUES)
                if name in VALUES or _is_secret(name) or (secret_pair and name == "value")
                else _hidden(one, taken)
                for name, one in value.items()
            }
        case list():
            return [_hidden(one, taken) for one in value]
        case _:
            return value


def _blank(value: Any, taken: set[str], *, names: bool) -> Any:
    """Nothing but the shape. With `names` the names of name-value pairs stay."""
    match value:
        case None:
            return None
        case Mapping():
            pair = names and "name" in value and "value" in value
            return {
                name: one if pair and name == "name" else _blank(one, taken, names=names) for name, one in value.items()
            }
        case list():
            return [_blank(one, taken, names=names) for one in value]
        case _:
            taken.add(str(value))
            return REDACTED


def _reworded(value: Any, taken: list[str], *, prose: bool = False) -> Any:
    match value:
        case Mapping():
            return {name: _reworded(one, taken, prose=name in PROSE) for name, one in value.items()}
        case list():
            return [_reworded(one, taken) for one in value]
        case str() if prose:
            for secret in taken:
                value = value.replace(secret, REDACTED)
            return value
        case _:
            return value


def _is_secret(name: Any) -> bool:
    return isinstance(name, str) and SECRET_NAME.search(name) is not None
