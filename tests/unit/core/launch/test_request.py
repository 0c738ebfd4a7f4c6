"""What a start and a stop request may hold, and how a wrong one is refused."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.launch.ecs_rules import TaskSize
from core.launch.parse import SCHEMA_FILE, parse_start_request, start_request_schema
from core.launch.settings import TokenDelivery
from core.launch.stop_request import parse_stop_request
from core.model.agent import AgentVariable, Injection
from core.model.errors import Refused
from core.model.failure import ErrorCode
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

ROOT = Path(__file__).parents[4]
BIND = {"file_system_id": "fs-0123456789abcdef0", "container_path": "/data"}
S3_BIND = {"file_system_arn": S3_FILE_SYSTEM, "container_path": "/bucket"}


def refusal(value: object) -> str:
    """The message of the refusal that this document meets."""
    with pytest.raises(Refused) as caught:
        parse_start_request(value)
    assert caught.value.failure.code is ErrorCode.INVALID_REQUEST
    assert SCHEMA_FILE in caught.value.failure.remedy
    return caught.value.failure.message


def test_the_least_request() -> None:
    """An id, an image and a command are enough; everything else follows the stack."""
    request = parse_start_request(document())
    assert request.cmd == ("nginx", "-g", "daemon off;")
    assert (request.entrypoint, request.environment, request.labels, request.efs_binds) == ((), {}, {}, ())
    assert (request.injection, request.token_delivery, request.log, request.task_role_arn) == (None, None, None, None)
    assert request.limits.size == TaskSize(256, 512)


def test_names_become_their_types() -> None:
    """A JSON document has texts and arrays where the model has enumerations and tuples."""
    request = parse_start_request(document(injection="image", token_delivery="ssm", efs_binds=[BIND]))
    assert request.injection is Injection.IMAGE
    assert request.token_delivery is TokenDelivery.SSM
    assert request.efs_binds[0].container_path == "/data"


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({}, TaskSize(256, 512)),
        ({"nano_cpus": 0, "cpu_shares": 0, "memory_bytes": 0}, TaskSize(256, 512)),
        ({"nano_cpus": 500_000_000}, TaskSize(512, 1024)),
        ({"cpu_shares": 1024}, TaskSize(1024, 2048)),
        ({"memory_bytes": 3 * 2**30}, TaskSize(512, 3072)),
        ({"memory_reservation_bytes": 4 * 2**30}, TaskSize(512, 4096)),
        ({"memory_reservation_bytes": 2**30, "memory_bytes": 2 * 2**30}, TaskSize(256, 2048)),
        ({"memory_reservation_bytes": 2**30, "memory_bytes": 2**30}, TaskSize(256, 1024)),
        ({"memory_reservation_bytes": 2**30, "memory_mib": 512}, TaskSize(256, 1024)),
        ({"memory_mib": 512, "cpu_units": 257}, TaskSize(512, 1024)),
        ({"memory_mib": 122880}, TaskSize(16384, 122880)),
        ({"memory_mib": 122881}, TaskSize(32768, 249856)),
        ({"nano_cpus": 32 * 10**9}, TaskSize(32768, 61440)),
        ({"cpu_units": 16385, "memory_mib": 61441}, TaskSize(32768, 122880)),
        ({"nano_cpus": 250_000_000, "cpu_units": 2048, "memory_bytes": 1, "memory_mib": 5000}, TaskSize(2048, 5120)),
    ],
)
def test_limits_become_the_smallest_size(limits: dict[str, int], size: TaskSize) -> None:
    """Docker's limits and ECS's, together or alone, are held by one Fargate size."""
    assert parse_start_request(document(limits=limits)).limits.size == size


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"container_id": "abc"}, "container_id: must be 64 lowercase hexadecimal characters"),
        ({"container_id": "A" * 64}, "container_id: must be 64"),
        ({"container_id": CONTAINER_ID + "\n"}, "container_id: must be 64"),
        ({"image": ""}, "image: is required"),
        ({"image": "a b"}, "image: must be an image of a registry (registry.example.com:5000/team/app:tag"),
        ({"image": 5}, "image: must be a string"),
        ({"cmd": "nginx -g"}, "cmd: must be an array"),
        ({"cmd": ["a", 1]}, "cmd[1]: must be a string"),
        ({"cmd": ["a", "b\0"]}, "cmd[1]: must not contain a NUL character"),
        ({"cmd": ["a", "\ud800"]}, "cmd[1]: must be valid Unicode"),
        ({"cmd": [""]}, "cmd[0] is empty"),
        ({"entrypoint": ["", "x"]}, "entrypoint[0] is empty"),
        ({"environment": ["A=1"]}, "environment: must be an object"),
        ({"environment": {"A": 1}}, "environment.A: must be a string"),
        ({"environment": {"": "1"}}, "environment.: is not a variable's name"),
        ({"working_dir": "app"}, "working_dir: must be an absolute path: it begins with /"),
        ({"user": "a:b:c"}, "user: must be user, uid, user:group or uid:gid"),
        ({"labels": {"a": None}}, "labels.a: must be a string"),
        ({"limits": {"memory_mib": 249857}}, "limits.memory_mib: must be less than or equal to 249856"),
        ({"limits": {"nano_cpus": 32_000_000_001}}, "limits.nano_cpus: must be less than or equal to 32000000000"),
        ({"labels": {"": "b"}}, "labels: must not have an empty name"),
        ({"labels": {"a": "ü" * 32768}}, "labels: must have at most 65536 bytes in all names and values"),
        ({"limits": {"memory_bytes": "512m"}}, "limits.memory_bytes: must be a whole number"),
        ({"limits": {"cpu_units": True}}, "limits.cpu_units: must be a whole number"),
        (
            {"limits": {"memory_bytes": 2**30 - 1, "memory_reservation_bytes": 2**30}},
            "limits: memory_reservation_bytes must not be more than memory_bytes",
        ),
        ({"limits": {"memory": 1}}, "limits.memory: is unknown; allowed are nano_cpus, cpu_shares, memory_bytes,"),
        ({"limits": 1}, "limits: must be an object"),
        ({"platform": "arm64"}, "platform: must be 'X86_64' or 'ARM64'"),
        ({"ephemeral_storage_gib": 20}, "ephemeral_storage_gib: must be greater than or equal to 21"),
        ({"ephemeral_storage_gib": 201}, "ephemeral_storage_gib: must be less than or equal to 200"),
        ({"efs_binds": [{}]}, "efs_binds[0].file_system_id: is required; efs_binds[0].container_path: is required"),
        (
            {"efs_binds": [{**BIND, "file_system_id": "x"}]},
            "efs_binds[0].file_system_id: must be the id of an EFS file system (fs-...)",
        ),
        ({"efs_binds": [{**BIND, "source": "x"}]}, "efs_binds[0].source: is unknown; allowed are file_system_id,"),
        (
            {"efs_binds": [{**BIND, "container_path": "/"}]},
            "efs_binds[0].container_path: must be an absolute path below /",
        ),
        (
            {"efs_binds": [{**BIND, "container_path": "/a/../b"}]},
            "efs_binds[0].container_path: must be in its shortest",
        ),
        ({"efs_binds": [{**BIND, "container_path": "/a/"}]}, "efs_binds[0].container_path: must be in its shortest"),
        ({"efs_binds": [{**BIND, "container_path": "/sockerless-agent"}]}, "must not be or be in /sockerless-agent"),
        ({"efs_binds": [{**BIND, "container_path": "/sockerless-agent/x"}]}, "must not be or be in /sockerless-agent"),
        ({"efs_binds": [{**BIND, "read_only": "no"}]}, "efs_binds[0].read_only: must be true or false"),
        ({"efs_binds": [BIND, BIND]}, "efs_binds: container_path /data is mounted more than once"),
        (
            {"efs_binds": [{**BIND, "access_point_id": "fsap-0123456789abcdef0", "root_directory": "/x"}]},
            "efs_binds[0]: root_directory must be left out",
        ),
        (
            {"s3_files_binds": [{}]},
            "s3_files_binds[0].file_system_arn: is required; s3_files_binds[0].cont",
        ),
        (
            {"s3_files_binds": [{**S3_BIND, "file_system_arn": "fs-01234567"}]},
            "[0].file_system_arn: must be the whole ARN",
        ),
        (
            {"s3_files_binds": [{**S3_BIND, "access_point_arn": "fsap-1"}]},
            "[0].access_point_arn: must be the whole ARN",
        ),
        ({"s3_files_binds": [{**S3_BIND, "bucket": "x"}]}, "s3_files_binds[0].bucket: is unknown; allowed are file_sy"),
        ({"s3_files_binds": [{**S3_BIND, "container_path": "/sockerless-agent"}]}, "must not be or be in /sockerless-"),
        (
            {"s3_files_binds": [{**S3_BIND, "access_point_arn": S3_ACCESS_POINT, "root_directory": "/x"}]},
            "s3_files_binds[0]: root_directory must be left out",
        ),
        (
            {"s3_files_binds": [{**S3_BIND, "access_point_arn": S3_ACCESS_POINT.replace("fs-0", "fs-1")}]},
            "s3_files_binds[0]: access_point_arn must be one of file_system_arn",
        ),
        ({"s3_files_binds": [S3_BIND, S3_BIND]}, ": s3_files_binds: container_path /bucket is mounted more than once"),
        (
            {"efs_binds": [BIND], "s3_files_binds": [S3_BIND, {**S3_BIND, "container_path": "/data"}]},
            "efs_binds and s3_files_binds: container_path /data is mounted more than once",
        ),
        ({"ulimits": [{"name": "memlock", "soft": 1, "hard": 1}]}, "ulimits[0].name: must be 'nofile'"),
        ({"ulimits": [{**NOFILE, "soft": 65536}]}, "ulimits[0]: soft must not be greater than hard"),
        ({"ulimits": [{**NOFILE, "hard": -1}]}, "ulimits[0].hard: must be greater than or equal to 1"),
        ({"ulimits": [{**NOFILE, "hard": 2**20 + 1}]}, "ulimits[0].hard: must be less than or equal to 1048576"),
        ({"ulimits": [{**NOFILE, "Soft": 1}]}, "ulimits[0].Soft: is unknown; allowed are name, soft, hard"),
        ({"ulimits": [NOFILE, NOFILE]}, "ulimits: must have at most 1 item"),
        ({"stop_timeout": -1}, "stop_timeout: must be from 0 to 120: Fargate kills what has not ended 120 seconds"),
        ({"stop_timeout": 121}, "stop_timeout: must be from 0 to 120: Fargate kills what has not ended 120 seconds"),
        ({"stop_timeout": "60"}, "stop_timeout: must be a whole number"),
        ({"read_only_root": 1}, "read_only_root: must be true or false"),
        (
            {"cap_add": ["SYS_PTRACE", "NET_ADMIN"]},
            "cap_add[1]: is not available: Fargate adds SYS_PTRACE and",
        ),
        ({"cap_add": ["CAP_CAP_SYS_PTRACE"]}, "cap_add[0]: is not available"),
        ({"cap_add": "SYS_PTRACE"}, "cap_add: must be an array"),
        ({"cap_drop": ["NET_RAW", "NET_ROW"]}, "cap_drop[1]: is none that ECS drops (ECS API Reference, KernelCapabil"),
        ({"init": True}, "init: is refused: ECS's init process (initProcessEnabled) would start although the agent"),
        ({"init": 0}, "init: is refused: "),
        ({"health_check": True}, "health_check: is refused: ECS would run it and report to DescribeTasks alone"),
        ({"health_check": {"Test": ["CMD", "true"]}}, "run the check through exec"),
        ({"security_groups": ["web"]}, "security_groups[0]: must be the id of a security group (sg-...)"),
        ({"security_groups": ["sg-0a1b2c3d"] * 6}, "security_groups: must have at most 5 items"),
        ({"secrets": {"A": None}}, "secrets.A: must be a string"),
        ({"secrets": {"A": "hunter2"}}, "secrets.A: must be the ARN of a Secrets Manager secret, alone or followed by"),
        ({"secrets": {"A": f"{SECRET}:key"}}, "secrets.A: must be the ARN"),
        ({"secrets": {"A": f"{SECRET}:key:stage:id"}}, "not both versions given"),
        ({"secrets": {"A": f"{SECRET}:key::\n"}}, "secrets.A: must be the ARN"),
        ({"secrets": {"A": "/team/password"}}, "secrets.A: must be the ARN"),
        ({"secrets": {"A": f"{PARAMETER}:3"}}, "secrets.A: must be the ARN"),
        ({"secrets": {"": SECRET}}, "secrets.: is not a variable's name"),
        ({"secrets": [SECRET]}, "secrets: must be an object"),
        (
            {"environment": {"A": "", "B": ""}, "secrets": {"B": SECRET, "C": SECRET}},
            "secrets: B is in environment too, and a variable has one value",
        ),
        ({"repository_credentials": "dockerhub"}, "repository_credentials: must be the ARN of a secret"),
        (
            {"repository_credentials": SECRET.replace("secretsmanager", "ssm")},
            "repository_credentials: must be the ARN of a secret",
        ),
        ({"task_role_arn": "admin"}, "task_role_arn: must be the whole ARN of an IAM role"),
        ({"injection": "sidecar"}, "injection: must be 'efs', 's3-files', 'init-container' or 'image'"),
        ({"token_delivery": "file"}, "token_delivery: must be 'environment' or 'ssm'"),
        ({"log": {"mode": "fast"}}, "log.mode: must be 'blocking' or 'non-blocking'"),
        ({"log": {"driver": "splunk"}}, "log.driver: is unknown; allowed are group, stream_prefix, mode, max_buffer"),
        ({"Image": "nginx"}, "Image: is unknown; allowed are container_id, image, entrypoint,"),
    ],
)
def test_a_wrong_member_is_named(changes: dict[str, Any], says: str) -> None:
    """A refusal names the path of a wrong member and the values allowed there."""
    assert says in refusal(document(**changes))


DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    "image",
    [
        *(
            "alpine",
            "alpine:3.20",
            "library/alpine",
            "docker.io/library/alpine",
            "a__b/c--d/e_f.g:T_.-",
            "0123456789ab",
        ),
        *("localhost/x", "localhost:5000/team/app:1", "Reg.Example.com:65535/app", "reg/app", "app:" + "t" * 128),
        *(f"app@{DIGEST}", f"localhost:5000/team/app:1@{DIGEST}", "x" * 255 + f"@{DIGEST}", f"app:{'0f' * 32}"),
        *("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1", "public.ecr.aws/docker/library/python:3.13-slim"),
    ],
)
def test_what_a_registry_may_serve_is_an_image(image: str) -> None:
    """Docker's grammar of references, as far as ECS takes it."""
    assert parse_start_request(document(image=image)).image == image


