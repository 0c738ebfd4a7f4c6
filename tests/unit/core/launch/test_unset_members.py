"""What Docker's clients send for "not set", and the schema that says what the parser takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from core.launch.binds import EfsBind, S3FilesBind
from core.launch.documents import StrictDocument
from core.launch.limits import Limits, Ulimit
from core.launch.parse import parse_start_request, start_request_schema
from core.launch.request import LogOptions, StartRequest
from core.model.errors import Refused
from tests.factories import CONTAINER_ID
from tests.unit.core.launch.requests import (
    DOCUMENTS,
    NOFILE,
    PARAMETER,
    S3_ACCESS_POINT,
    S3_FILE_SYSTEM,
    SECRET,
    document,
)

NOTHING = (None, "")
BIND = {"file_system_id": "fs-0123456789abcdef0", "container_path": "/data"}
SCHEMA = Draft202012Validator(json.loads(start_request_schema()))
WHOLE = document(
    entrypoint=["sh"],
    environment={"A": ""},
    secrets={"B": SECRET},
    working_dir="/srv",
    user="1000",
    labels={"team": ""},
    limits=dict.fromkeys(Limits.model_fields, 1),
    platform="ARM64",
    ephemeral_storage_gib=21,
    efs_binds=[{**BIND, "access_point_id": "fsap-0123456789abcdef0", "root_directory": "/", "read_only": True}],
    s3_files_binds=[
        {
            "file_system_arn": S3_FILE_SYSTEM,
            "access_point_arn": S3_ACCESS_POINT,
            "root_directory": "/",
            "container_path": "/bucket",
            "read_only": True,
        }
    ],
    ulimits=[NOFILE],
    stop_timeout=60,
    read_only_root=True,
    cap_add=["SYS_PTRACE"],
    cap_drop=["ALL"],
    init=False,
    health_check=False,
    security_groups=["sg-0a1b2c3d"],
    repository_credentials=SECRET,
    task_role_arn="arn:aws:iam::123456789012:role/task",
    injection="efs",
    token_delivery="ssm",
    health_timeout=1,
    start_timeout=1,
    capacity="spot-first",
    generation=3,
    max_lifetime=60,
    log={"group": "/g", "stream_prefix": "p", "mode": "blocking", "max_buffer_size": "1m"},
)
"""A request with every member."""
HOLDERS: dict[str, tuple[type[StrictDocument], tuple[str | int, ...]]] = {
    "request": (StartRequest, ()),
    "limits": (Limits, ("limits",)),
    "bind": (EfsBind, ("efs_binds", 0)),
    "s3_files_bind": (S3FilesBind, ("s3_files_binds", 0)),
    "ulimit": (Ulimit, ("ulimits", 0)),
    "log": (LogOptions, ("log",)),
}
"""Every object of a request, and where it is in `WHOLE`."""
MEMBERS = [
    pytest.param(path, name, field.is_required(), id=f"{holder}.{name}")
    for holder, (model, path) in HOLDERS.items()
    for name, field in model.model_fields.items()
]


def changed(path: tuple[str | int, ...], **members: Any) -> dict[str, Any]:
    """`WHOLE` with these members at that place."""
    whole: dict[str, Any] = json.loads(json.dumps(WHOLE))
    place: Any = whole
    for step in path:
        place = place[step]
    place.update(members)
    return whole


def without(path: tuple[str | int, ...], name: str) -> dict[str, Any]:
    """`WHOLE` without that member."""
    whole = changed(path)
    place: Any = whole
    for step in path:
        place = place[step]
    del place[name]
    return whole


def taken(value: object) -> bool:
    """Whether the parser takes it."""
    try:
        parse_start_request(value)
    except Refused:
        return False
    return True


def test_a_request_with_every_member_is_taken() -> None:
    """The table below is about every member that a request can have."""
    for model, path in HOLDERS.values():
        place: Any = WHOLE
        for step in path:
            place = place[step]
        assert place.keys() == model.model_fields.keys()
    assert taken(WHOLE)
    assert SCHEMA.is_valid(WHOLE)


@pytest.mark.parametrize("nothing", NOTHING, ids=["null", "empty"])
@pytest.mark.parametrize(("path", "name", "required"), MEMBERS)
def test_a_member_without_a_value_is_an_absent_one(
    path: tuple[str | int, ...], name: str, required: bool, nothing: Any
) -> None:
    """One rule for every member at every depth, for the parser and the schema: required ones are missing then."""
    empty, absent = changed(path, **{name: nothing}), without(path, name)

    assert taken(empty) is taken(absent) is not required
    assert SCHEMA.is_valid(empty) is SCHEMA.is_valid(absent) is not required
    if not required:
        assert parse_start_request(empty) == parse_start_request(absent)


@pytest.mark.parametrize("odd", ["\n", " ", "*", "/", "=", ":", "é", "x" * 5000, [" "], {" ": " "}, {"": "="}])
@pytest.mark.parametrize(("path", "name", "required"), MEMBERS)
def test_a_refusal_has_a_sentence(path: tuple[str | int, ...], name: str, required: bool, odd: Any) -> None:
    """No member's refusal shows a regular expression, whatever the value."""
    said = ""
    try:
        parse_start_request(changed(path, **{name: odd}))
    except Refused as refused:
        said = refused.failure.message
    assert "pattern" not in said


