"""Every member of the body of Docker's `POST /containers/create`, and what becomes of it.

Engine API 1.43 to 1.51. One rule decides: what the container's own process would miss is refused, with the reason and
what to do. Ignored is what changes nothing here, and what a backend has as an object of its API, such as a network. A
member asks for something only if its value is not the one that clients send for "not set": null always, else nothing
(false, 0, "", [] and {}) unless its row has another test. One without a row is refused if it asks.
`core.launch.docker.translate` applies the table, and docs/docker.md shows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from core.launch.docker.rows import Ignored, Mapped, Nested, OtherPaths, OtherThan, Refused, Treatment, any_value

Members: TypeAlias = Mapping[str, Treatment]


def _shared_network(mode: Any) -> bool:
    """Any other word is the name of a network."""
    return mode in ("host", "none") or str(mode).startswith("container:")


def _other_name(name: Any) -> bool:
    """Docker's own is the beginning of the container's id."""
    return bool(name) and re.fullmatch("[0-9a-f]{12}", str(name)) is None


def _all(treatment: Treatment, names: str) -> dict[str, Treatment]:
    return dict.fromkeys(names.split(), treatment)


MOUNT: Final = Refused(
    "a task has no host directory, no Docker volume and no tmpfs",
    "put the data on EFS or S3 and send efs_binds or s3_files_binds: one with this path as container_path takes its "
    "place. Or leave it out: the root file system is the task's, and ends with it",
    translated=True,
)
STOP_SIGNAL: Final = Refused(
    "ECS sends the image's STOPSIGNAL, else SIGTERM, and no other signal",
    "set it in the image, where the agent passes it on (agent-protocol.md 4); else send it through the agent "
    "before the stop",
    translated=True,
)
PLATFORM: Final = Refused(
    "it is not the request's platform, which counts here as the query of the call does in Docker",
    "send X86_64 or ARM64 as the request's platform",
    translated=True,
)
_NAMESPACE: Final = "Fargate gives each container its own namespace"
_PATHS: Final = "Fargate decides which paths of /proc and /sys are hidden, and takes no list but Docker's own"
_MASKED: Final = OtherPaths(
    "/proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list "
    "/proc/timer_stats /sys/firmware",
    "/proc/interrupts|/sys/devices/virtual/powercap|/sys/devices/system/cpu/cpu[0-9]+/thermal_throttle",
)
_DNS: Final = Refused("a task asks the resolver of its VPC", "set the VPC's DHCP options or a private hosted zone")
_DISK: Final = Refused("Fargate sets no limit of block I/O")
_CPUS: Final = Refused(
    "a task has a number of virtual CPUs, and no choice among them", "send NanoCpus for their number"
)
_WINDOWS: Final = Ignored("Windows alone has it; Docker ignores it on Linux")
_BUILD: Final = Ignored("builds and health checks use it, a container does not")
_ATTACH: Final = Ignored("what the client does after create: the backend attaches through the agent")
_SWAP: Final = Ignored("Fargate has no swap; Docker drops it where the kernel has none")
_ANSWER: Final = Ignored("Docker fills it in its answers, and ignores it in a request")
_ADDRESS: Final = Refused("the VPC gives a task its address", "read the address from the item")
_SOURCE: Final = Ignored("concerns a source that is refused or that efs_binds or s3_files_binds replaces")

CONTAINER_CONFIG: Final[Members] = {
    "Image": Mapped("image"),
    "Entrypoint": Mapped(
        "entrypoint",
        'null is the image\'s, [] is none. [""] and "" are none, and no Cmd of the image\'s',
        translated=True,
    ),
    "Cmd": Mapped("cmd", "left out without an Entrypoint, the image's", translated=True),
    "Env": Mapped(
        "environment",
        "the last of a name counts. A name without = removes a variable, which is refused if the image sets it",
        translated=True,
    ),
    "User": Mapped("user"),
    "WorkingDir": Mapped("working_dir"),
    "Labels": Mapped("labels"),
    "StopTimeout": Mapped("stop_timeout", "0 becomes 2; -1, without end, is refused", any_value),
    "StopSignal": STOP_SIGNAL,
    "Healthcheck": Nested("HealthConfig"),
    "Volumes": MOUNT,
    "HostConfig": Nested("HostConfig"),
    "NetworkingConfig": Nested("NetworkingConfig"),
    "Hostname": Refused(
        "ECS sets the name of the host in a task's network; the beginning of an id, which is Docker's, is ignored",
        asks=_other_name,
    ),
    "Domainname": Refused("ECS sets the name of the host in a task's network"),
    "NetworkDisabled": Refused("the agent needs the network", "separate the task by security_groups"),
    "MacAddress": Refused("AWS chooses the MAC address"),
    "ExposedPorts": Ignored("a task has an address, where every port is open that its security groups let in"),
    "Tty": Ignored("the agent starts the process with pipes: it sees no terminal. exec has one"),
    **_all(
        Ignored("the agent holds standard input open for attach, where Docker gives /dev/null: backend.md, start"),
        "OpenStdin StdinOnce",
    ),
    **_all(_ATTACH, "AttachStdin AttachStdout AttachStderr"),
    **_all(_BUILD, "OnBuild Shell"),
    "ArgsEscaped": _WINDOWS,
    **_all(
        Ignored("a library's own argument beside the API's: Docker does not read it here either"), "name authConfig"
    ),
    "platform": PLATFORM,
}

HOST_CONFIG: Final[Members] = {
    "ReadonlyRootfs": Mapped("read_only_root"),
    "CapAdd": Mapped("cap_add", "SYS_PTRACE, and those of Docker's default, which stay when CapDrop has ALL"),
    "CapDrop": Mapped(
        "cap_drop",
        "the agent needs none; but without KILL it signals no process of another user, and without NET_BIND_SERVICE an "
        "AgentPort below 1024 may be closed to it",
    ),
    "LogConfig": Nested("LogConfig"),
    "RestartPolicy": Nested("RestartPolicy"),
    "Mounts": Nested("Mount", list),
    "Binds": MOUNT,
    "Tmpfs": MOUNT,
    "VolumesFrom": Refused("a task shares no volume with another", "send both the same efs_binds or s3_files_binds"),
    "VolumeDriver": Ignored("concerns volumes of Binds, which are refused or replaced"),
    "Privileged": Refused("Fargate runs no privileged container", "leave it out; CapAdd may have SYS_PTRACE"),
    "SecurityOpt": Refused("Fargate takes no security options"),
    "MaskedPaths": Refused(_PATHS, asks=_MASKED),
    "ReadonlyPaths": Refused(_PATHS, asks=OtherPaths("/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger")),
    "GroupAdd": Refused("ECS has no further groups for a process", "send User as user:group"),
    "NetworkMode": Refused(
        "host, none and container: share or remove the network, in which the agent is reached. A network's name is "
        "ignored: the backend has the network, and sends security_groups where networks are to be separate",
        "leave NetworkMode out",
        _shared_network,
    ),
    **_all(
        Refused(
            "a task has no host port: at its own address every port is open that its security groups let in",
            "connect to the address in the item; a backend that forwards ports removes it and keeps ExposedPorts",
        ),
        "PortBindings PublishAllPorts",
    ),
    **_all(_DNS, "Dns DnsOptions DnsSearch"),
    "ExtraHosts": Refused("ECS writes /etc/hosts itself in a task's network", "use a private hosted zone"),
    "Links": Refused("a task has no links", "use a private hosted zone, with the address in the item"),
    "IpcMode": Refused(_NAMESPACE, asks=OtherThan("private", "shareable")),
    "CgroupnsMode": Refused(_NAMESPACE, asks=OtherThan("private")),
    **_all(Refused(_NAMESPACE), "PidMode UTSMode UsernsMode Cgroup"),
    "Runtime": Refused("Fargate chooses the runtime, which is like runc", asks=OtherThan("runc")),
    "Isolation": Refused("Linux has no isolation but default", asks=OtherThan("default")),
    "ShmSize": Refused(
        "Fargate's size of /dev/shm is fixed", "leave it out, and let the program use /tmp", OtherThan(64 * 2**20)
    ),
    "Sysctls": Refused("the request sets no kernel parameters"),
    "StorageOpt": Refused("a task has its own storage", "send ephemeral_storage_gib"),
    "OomScoreAdj": Ignored("the container shares the task's memory with no other"),
    "AutoRemove": Ignored("the item of an ended container expires"),
    "Annotations": Ignored("metadata for an OCI runtime; Fargate's takes none"),
    "ContainerIDFile": Ignored("the client's own file"),
    "ConsoleSize": Ignored("the size of a terminal that the process has not"),
}

RESOURCES: Final[Members] = {
    "NanoCpus": Mapped("limits.nano_cpus"),
    "CpuShares": Mapped("limits.cpu_shares", "1024 is one vCPU"),
    "CpuQuota": Mapped("limits.nano_cpus", "divided by CpuPeriod; below 0 is no limit", translated=True),
    "CpuPeriod": Mapped("limits.nano_cpus", "of CpuQuota, 100000 if left out; alone it is ignored", translated=True),
    "Memory": Mapped("limits.memory_bytes"),
    "MemoryReservation": Mapped("limits.memory_reservation_bytes", "more than Memory is refused, as in Docker"),
    "Ulimits": Nested("Ulimit", list),
    "Init": Mapped("init", "which is refused if true"),
    **_all(_SWAP, "MemorySwap MemorySwappiness"),
    **_all(Ignored("Docker no longer applies it"), "KernelMemory KernelMemoryTCP"),
    "OomKillDisable": Refused("Fargate kills what exceeds the task's memory", "send more Memory"),
    "PidsLimit": Refused("Fargate sets no limit of processes", asks=OtherThan(-1)),
    **_all(Refused("a task has no host that could share it"), "Devices DeviceCgroupRules"),
    "DeviceRequests": Refused("Fargate has no GPU and no other device"),
    **_all(_CPUS, "CpusetCpus CpusetMems CpuRealtimePeriod CpuRealtimeRuntime"),
    "CgroupParent": Refused("Fargate chooses the cgroup"),
    **_all(_DISK, "BlkioWeight BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps"),
    **_all(_DISK, "BlkioDeviceReadIOps BlkioDeviceWriteIOps"),
    **_all(_WINDOWS, "CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth"),
}

ENDPOINT: Final[Members] = {
    "Aliases": Ignored("names for other containers: the backend gives them the address in the item"),
    "IPAMConfig": Nested("EndpointIPAMConfig"),
    "Links": HOST_CONFIG["Links"],
    "MacAddress": CONTAINER_CONFIG["MacAddress"],
    "DriverOpts": Refused("a task has no network driver"),
    "GwPriority": Ignored("a task has one network interface, and so one gateway"),
    **_all(_ANSWER, "NetworkID EndpointID Gateway IPAddress IPPrefixLen IPv6Gateway"),
    **_all(_ANSWER, "GlobalIPv6Address GlobalIPv6PrefixLen DNSNames"),
}

TABLE: Final[Mapping[str, Members]] = {
    "ContainerConfig": CONTAINER_CONFIG,
    "HostConfig": {**HOST_CONFIG, **RESOURCES},
    "NetworkingConfig": {"EndpointsConfig": Nested("EndpointSettings", dict)},
    "EndpointSettings": ENDPOINT,
    "EndpointIPAMConfig": _all(_ADDRESS, "IPv4Address IPv6Address LinkLocalIPs"),
    "HealthConfig": {
        "Test": Refused(
            "ECS would keep the result to itself, and the health of the agent counts here. The image's is not run",
            'leave it out or send ["NONE"], and run the test through exec',
            OtherThan(["NONE"]),
        ),
        **_all(Ignored("says how a Test is run"), "Interval Timeout Retries StartPeriod StartInterval"),
    },
    "LogConfig": _all(
        Mapped(
            "log",
            "awslogs with awslogs-group, awslogs-stream-prefix, mode and max-buffer-size. json-file and local are the "
            "stack's log group, and their options are ignored. Any other driver or option is refused",
            translated=True,
        ),
        "Type Config",
    ),
    "RestartPolicy": {
        "Name": Refused(
            "no task is started again here",
            "leave it out; a backend that restarts containers removes it, and starts the container again after its end",
            OtherThan("no"),
        ),
        "MaximumRetryCount": Ignored("concerns a Name that is refused"),
    },
    "Ulimit": _all(Mapped("ulimits", "nofile alone", translated=True), "Name Soft Hard"),
    "Mount": {
        **_all(MOUNT, "Type Target ReadOnly"),
        **_all(_SOURCE, "Source Consistency BindOptions VolumeOptions TmpfsOptions ImageOptions"),
    },
    "ImageConfig": {
        "Entrypoint": CONTAINER_CONFIG["Entrypoint"],
        "Cmd": CONTAINER_CONFIG["Cmd"],
        "Env": Ignored("ECS keeps the image's variables; read for a removal in docker.Env"),
        **_all(Ignored("ECS keeps the image's"), "User WorkingDir"),
        "StopSignal": Ignored("ECS keeps the image's; compared with docker.StopSignal"),
    },
}
"""By the API's name for the type; `ImageConfig` is what is used of the request's `image_config`."""