@pytest.mark.parametrize(
    "image",
    [
        *(
            "Alpine",
            "MyOrg/App:1",
            "a:b:c",
            "a//b",
            "a/",
            "/a",
            "a:",
            "a:.tag",
            "a..b",
            "a___b",
            "_a",
            "-a",
            "a-",
            "a#b",
        ),
        *(
            "https://reg/x",
            "reg:0/x",
            "reg:65536/x",
            "reg:99999/x",
            "reg:/x",
            "a.b/../c",
            "a\n",
            "ä",
            "app:" + "t" * 129,
        ),
        *(f"@{DIGEST}", f"app@{DIGEST[:-1]}", f"app@{DIGEST.upper()}", f"app@{DIGEST.replace('f', 'F')}"),
        *("app@sha512:" + "0f" * 64, f"app@{DIGEST}:1", f"app@{DIGEST}@{DIGEST}"),
    ],
)
def test_what_no_registry_serves_is_no_image(image: str) -> None:
    """ECS would find out minutes later, and call the repository private or missing."""
    assert "image: must be an image of a registry" in refusal(document(image=image))


@pytest.mark.parametrize("image", [DIGEST, "0f" * 32])
def test_an_image_id_is_no_image(image: str) -> None:
    """It reads as a name, and means something to one engine alone."""
    assert "image: is an image ID, which no registry serves: send name:tag or name@digest" in refusal(
        document(image=image)
    )