def test_elements_and_values_may_be_empty() -> None:
    """They are no members: an empty argument, variable or label is one."""
    request = parse_start_request(document(cmd=["echo", ""], environment={"A": ""}, labels={"b": ""}))

    assert (request.cmd, request.environment, request.labels) == (("echo", ""), {"A": ""}, {"b": ""})


@pytest.mark.parametrize("nothing", NOTHING, ids=["null", "empty"])
def test_an_unknown_member_is_refused_also_without_a_value(nothing: Any) -> None:
    """A misspelt name is refused, whatever its value."""
    assert not taken(document(Entrypoint=nothing))
    assert not SCHEMA.is_valid(document(Entrypoint=nothing))


def test_one_empty_word_resets_the_entry_point() -> None:
    """`docker run --entrypoint ""` sends [""]: no entry point, and cmd is the whole command."""
    request = parse_start_request(document(entrypoint=[""], cmd=["sh", "-c", "echo hi"]))

    assert (request.entrypoint, request.cmd) == ((), ("sh", "-c", "echo hi"))


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [
        (document(entrypoint=[""]), True),
        (document(entrypoint=["sh"], cmd=[]), True),
        (document(entrypoint=["sh"], cmd=[""]), True),
        (document(entrypoint=["sh", ""], cmd=None), True),
        (document(cmd=[""]), False),
        (document(entrypoint=[""], cmd=[""]), False),
        (document(entrypoint=[""], cmd=None), False),
        (document(entrypoint=[], cmd=""), False),
        (document(entrypoint=["", "sh"]), False),
        (document(entrypoint=["", ""]), False),
        ({"container_id": CONTAINER_ID, "image": "nginx"}, False),
        (document(cmd=[None]), False),
        (document(environment={"A": None}), False),
        (document(labels={"a": None}), False),
        (document(efs_binds=[None]), False),
        (document(ulimits=[""]), False),
        (document(user=" "), False),
        (document(user="1000:"), True),
        (document(user="1000:1:"), False),
        (document(image="reg.example.com:5000/team/app:1"), True),
        (document(image="MyOrg/App"), False),
        (document(image="sha256:" + "0f" * 32), False),
        (document(image="0f" * 32), False),
        (document(stop_timeout=0), True),
        (document(stop_timeout=120), True),
        (document(stop_timeout=-1), False),
        (document(stop_timeout=121), False),
        (document(ulimits=[]), True),
        (document(ulimits=[NOFILE, NOFILE]), False),
        (document(ulimits=[{**NOFILE, "name": "nproc"}]), False),
        (document(ulimits=[{**NOFILE, "hard": 0}]), False),
        (document(read_only_root="yes"), False),
        (document(cap_add=["CAP_SYS_PTRACE", "sys_ptrace"]), True),
        (document(cap_add=["ALL"]), False),
        (document(cap_drop=["ALL", "cap_net_raw"]), True),
        (document(cap_drop="ALL"), False),
        (document(cap_drop=["NET_ROW"]), False),
        (document(cap_add=["cap_chown"]), True),
        (document(cap_add=["SYS_ADMIN"]), False),
        (document(init=True), False),
        (document(health_check={"Test": ["CMD", "true"]}), False),
        (document(security_groups=["sg-0a1b2c3d"] * 6), False),
        (document(security_groups=["web"]), False),
        (document(secrets={"A": PARAMETER, "B": f"{SECRET}:key:AWSCURRENT:"}), True),
        (document(secrets={"A": f"{SECRET}:key"}), False),
        (document(secrets={"SOCKERLESS_AGENT_TOKEN": PARAMETER}), False),
        (document(secrets={"A": ""}), False),
        (document(repository_credentials="registry"), False),
        (document(repository_credentials=SECRET.replace("arn:aws:", "arn:aws-cn:")), True),
    ],
)
def test_the_schema_says_what_the_parser_takes(value: dict[str, Any], is_taken: bool) -> None:
    """A backend that validates with the schema sends nothing that is refused for its spelling, and omits nothing."""
    assert (taken(value), SCHEMA.is_valid(value)) == (is_taken, is_taken)


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [*NOTHING, [], {}, 0, -1, 121, True, "x", [""], ["", "x"], [None], {"": ""}, [{}], [NOFILE]]
)


@given(DOCUMENTS, st.dictionaries(st.sampled_from(sorted(WHOLE)), ODD, max_size=3))
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
def test_the_schema_refuses_nothing_that_the_parser_takes(value: dict[str, Any], odd: dict[str, Any]) -> None:
    """The schema is never stricter: what it cannot say (paths in their shortest form) only the parser checks."""
    if taken(changed_document := {**value, **odd}):
        SCHEMA.validate(changed_document)
