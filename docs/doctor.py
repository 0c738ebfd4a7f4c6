"""What docs/reach.md says of `reach doctor`: its checks and the policy that it needs."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator

from reach.doctor.examination import ACCOUNT, ACCOUNT_CHECKS, GROUPS, Check, check_name
from reach.doctor.reads import ACTIONS, CONTAINERS


def checks() -> Iterator[tuple[str, str, str]]:
    """Group, name and rule of each check; a group is named once."""
    for group, members in ((ACCOUNT, ACCOUNT_CHECKS), *((one.name, one.checks) for one in GROUPS)):
        for number, check in enumerate(members):
            yield "" if number else f"`{group}`", f"`{check_name(check)}`", _rule(check)


def policy() -> str:
    """The policy of whoever examines, as JSON. What reads contents is held to the table and the bucket."""
    table = "arn:aws:dynamodb:<region>:<account>:table/<ContainersTableName>"
    bucket = "arn:aws:s3:::<bucket of the agent>"
    of_bucket = [one for one in ACTIONS if one.startswith("s3:")]
    described = [one for one in ACTIONS if one not in of_bucket and one not in CONTAINERS]
    statements = [
        _allowed(described, "*"),
        _allowed(list(CONTAINERS), [table, f"{table}/index/watch-index"]),
        _allowed(of_bucket, [bucket, f"{bucket}/*"]),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _allowed(actions: list[str], resource: str | list[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _rule(check: Check) -> str:
    """The first line of its documentation."""
    return (inspect.getdoc(check) or "").partition("\n\n")[0].replace("\n", " ")