def test_the_name_of_an_image_has_ecss_length() -> None:
    """A longer one is refused before anything is registered."""
    assert "image: must have at most 255 characters before the digest" in refusal(document(image="x" * 256))


@pytest.mark.parametrize(("user", "read"), [("1000:", "1000"), ("app:", "app"), ("app:app", "app:app")])
def test_a_user_without_a_group_has_its_own(user: str, read: str) -> None:
    """Docker reads an empty group as none."""
    assert parse_start_request(document(user=user)).user == read


def test_every_wrong_member_is_named_at_once() -> None:
    """One refusal is enough to correct the whole request."""
    message = refusal({"image": "", "cmd": "x", "colour": "red"})
    assert all(f"{name}: " in message for name in ("container_id", "image", "cmd", "colour"))


@pytest.mark.parametrize("value", [None, [], "{}", 5])
def test_a_request_is_an_object(value: object) -> None:
    """Anything but an object is refused as a whole."""
    assert "the request must be an object" in refusal(value)


@pytest.mark.parametrize("variable", list(AgentVariable))
def test_the_agents_variables_are_reserved(variable: AgentVariable) -> None:
    """A caller cannot override what makes the agent reachable and safe."""
    message = refusal(document(environment={variable.value: "mine", "PATH": "/bin"}))
    assert f"environment.{variable.value}: is set for the agent" in message
    assert "mine" not in message


