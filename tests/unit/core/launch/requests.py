"""Start requests and settings for tests, and every one of them for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.launch.settings import NEEDS, Settings
from tests.factories import CLUSTER, CONTAINER_ID

SUBNET = "subnet-0a1b2c3d"
FILE_SYSTEM = "fs-0123456789abcdef0"
ACCESS_POINT = "fsap-0123456789abcdef0"
S3_FILE_SYSTEM = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0"
S3_ACCESS_POINT = f"{S3_FILE_SYSTEM}/access-point/fsap-0123456789abcdef0"
EXECUTION_ROLE = "arn:aws:iam::123456789012:role/execution"
TASK_ROLE = "arn:aws:iam::123456789012:role/task"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:team/registry-AbCdEf"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/team/password"
GROUP = "sg-0f1e2d3c"
NOFILE = {"name": "nofile", "soft": 1024, "hard": 65535}
AGENT_IMAGE = "sockerless/agent:latest"
ECR_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"


def document(**changes: Any) -> dict[str, Any]:
    """A start request as a backend sends it, with these members changed."""
    return {"container_id": CONTAINER_ID, "image": "nginx:1.27", "cmd": ["nginx", "-g", "daemon off;"], **changes}


def settings(**changes: Any) -> Settings:
    """A stack with a cluster, a subnet and an agent image, and what is named here."""
    values: dict[str, Any] = {
        "table_name": "containers",
        "cluster_arn": CLUSTER,
        "task_subnets": (SUBNET,),
        "task_security_groups": ("sg-0a1b2c3d",),
        "agent_image": AGENT_IMAGE,
    }
    return Settings(**{**values, **changes})


def efs_settings(**changes: Any) -> Settings:
    """A stack with the agent on EFS."""
    values: dict[str, Any] = {
        "efs_file_system_id": FILE_SYSTEM,
        "efs_access_point_id": ACCESS_POINT,
        "task_role_arn": TASK_ROLE,
    }
    return settings(**{**values, **changes})


def s3_settings(**changes: Any) -> Settings:
    """A stack with the agent on S3 Files."""
    values: dict[str, Any] = {
        "s3_files_file_system_arn": S3_FILE_SYSTEM,
        "s3_files_access_point_arn": S3_ACCESS_POINT,
        "task_role_arn": TASK_ROLE,
    }
    return settings(**{**values, **changes})


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAMES = TEXT.filter(lambda name: name and "=" not in name and not name.startswith(("SOCKERLESS_", "SECRET_")))
LARGE = st.integers(0, 80_000).map(lambda size: "x" * size)
WORDS = st.lists(TEXT, max_size=4)
PATHS = st.from_regex(r"/[a-z]{1,8}(/[a-z0-9_.-]*[a-z0-9]){0,2}", fullmatch=True)
IDS = st.from_regex(r"[0-9a-f]{17}", fullmatch=True)

LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "nano_cpus": st.integers(0, 32 * 10**9),
        "cpu_shares": st.integers(0, 32768),
        "memory_bytes": st.integers(2**30, 249856 * 2**20),
        "memory_reservation_bytes": st.integers(0, 2**30),
        "cpu_units": st.integers(0, 32768),
        "memory_mib": st.integers(0, 249856),
    },
)
BINDS = st.lists(
    st.fixed_dictionaries(
        {"file_system_id": IDS.map("fs-{}".format), "container_path": PATHS},
        optional={"read_only": st.booleans()},
    ).flatmap(
        lambda bind: st.sampled_from(
            [bind, {**bind, "root_directory": "/data"}, {**bind, "access_point_id": "fsap-0123456789abcdef0"}]
        )
    ),
    max_size=4,
    unique_by=lambda bind: bind["container_path"],
)
_S3_BIND = {"file_system_arn": S3_FILE_SYSTEM, "container_path": "/s3"}
S3_BINDS = st.sampled_from(
    [
        [],
        [_S3_BIND],
        [{**_S3_BIND, "root_directory": "/data", "read_only": True}],
        [_S3_BIND, {**_S3_BIND, "access_point_arn": S3_ACCESS_POINT, "container_path": "/s3/other"}],
    ]
)
LOGS = st.fixed_dictionaries(
    {},
    optional={
        "group": st.just("/containers"),
        "stream_prefix": st.just("app"),
        "mode": st.sampled_from(["blocking", "non-blocking"]),
        "max_buffer_size": st.just("25m"),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "container_id": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        "image": st.sampled_from(["nginx", "ghcr.io/a/b:1.2", "alpine@sha256:" + "0" * 64, ECR_IMAGE]),
        "cmd": st.lists(TEXT, min_size=1, max_size=4).filter(lambda words: bool(words[0])),
    },
    optional={
        "entrypoint": WORDS.filter(lambda words: not words or bool(words[0])),
        "environment": st.dictionaries(NAMES, TEXT | LARGE, max_size=4),
        "secrets": st.dictionaries(
            NAMES.map("SECRET_{}".format), st.sampled_from([SECRET, f"{SECRET}:key::", PARAMETER]), max_size=3
        ),
        "working_dir": PATHS,
        "user": st.sampled_from(["1000", "node", "1000:1000", "app:app"]),
        "labels": st.dictionaries(TEXT.filter(bool), TEXT, max_size=5),
        "limits": LIMITS,
        "platform": st.sampled_from(["X86_64", "ARM64"]),
        "ephemeral_storage_gib": st.integers(21, 200),
        "efs_binds": BINDS,
        "s3_files_binds": S3_BINDS,
        "ulimits": st.sampled_from([[], [NOFILE], [{**NOFILE, "hard": 2**20}]]),
        "stop_timeout": st.integers(0, 120),
        "read_only_root": st.booleans(),
        "cap_add": st.sampled_from([[], ["SYS_PTRACE"]]),
        "cap_drop": st.sampled_from([[], ["ALL"], ["NET_RAW", "SYS_PTRACE"]]),
        "init": st.just(value=False),
        "health_check": st.just(value=False),
        "security_groups": st.sampled_from([[], [GROUP], [GROUP, "sg-0a1b2c3d"]]),
        "repository_credentials": st.sampled_from([SECRET, SECRET.replace("arn:aws:", "arn:aws-us-gov:")]),
        "task_role_arn": st.just(TASK_ROLE),
        "injection": st.sampled_from(["efs", "s3-files", "init-container", "image"]),
        "token_delivery": st.sampled_from(["environment", "ssm"]),
        "health_timeout": st.integers(1, 240),
        "start_timeout": st.integers(1, 86400),
        "capacity": st.sampled_from(["on-demand", "spot", "spot-first"]),
        "max_lifetime": st.integers(60, 14 * 86400),
        "log": LOGS,
    },
)
"""Every valid request, of each member a few kinds of value that matter."""


def _usable(**values: Any) -> Settings:
    """Settings without the parts that are no use without another one, where that is left out."""
    for need in NEEDS:
        if need.value is None and not values[need.needed]:
            values[need.setting] = None
    return settings(**values)


SETTINGS = st.builds(
    _usable,
    started_by_prefix=st.sampled_from(["sockerless", "a" * 40, "_-"]),
    execution_role_arn=st.sampled_from([None, EXECUTION_ROLE]),
    task_role_arn=st.sampled_from([None, TASK_ROLE]),
    efs_file_system_id=st.sampled_from([None, FILE_SYSTEM]),
    efs_access_point_id=st.sampled_from([None, ACCESS_POINT]),
    s3_files_file_system_arn=st.sampled_from([None, S3_FILE_SYSTEM]),
    s3_files_access_point_arn=st.sampled_from([None, S3_ACCESS_POINT]),
    task_log_group=st.sampled_from([None, "/tasks"]),
    agent_image=st.sampled_from([None, AGENT_IMAGE, ECR_IMAGE]),
    agent_copy_command=st.sampled_from([(), ("/copy",), ("cp", "/a", "/b")]),
    task_subnets=st.sampled_from([(), (SUBNET,), (SUBNET, "subnet-00000002")]),
    task_security_groups=st.sampled_from([(), ("sg-00000001",)]),
    assign_public_ip=st.booleans(),
    cluster_arn=st.sampled_from([None, CLUSTER]),
)
"""Every kind of stack that can be set up, also those that lack something."""

COMPLETE_SETTINGS = st.builds(
    efs_settings,
    execution_role_arn=st.just(EXECUTION_ROLE),
    efs_access_point_id=st.sampled_from([None, ACCESS_POINT]),
    s3_files_file_system_arn=st.just(S3_FILE_SYSTEM),
    s3_files_access_point_arn=st.sampled_from([None, S3_ACCESS_POINT]),
    task_log_group=st.sampled_from([None, "/tasks"]),
    injection=st.sampled_from([None, "s3-files", "init-container", "image"]),
    token_delivery=st.sampled_from(["environment", "ssm"]),
)
"""Stacks that lack nothing."""
