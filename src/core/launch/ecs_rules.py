"""What ECS and Fargate take, as far as a launch is planned by it: sizes, lengths, the stop time-out, tags.

The local Fargate checks requests with the same values (`local.fargate.rules`), and has the other rules. Tags are for
people and bills: nothing here depends on them (contract.md 4).
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

CPU_UNITS_PER_VCPU: Final = 1024
NANO_CPUS_PER_VCPU: Final = 10**9
BYTES_PER_MIB: Final = 2**20

FARGATE_MEMORY_MIB: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
    32768: (61440, 122880, 249856),
}
"""cpu units -> their memory sizes in MiB, both ascending (AWS, task size table; ecs.md 7)."""

MAX_CPU_UNITS: Final = max(FARGATE_MEMORY_MIB)
MAX_NANO_CPUS: Final = MAX_CPU_UNITS // CPU_UNITS_PER_VCPU * NANO_CPUS_PER_VCPU
MAX_MEMORY_MIB: Final = FARGATE_MEMORY_MIB[MAX_CPU_UNITS][-1]
MIN_STOP_TIMEOUT: Final = 2
MAX_STOP_TIMEOUT: Final = 120
DEFAULT_STOP_TIMEOUT: Final = 30
"""Seconds (ECS API, ContainerDefinition, `stopTimeout`)."""
CAPABILITIES: Final = frozenset({"SYS_PTRACE"})
"""Those that Fargate adds (ECS API, KernelCapabilities, `add`)."""
DEFAULT_CAPABILITIES: Final = frozenset(
    {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"}
    | {"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
)
"""Those that a container has by Docker's default, from which ECS drops."""
DROPPED_CAPABILITIES: Final = (
    DEFAULT_CAPABILITIES
    | {"ALL", "AUDIT_CONTROL", "BLOCK_SUSPEND", "DAC_READ_SEARCH", "IPC_LOCK", "IPC_OWNER", "LEASE", "LINUX_IMMUTABLE"}
    | {"MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "NET_BROADCAST", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE"}
    | {"SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"}
)
"""Those that ECS drops, on Fargate too (`drop`)."""
MAX_IMAGE_NAME: Final = 255
"""Before the digest (ECS API, ContainerDefinition, `image`)."""
MAX_SECURITY_GROUPS: Final = 5
"""Of one task (ECS API, AwsVpcConfiguration)."""
MAX_OPEN_FILES: Final = 1024 * 1024
"""Linux's own `fs.nr_open`. AWS publishes no maximum for Fargate, only its default of 65,535."""
MAX_DEFINITION_BYTES: Final = 64 * 1024
MAX_OVERRIDES_LENGTH: Final = 8192
MAX_TAGS: Final = 50
MAX_TAG_KEY: Final = 128
MAX_TAG_VALUE: Final = 256

_TAG_SIGNS: Final = frozenset("_.:/=+-@")
_ECR_IMAGE: Final = re.compile(r"[0-9]{12}\.dkr[.-]ecr[.-].+")


class TaskSize(NamedTuple):
    """A pair that Fargate accepts."""

    cpu_units: int
    memory_mib: int


def cpu_units_of(nano_cpus: int) -> int:
    """Docker's `NanoCpus` (10⁹ = one CPU) as ECS cpu units (1024 = one vCPU), rounded up."""
    return -(-nano_cpus * CPU_UNITS_PER_VCPU // NANO_CPUS_PER_VCPU)


def mebibytes_of(memory_bytes: int) -> int:
    """Docker's `Memory` (bytes) as MiB, rounded up."""
    return -(-memory_bytes // BYTES_PER_MIB)


def smallest_size(cpu_units: int = 0, memory_mib: int = 0) -> TaskSize:
    """The smallest pair with at least this cpu and this memory; 256/512 without a demand.

    The least cpu counts first, because it costs most. Raises `ValueError` if no size is large enough.
    """
    for cpu, sizes in FARGATE_MEMORY_MIB.items():
        for memory in sizes:
            if cpu >= cpu_units and memory >= memory_mib:
                return TaskSize(cpu, memory)
    raise ValueError(
        f"no Fargate task has {cpu_units} cpu units and {memory_mib} MiB; "
        f"the largest has {MAX_CPU_UNITS} and {MAX_MEMORY_MIB}"
    )


def stop_timeout_of(seconds: int) -> int | None:
    """Docker's `StopTimeout` for Fargate; None is ECS's own. Docker's 0 kills at once; Fargate waits at least 2 s."""
    return None if seconds == DEFAULT_STOP_TIMEOUT else max(seconds, MIN_STOP_TIMEOUT)


def is_ecr_image(image: str) -> bool:
    """Whether the image is in a private ECR repository. Fargate pulls it only with an execution role."""
    return _ECR_IMAGE.fullmatch(image) is not None


def definition_size(definition: Mapping[str, Any]) -> int:
    """The bytes of a definition as compact JSON in UTF-8: the smallest size that ECS can count."""
    return len(json.dumps(definition, separators=(",", ":"), ensure_ascii=False).encode())


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a document for ECS without those that are None or empty; False is a value."""
    return {name: value for name, value in members.items() if value or value is False}


def tags_of(labels: Mapping[str, str]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """The first 50 labels, by name, that AWS's rules allow, as RunTask's tags; and the names of the others."""
    fitting = [key for key in sorted(labels) if tag_fault(key, labels[key]) is None][:MAX_TAGS]
    return [{"key": key, "value": labels[key]} for key in fitting], tuple(sorted(labels.keys() - set(fitting)))


def tag_fault(key: str, value: str) -> str | None:
    """Why AWS would refuse this tag; None if it would not (botocore, ECS `Tag` and RunTask `tags`)."""
    if not 1 <= len(key) <= MAX_TAG_KEY:
        return f"a key has 1 to {MAX_TAG_KEY} characters"
    if len(value) > MAX_TAG_VALUE:
        return f"a value has at most {MAX_TAG_VALUE} characters"
    if key.lower().startswith("aws:") or value.lower().startswith("aws:"):
        return "the prefix aws: is reserved"
    # AWS's pattern is `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: the Unicode categories letter, separator and number.
    if not all(sign in _TAG_SIGNS or unicodedata.category(sign)[0] in "LZN" for sign in key + value):
        return f"only letters, numbers, spaces and {''.join(sorted(_TAG_SIGNS))} are allowed"
    return None