@pytest.mark.parametrize("empty", [{"cmd": []}, {"cmd": [], "entrypoint": []}])
def test_no_command_is_refused_with_the_way_out(empty: dict[str, Any]) -> None:
    """The image's own command is lost, so the request must have one: the refusal says which."""
    message = refusal(document(**empty))
    assert "entrypoint and cmd are both empty" in message
    assert "ECS drops the image's own command" in message
    assert "send the image's ENTRYPOINT and CMD" in message


@pytest.mark.parametrize(
    "environment",
    [
        {"PASSWORD=hunter2": "x"},
        {"PASSWORD": ["hunter2"]},
        {"PASSWORD": "hunter2\0"},
        ["PASSWORD=hunter2"],
        {"SOCKERLESS_AGENT_TOKEN": "hunter2"},
        {"PASSWORD": "hunter2", "": "hunter2"},
    ],
)
def test_no_value_of_the_environment_is_shown(environment: object) -> None:
    """A value may be a secret: it is in no message and in nothing that a traceback prints."""
    with pytest.raises(Refused) as caught:
        parse_start_request(document(environment=environment))
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_the_environment_is_in_no_repr() -> None:
    """A request that is logged by mistake shows no value of its environment."""
    assert "hunter2" not in repr(parse_start_request(document(environment={"PASSWORD": "hunter2"})))


