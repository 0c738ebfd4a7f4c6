"""Policies of resources: which service may assume a role, and what the policy of a file system says of everyone.

Policies of roles are IAM's to evaluate (`reach.doctor.gathering.roles`).
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import unquote

from reach.doctor.knowledge import Document

_MOUNT: Final = "elasticfilesystem:ClientMount"
_EVERYONE: Final[tuple[Any, ...]] = ("*", {"AWS": "*"}, {"AWS": ["*"]})


def trusts(role: Document, service: str, *, account: str) -> bool:
    """Whether the trust policy lets the service of this account assume the role."""
    document = role["AssumeRolePolicyDocument"]
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    return any(_allows(one, service, account) for one in _list(policy["Statement"]))


def denies_mount(document: str) -> bool:
    """Whether the policy of an EFS file system denies mounts to everyone, without a condition."""
    denials = (one for one in _list(json.loads(document)["Statement"]) if one["Effect"] == "Deny")
    return any(one.get("Principal") in _EVERYONE and not one.get("Condition") and _is_of_mounts(one) for one in denials)


def allows_mount(document: str) -> bool:
    """Whether it allows mounts to anyone."""
    return any(one["Effect"] == "Allow" and _is_of_mounts(one) for one in _list(json.loads(document)["Statement"]))


def _is_of_mounts(statement: dict[str, Any]) -> bool:
    return any(fnmatchcase(_MOUNT, pattern) for pattern in _list(statement.get("Action", [])))


def _allows(statement: dict[str, Any], service: str, account: str) -> bool:
    principal = statement.get("Principal", {})
    services = _list(principal.get("Service", [])) if isinstance(principal, dict) else []
    return (
        statement["Effect"] == "Allow"
        and service in services
        and bool({"sts:AssumeRole", "sts:*", "*"} & set(_list(statement["Action"])))
        and _is_for(statement.get("Condition", {}), account)
    )


def _is_for(conditions: dict[str, dict[str, Any]], account: str) -> bool:
    """Whether its conditions on the source, if any, name this account. Other conditions are not read."""
    for values in conditions.values():
        for key, value in values.items():
            if key.lower() == "aws:sourceaccount" and account not in _list(value):
                return False
            if key.lower() == "aws:sourcearn" and not any(_of_account(one, account) for one in _list(value)):
                return False
    return True


def _of_account(arn: str, account: str) -> bool:
    """`arn:partition:service:region:account:...`, which may have wildcards."""
    _, _, rest = arn.partition(":")
    return fnmatchcase(account, ":".join(rest.split(":")[3:4]))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