@given(DOCUMENTS)
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_valid_document_is_read(value: dict[str, Any]) -> None:
    """What the request says is what was sent, member by member."""
    request = parse_start_request(json.loads(json.dumps(value)))
    read = request.model_dump(mode="json", exclude_unset=True)
    assert read == value


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def refusal_or_none(value: object) -> str | None:
    """The message of the refusal, if this document meets one."""
    try:
        parse_start_request(value)
    except Refused as refused:
        return refused.failure.message
    return None


@given(DOCUMENTS, st.data())
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_broken_document_is_refused_or_read(value: dict[str, Any], data: st.DataObject) -> None:
    """Whatever stands in a member, the answer is a request or a refusal that names the member."""
    member = data.draw(st.sampled_from(sorted(value)))
    message = refusal_or_none({**value, member: data.draw(JSON_VALUES)})
    assert message is None or member in message


def test_a_stop_request() -> None:
    """An id, and a reason that ECS shows as stoppedReason; one that says so stands in for none."""
    assert parse_stop_request({"container_id": CONTAINER_ID}).reason == "Stopped on request."
    assert parse_stop_request({"container_id": CONTAINER_ID, "reason": "docker stop"}).reason == "docker stop"
    for nothing in (None, ""):
        assert parse_stop_request({"container_id": CONTAINER_ID, "reason": nothing}).reason == "Stopped on request."


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({}, "container_id: is required"),
        ({"container_id": None, "reason": "x"}, "container_id: is required"),
        ({"container_id": CONTAINER_ID, "reason": "x" * 1025}, "reason: must have at most 1024 characters"),
        ([], "the request must be an object"),
        ({"container_id": CONTAINER_ID.upper()}, "container_id: must be 64 lowercase hexadecimal characters"),
        ({"container_id": 7}, "container_id: must be a string"),
        ({"container_id": CONTAINER_ID, "reason": ["x"]}, "reason: must be a string"),
        ({"container_id": CONTAINER_ID, "reason": "a\0b"}, "reason: must not contain a NUL character"),
        ({"container_id": CONTAINER_ID, "reason": "\ud800"}, "reason: must be valid Unicode"),
        ({"container_id": CONTAINER_ID, "exit_code": -2}, "exit_code: must be from -1 to 255"),
        ({"container_id": CONTAINER_ID, "exit_code": 256}, "exit_code: must be from -1 to 255"),
        ({"container_id": CONTAINER_ID, "exit_code": True}, "exit_code: must be a whole number"),
        ({"container_id": CONTAINER_ID, "exit_code": 0}, "generation: is required with exit_code"),
        ({"container_id": CONTAINER_ID, "exit_code": 0, "generation": ""}, "generation: is required with exit_code"),
        ({"container_id": CONTAINER_ID, "generation": "1"}, "generation: must be a whole number"),
        ({"container_id": CONTAINER_ID, "generation": 0}, "generation: must be from 1 to"),
        ({"container_id": CONTAINER_ID, "signal": 9}, "signal: is unknown; allowed are container_id, reason"),
    ],
)
def test_a_wrong_stop_request_is_named(value: object, says: str) -> None:
    """Stopping is as strict as starting."""
    with pytest.raises(Refused) as caught:
        parse_stop_request(value)
    assert says in caught.value.failure.message


def test_the_schema_in_docs_is_current() -> None:
    """docs/ holds what `core.launch.parse.start_request_schema()` returns: write it there again after a change."""
    assert (ROOT / SCHEMA_FILE).read_text() == start_request_schema()
