"""Docker's words in a start request: what becomes of each member, as real clients send it and one by one."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import operator
import re
import shlex
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from core.launch.docker.members import TABLE
from core.launch.docker.rows import Ignored, Mapped, Nested, Refused
from core.launch.docker.translate import translate
from core.launch.parse import parse_start_request, start_request_schema
from core.launch.request import StartRequest
from core.model.errors import Refused as RefusedRequest
from core.model.failure import ErrorCode
from tests.docker_payloads.record import HERE
from tests.factories import CONTAINER_ID

CLIENTS: Final = ("docker_cli", "docker_compose", "docker_py", "testcontainers")
RECORDED: Final[list[dict[str, Any]]] = [
    document for client in CLIENTS for document in json.loads((HERE / f"{client}.json").read_text())
]
SCHEMA: Final = Draft202012Validator(json.loads(start_request_schema()))
API: Final[dict[str, dict[str, dict[str, str]]]] = json.loads((HERE / "members.json").read_text())["types"]
LIBRARIES: Final = {"name": "string", "authConfig": "object", "platform": "string"}
"""What libraries add to the body, and the API has elsewhere."""
BODY: Final = API["ContainerConfig"] | API["Body"] | {name: {"type": kind} for name, kind in LIBRARIES.items()}
BIND: Final = {"file_system_id": "fs-0123456789abcdef0", "container_path": "/data"}
IMAGES: Final[dict[str, dict[str, Any]]] = {
    "alpine": {"Cmd": ["/bin/sh"], "Env": ["PATH=/usr/bin:/bin"]},
    "nginx": {
        "Entrypoint": ["/docker-entrypoint.sh"],
        "Cmd": ["nginx", "-g", "daemon off;"],
        "Env": ["NGINX_VERSION=1.27.0"],
        "StopSignal": "SIGQUIT",
    },
    "node": {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node"], "WorkingDir": "/"},
    "postgres": {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"], "StopSignal": "SIGINT"},
    "redis": {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["redis-server"], "WorkingDir": "/data"},
    "maven": {"Entrypoint": ["/usr/local/bin/mvn-entrypoint.sh"], "Cmd": ["mvn"]},
    "docker": {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["sh"]},
    "selenium/standalone-chrome": {"Cmd": ["/opt/bin/entry_point.sh"], "User": "1200"},
    "testcontainers/ryuk": {"Cmd": ["/bin/ryuk"]},
    "nvidia/cuda": {"Entrypoint": ["/opt/nvidia/nvidia_entrypoint.sh"]},
}
"""What the images say of themselves. Of the others, nothing is known."""


def document(sent: Any, own: Any = None, **members: Any) -> dict[str, Any]:
    """A start request with Docker's words, the image's own, and members in the request's words."""
    return {"container_id": CONTAINER_ID, "docker": sent, "image_config": own, **members}


def body(host: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    """The least that Docker takes, with these members."""
    return {"Image": "alpine", "Cmd": ["true"], "HostConfig": host or {}, **config}


def read(value: dict[str, Any]) -> dict[str, Any]:
    """The members of the request that this document sets."""
    members = parse_start_request(value).model_dump(mode="json", exclude_unset=True)
    del members["container_id"]
    return members


def refusal(value: dict[str, Any]) -> str:
    """The message of the refusal that this document meets."""
    with pytest.raises(RefusedRequest) as caught:
        parse_start_request(value)
    assert caught.value.failure.code is ErrorCode.INVALID_REQUEST
    return caught.value.failure.message


def recorded(one: dict[str, Any]) -> dict[str, Any]:
    """The start request of a backend that passes on what the client sent."""
    name = re.sub(r"[:@].*", "", one["body"]["Image"])
    return document(one["body"], IMAGES.get(name))


@functools.cache
def answers() -> dict[str, list[str]]:
    """`answers.txt` of the recordings: a command line, and one line or more for what it comes to."""
    found: dict[str, list[str]] = {}
    command = ""
    for line in (HERE / "answers.txt").read_text().splitlines():
        if line.startswith("    "):
            found[command].append(line.strip())
        elif line and not line.startswith("#"):
            command = line
            assert command not in found
            found[command] = []
    return found


def command_of(one: dict[str, Any]) -> str:
    return shlex.join(one["command"]) if one["command"][1:] else str(one["command"][0])


def answer(sent: dict[str, Any]) -> list[str]:
    """What a request comes to, as `answers.txt` has it: of a refusal, the path and the reason."""
    try:
        return [json.dumps(read(sent))]
    except RefusedRequest as refused:
        message = refused.failure.message
    said = message.removeprefix("The request cannot be carried out: ").removesuffix(". Nothing was written or started.")
    return [f"refused: {re.split(r'; |[.] ', fault)[0]}" for fault in re.split(r"; (?=docker\.)", said)]


def places(kind: str = "ContainerConfig", above: tuple[Any, ...] = ()) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every member of the body: the type that has it, and its path; of elements, in the first one."""
    for name, treatment in TABLE[kind].items():
        yield kind, (*above, name)
        if isinstance(treatment, Nested):
            first: dict[Any, tuple[Any, ...]] = {None: (), list: (0,), dict: ("shop",)}
            yield from places(treatment.kind, (*above, name, *first[treatment.each]))


def with_value(whole: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A body with this value at this path."""
    changed: dict[str, Any] = json.loads(json.dumps(whole))
    place: Any = changed
    for step, following in itertools.pairwise(path):
        if isinstance(place, list) and not place:
            place.append({})
        elif isinstance(place, dict):
            place.setdefault(step, [] if following == 0 else {})
        place = place[step]
    place[path[-1]] = value
    return changed


def values(kind: str) -> st.SearchStrategy[Any]:
    """Every value of a type of the API but the one that is not set."""
    if kind.startswith("["):
        return st.lists(values(kind[1:-1]), min_size=1, max_size=2)
    if kind.startswith("{"):
        return st.dictionaries(WORDS, values(kind[1:-1]), min_size=1, max_size=2)
    scalars = {"string": WORDS, "integer": st.integers(2, 10**9), "boolean": st.just(value=True), "object": st.just({})}
    if kind in scalars:
        return scalars[kind]
    members = API[kind] | (API["Resources"] if kind == "HostConfig" else {})
    return st.sampled_from(sorted(members)).flatmap(
        lambda name: values(members[name]["type"]).map(lambda value: {name: value})
    )


WORDS: Final = st.from_regex(r"[a-z]{3,8}", fullmatch=True)
PLACES: Final = {".".join(str(part) for part in path): (kind, path) for kind, path in places()}
BESIDE: Final[dict[str, dict[str, Any]]] = {
    "HostConfig.CpuPeriod": {"CpuQuota": 50_000},
    "HostConfig.LogConfig.Config": {"LogConfig": {"Type": "awslogs"}},
}
"""What a member says something about. Alone it asks for nothing."""
ASKING: Final = {
    "Env": st.lists(WORDS.map("{}=1".format), min_size=1, max_size=2),
    "HostConfig.NetworkMode": st.sampled_from(["host", "none", "container:web"]),
}
"""Values that ask for something, where others name what the image or the backend has."""


def test_the_table_names_every_member_and_no_other() -> None:
    """Each type of the API whose members are read one by one has all of them, those of older versions too.

    An image's configuration is none of them: it asks for nothing.
    """
    of_resources = API["HostConfig"] | API["Resources"]
    known = {**API, "ContainerConfig": BODY, "HostConfig": of_resources}
    for kind in TABLE.keys() - {"ImageConfig"}:
        assert TABLE[kind].keys() == known[kind].keys(), kind
    newest = {name for name, member in of_resources.items() if member["last"] != "1.51"}
    assert newest == {"KernelMemory"}, "docker-py still sends it"
    assert TABLE["ImageConfig"].keys() == {"Entrypoint", "Cmd", "Env", "User", "WorkingDir", "StopSignal"}


def test_every_row_says_what_becomes_of_the_member() -> None:
    """A mapped one leads to a member of the request, the others have a reason, a refused one what to do."""
    for members in TABLE.values():
        for treatment in members.values():
            match treatment:
                case Mapped(to):
                    assert to.partition(".")[0] in StartRequest.model_fields
                case Ignored(why):
                    assert why
                case Refused(why, do):
                    assert why
                    assert do
                case Nested(kind):
                    assert kind in TABLE


@pytest.mark.parametrize("one", RECORDED, ids=command_of)
def test_what_clients_send_comes_to_what_is_written(one: dict[str, Any]) -> None:
    """Each recorded payload is a request, or is refused by path and reason."""
    assert answer(recorded(one)) == answers()[command_of(one)]


def test_every_answer_is_of_a_recording() -> None:
    """None is left over from an older list."""
    assert answers().keys() == {command_of(one) for one in RECORDED}


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=10)
@given(data=st.data())
def test_no_member_is_lost(place: str, data: st.DataObject) -> None:
    """A value changes the request, or is refused by name, or the table says why it changes nothing."""
    kind, path = PLACES[place]
    members = API.get(kind, {}) | (API["Resources"] if kind == "HostConfig" else {})
    members |= BODY if kind == "ContainerConfig" else {}
    value = data.draw(ASKING[place] if place in ASKING else values(members[path[-1]]["type"]))
    before = body(BESIDE.get(place))
    after = with_value(before, path, value)
    found = answer(document(after))
    match TABLE[kind][path[-1]]:
        case Ignored() if "Mounts" not in path:
            assert found == answer(document(before))
        case Ignored() | Refused():
            assert f"docker.{path[0]}" in found[0]
            assert found[0].startswith("refused: ")
        case Mapped():
            assert found != answer(document(before))
        case Nested():
            pass  # each of its members is a place, too


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["", "Newer"])
def test_null_asks_for_nothing(place: str, name: str) -> None:
    """Under a name that the API does not have too: docker-py sends a network's where it has none."""
    *above, own = PLACES[place][1]
    path = (*above, name or own)
    absent = with_value(body(), path, None)
    del functools.reduce(operator.getitem, above, absent)[path[-1]]
    assert answer(document(with_value(body(), path, None))) == answer(document(absent))


@pytest.mark.parametrize(
    "host",
    [
        {"MemorySwappiness": -1, "PidsLimit": 0, "OomKillDisable": False, "NetworkMode": "default"},
        {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "LogConfig": {"Type": "", "Config": {}}},
        {"RestartPolicy": {"Name": ""}, "LogConfig": {"Type": "json-file", "Config": None}, "NetworkMode": "bridge"},
        {"PidsLimit": -1, "Init": False, "IpcMode": "private", "CgroupnsMode": "private", "Runtime": "runc"},
        {"Binds": None, "Mounts": [], "Tmpfs": {}, "Ulimits": [], "MaskedPaths": None, "CpuQuota": -1, "Links": []},
    ],
)
def test_what_clients_send_for_not_set(host: dict[str, Any]) -> None:
    """Their defaults are the request without them, and so is an endpoint with nothing but a name."""
    network: dict[str, Any] = {
        "EndpointsConfig": {"shop": None, "default": {"IPAMConfig": None, "Links": [], "MacAddress": ""}}
    }
    assert read(document(body(host, NetworkingConfig=network))) == {"image": "alpine", "cmd": ["true"]}


HIDDEN: Final = [
    *(f"/proc/{name}" for name in ("asound", "acpi", "kcore", "keys", "latency_stats", "timer_list", "timer_stats")),
    *("/proc/sched_debug", "/proc/scsi", "/sys/firmware"),
]
NEWER: Final = ["/proc/interrupts", "/sys/devices/virtual/powercap", "/sys/devices/system/cpu/cpu0/thermal_throttle"]
FIXED: Final = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


@pytest.mark.parametrize("masked", [HIDDEN, [*HIDDEN, NEWER[1]], [*NEWER, *HIDDEN]])
def test_what_docker_itself_fills_in_asks_for_nothing(masked: list[str]) -> None:
    """A container is created anew with what docker inspect shows of it, Docker's defaults and its image's members."""
    host = {"ShmSize": 67108864, "MaskedPaths": masked, "ReadonlyPaths": FIXED}
    own = {"Volumes": {"/data": {}}, "Healthcheck": {"Test": ["CMD", "true"]}}
    assert read(document(body(host, Hostname="4f5c0e4a9b7d", **own), own)) == read(document(body()))


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ({"ShmSize": 2**28}, "HostConfig.ShmSize"),
        ({"MaskedPaths": []}, "HostConfig.MaskedPaths"),
        ({"MaskedPaths": HIDDEN[1:]}, "HostConfig.MaskedPaths"),
        ({"MaskedPaths": [*HIDDEN, "/proc/cpuinfo"]}, "HostConfig.MaskedPaths"),
        ({"ReadonlyPaths": [*FIXED, "/proc/acpi"]}, "HostConfig.ReadonlyPaths"),
        ({"ReadonlyPaths": "x"}, "HostConfig.ReadonlyPaths"),
    ],
)
def test_other_values_than_dockers_own_are_refused(host: dict[str, Any], path: str) -> None:
    """Fargate's are as Docker's, and no others."""
    assert f"docker.{path}: Fargate" in refusal(document(body(host)))


IMAGE: Final = {"Entrypoint": ["/entry"], "Cmd": ["serve"]}


@pytest.mark.parametrize(
    ("config", "entrypoint", "cmd"),
    [
        ({}, ["/entry"], ["serve"]),
        ({"Entrypoint": None, "Cmd": None}, ["/entry"], ["serve"]),
        ({"Cmd": []}, ["/entry"], ["serve"]),
        ({"Cmd": ["job"]}, ["/entry"], ["job"]),
        ({"Cmd": "job"}, ["/entry"], ["job"]),
        ({"Entrypoint": ["sh"]}, ["sh"], None),
        ({"Entrypoint": "sh"}, ["sh"], None),
        ({"Entrypoint": ["sh"], "Cmd": ["-c", "x"]}, ["sh"], ["-c", "x"]),
        ({"Entrypoint": [""], "Cmd": ["job"]}, [], ["job"]),
        ({"Entrypoint": "", "Cmd": ["job"]}, [], ["job"]),
        ({"Entrypoint": [], "Cmd": ["job"]}, None, ["job"]),
        ({"Entrypoint": []}, None, ["serve"]),
    ],
)
def test_the_command_is_merged_as_docker_does(
    config: dict[str, Any], entrypoint: list[str] | None, cmd: list[str] | None
) -> None:
    """An entry point of the request drops the image's Cmd; [] drops the entry point alone, [""] both."""
    request = read(document({"Image": "alpine", **config}, IMAGE))
    assert (request.get("entrypoint"), request.get("cmd")) == (entrypoint, cmd)


SHOWN: Final[dict[str, dict[str, Any]]] = {
    "nginx, Engine 28": {
        "ExposedPorts": {"80/tcp": {}},
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NGINX_VERSION=1.27.5"],
        "Entrypoint": ["/docker-entrypoint.sh"],
        "Cmd": ["nginx", "-g", "daemon off;"],
        "WorkingDir": "/",
        "Labels": {"maintainer": "NGINX Docker Maintainers <docker-maint@nginx.com>"},
        "StopSignal": "SIGQUIT",
    },
    "postgres, Engine 24": {
        "Hostname": "",
        "Domainname": "",
        "User": "",
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "ExposedPorts": {"5432/tcp": {}},
        "Tty": False,
        "OpenStdin": False,
        "StdinOnce": False,
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PG_MAJOR=16", "PGDATA=/var/lib/postgresql/data"],
        "Cmd": ["postgres"],
        "Image": "",
        "Volumes": {"/var/lib/postgresql/data": {}},
        "WorkingDir": "",
        "Entrypoint": ["docker-entrypoint.sh"],
        "OnBuild": None,
        "Labels": None,
        "StopSignal": "SIGINT",
    },
}
"""`Config` of `docker image inspect`. Before Engine 28 it had the members of a container."""


@pytest.mark.parametrize("config", SHOWN.values(), ids=SHOWN)
def test_an_images_configuration_asks_for_nothing(config: dict[str, Any]) -> None:
    """Whatever else it says, its command counts alone."""
    unread = dict.fromkeys(API["ContainerConfig"].keys() - config.keys(), "anything")
    whole = document({"Image": "shop"}, {"Healthcheck": {"Test": ["CMD", "true"]}, **unread, "Newer": 1, **config})
    assert read(whole) == {"image": "shop", "entrypoint": config["Entrypoint"], "cmd": config["Cmd"]}
    assert SCHEMA.is_valid(whole)


@pytest.mark.parametrize("config", [{}, {"Entrypoint": [""]}, {"Cmd": []}])
def test_without_a_command_the_refusal_asks_for_the_images(config: dict[str, Any]) -> None:
    """ECS drops the image's own, and only the backend can know it."""
    message = refusal(document({"Image": "alpine", **config}))
    assert "entrypoint and cmd are both empty" in message
    assert "or image_config" in message


def test_the_images_command_needs_no_body_of_dockers() -> None:
    """`image_config` completes a request in the request's words too, by the same rules."""
    own = {"container_id": CONTAINER_ID, "image": "alpine", "image_config": IMAGE}
    assert read(own) == {"image": "alpine", "entrypoint": ["/entry"], "cmd": ["serve"]}
    assert read({**own, "entrypoint": ["sh"]}) == {"image": "alpine", "entrypoint": ["sh"]}
    assert read({**own, "cmd": ["job"]}) == {"image": "alpine", "entrypoint": ["/entry"], "cmd": ["job"]}


def test_the_last_of_a_variables_values_counts() -> None:
    """Also when it is a removal. A value may hold the sign that ends a name."""
    env = ["A=1", "B=2", "A=x=y", "B", "C", "C=", "D="]
    assert read(document(body(Env=env)))["environment"] == {"A": "x=y", "C": "", "D": ""}


def test_a_removal_is_refused_if_the_image_sets_the_variable() -> None:
    """ECS adds and replaces, and cannot take away. Clients send the name of what their shell lacks."""
    image = {"Env": ["PATH=/bin", "A"]}
    assert read(document(body(Env=["LATER"]), image)) == {"image": "alpine", "cmd": ["true"]}
    message = refusal(document(body(Env=["LATER", "PATH"]), image))
    assert "docker.Env[1]: removes PATH, which the image sets" in message


@pytest.mark.parametrize(
    ("config", "image", "refused"),
    [
        ("SIGTERM", None, False),
        ("TERM", None, False),
        ("15", {}, False),
        ("", None, False),
        ("SIGQUIT", None, True),
        ("SIGQUIT", {"StopSignal": "quit"}, False),
        ("3", {"StopSignal": "SIGQUIT"}, False),
        ("SIGRTMIN+3", {"StopSignal": "37"}, False),
        ("RTMAX-1", {"StopSignal": "63"}, False),
        ("SIGABRT", {"StopSignal": "SIGIOT"}, False),
        ("9" * 5000, {"StopSignal": "SIGQUIT"}, True),
        ("SIGTERM", {"StopSignal": "SIGQUIT"}, True),
    ],
)
def test_ecs_sends_the_stop_signal_of_the_image(config: str, image: dict[str, Any] | None, refused: bool) -> None:
    """Another one is refused, not forgotten."""
    sent = document(body(StopSignal=config), image)
    assert not refused or "docker.StopSignal: ECS sends the image's" in refusal(sent)
    assert refused or read(sent)


@pytest.mark.parametrize(
    ("host", "member", "value"),
    [
        ({"CpuQuota": 150_000}, "limits", {"nano_cpus": 1_500_000_000}),
        ({"CpuQuota": 10_000, "CpuPeriod": 30_000}, "limits", {"nano_cpus": 333_333_334}),
        ({"CapAdd": ["SYS_PTRACE"]}, "cap_add", ["SYS_PTRACE"]),
        ({"CapDrop": ["ALL"]}, "cap_drop", ["ALL"]),
        ({"ReadonlyRootfs": True}, "read_only_root", True),
        (
            {"LogConfig": {"Type": "awslogs", "Config": {"awslogs-group": "g", "awslogs-stream-prefix": "p"}}},
            "log",
            {"group": "g", "stream_prefix": "p"},
        ),
        (
            {"LogConfig": {"Type": "awslogs", "Config": {"mode": "non-blocking", "max-buffer-size": "4m"}}},
            "log",
            {"mode": "non-blocking", "max_buffer_size": "4m"},
        ),
    ],
)
def test_what_is_translated(host: dict[str, Any], member: str, value: Any) -> None:
    """Another spelling of a member of the request."""
    assert read(document(body(host)))[member] == value


def test_members_of_the_request_supplement_the_body() -> None:
    """What Docker has no words for, and what the client did not say; maps and limits entry by entry."""
    sent = document(
        body({"Memory": 2**29}, Env=["A=1"], Labels={"a": "1"}, User=""),
        environment={"B": "2"},
        labels={"b": "2"},
        limits={"cpu_units": 512, "memory_bytes": None},
        user="1000",
        ulimits=[],
        platform="ARM64",
    )
    assert read(sent) == {
        "image": "alpine",
        "cmd": ["true"],
        "environment": {"A": "1", "B": "2"},
        "labels": {"a": "1", "b": "2"},
        "limits": {"cpu_units": 512, "memory_bytes": 2**29},
        "user": "1000",
        "ulimits": [],
        "platform": "ARM64",
    }


@pytest.mark.parametrize(
    ("sent", "docker", "request_member"),
    [
        (body(), "Image", {"image": "nginx"}),
        (body(), "Cmd", {"cmd": ["sh"]}),
        (body(Env=["B=1", "A=1"]), "Env[1]", {"environment": {"A": "1"}}),
        (body(Labels={"a": "1"}), "Labels.a", {"labels": {"a": "1"}}),
        (body({"Memory": 1}), "HostConfig.Memory", {"limits": {"memory_bytes": 1}}),
        (body(StopTimeout=0), "StopTimeout", {"stop_timeout": 10}),
        (body({"ReadonlyRootfs": True}), "HostConfig.ReadonlyRootfs", {"read_only_root": False}),
    ],
)
def test_a_member_is_given_once(sent: dict[str, Any], docker: str, request_member: dict[str, Any]) -> None:
    """Two values are refused with both paths, also if they are the same."""
    [(name, value)] = request_member.items()
    path = name if not isinstance(value, dict) else f"{name}.{next(iter(value))}"
    assert f"docker.{docker}: is given by {path} too; send it in one of them" in refusal(
        document(sent, **request_member)
    )


def test_two_words_of_dockers_for_one_member_are_refused() -> None:
    """As Docker refuses NanoCpus beside CpuQuota."""
    message = refusal(document(body({"CpuQuota": 50_000, "NanoCpus": 10**9})))
    assert "docker.HostConfig.CpuQuota: is given by docker.HostConfig.NanoCpus too" in message


MOUNTED: Final = {
    "bind": body({"Binds": ["/srv/data:/data"]}),
    "volume": body({"Binds": ["data:/data:rw"]}, Volumes={"/data": {}}),
    "anonymous": body(Volumes={"/data": {}}),
    "anonymous bind": body({"Binds": ["/data"]}),
    "mount": body({"Mounts": [{"Type": "bind", "Source": "/srv/data", "Target": "/data/", "Consistency": "cached"}]}),
    "tmpfs": body({"Tmpfs": {"/data": "size=64m"}}),
}


@pytest.mark.parametrize("member", ["efs_binds"])
@pytest.mark.parametrize("sent", MOUNTED.values(), ids=MOUNTED)
def test_a_bind_of_the_request_takes_the_place_of_a_mount(sent: dict[str, Any], member: str) -> None:
    """The backend knows where a volume's data is. Without it every kind of mount is refused."""
    assert read(document(sent, **{member: [BIND]}))[member] == [BIND]
    assert "efs_binds or s3_files_binds" in refusal(document(sent))
    assert "efs_binds or s3_files_binds" in refusal(document(sent, **{member: [{**BIND, "container_path": "/other"}]}))


@pytest.mark.parametrize(
    "host", [{"Binds": ["data:/data:z,ro"]}, {"Mounts": [{"Type": "volume", "Target": "/data", "ReadOnly": True}]}]
)
def test_a_read_only_mount_stays_read_only(host: dict[str, Any]) -> None:
    """Whatever takes its place."""
    assert "send that with read_only true" in refusal(document(body(host), efs_binds=[BIND]))
    assert read(document(body(host), efs_binds=[{**BIND, "read_only": True}]))


@pytest.mark.parametrize("path", sorted({path[:-1] for _, path in PLACES.values()}, key=str), ids=str)
@pytest.mark.parametrize("value", [True, 1, "x", ["x"], {"A": {"B": 0, "C": "x"}}])
def test_a_member_of_a_newer_api_is_refused_by_name(path: tuple[Any, ...], value: Any) -> None:
    """At every depth, if it asks for something: the table has no row for it."""
    name = "docker" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in (*path, "Newer"))
    assert f"{name}: is unknown" in refusal(document(with_value(body(), (*path, "Newer"), value)))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", [False, 0, "", [], {}, {"A": {"B": 0}, "C": None}])
def test_a_member_of_a_newer_api_that_is_not_set_asks_for_nothing(place: str, value: Any) -> None:
    """A client whose types have one member more sends it with every request."""
    path = (*PLACES[place][1][:-1], "Newer")
    assert answer(document(with_value(body(), path, value))) == answer(document(with_value(body(), path, None)))


def test_an_unknown_member_may_be_deep() -> None:
    """Python's stack ends after a thousand calls; a refusal does not."""
    deep: Any = "x"
    for _ in range(5000):
        deep = {"A": deep}
    assert "docker.Newer: is unknown" in refusal(document({**body(), "Newer": deep}))


def in_case(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every name of a member in another letter case."""
    if isinstance(value, dict):
        return {change(name): in_case(member, change) for name, member in value.items()}
    return [in_case(one, change) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_the_letter_case_of_a_name_does_not_count(place: str, change: Callable[[str], str]) -> None:
    """Of no member: Docker's daemon reads `memory`, too. A refusal shows the caller's own."""
    sent = with_value(body(BESIDE.get(place)), PLACES[place][1], 5)
    other = in_case(sent, change)
    assert [one.lower() for one in answer(document(other))] == [one.lower() for one in answer(document(sent))]


@pytest.mark.parametrize("sent", [{**body(), "cmd": ["x"]}, body({"Memory": 1, "memory": 2})])
def test_a_member_is_spelled_once(sent: dict[str, Any]) -> None:
    """Docker takes the last of two spellings; which one was meant, only the caller knows."""
    assert "is there in another letter case too" in refusal(document(sent))


@pytest.mark.parametrize(
    ("platform", "own", "refused"),
    [
        ("linux/amd64", None, False),
        ("linux", "ARM64", False),
        ("", "ARM64", False),
        ("linux/arm64/v8", "ARM64", False),
        ("Linux/AArch64", "ARM64", False),
        ("linux/arm64", None, True),
        ("amd64", "ARM64", True),
        ("windows/amd64", None, True),
    ],
)
def test_the_platform_is_the_requests(platform: str, own: str | None, refused: bool) -> None:
    """dockerode writes that of the query into the body, too. Another one is refused, not forgotten."""
    sent = document(body(platform=platform), platform=own)
    assert not refused or "docker.platform: it is not the request's platform" in refusal(sent)
    assert refused or read(sent)


def test_what_libraries_add_to_the_body_is_ignored() -> None:
    """A password is in no message, also when something else is refused."""
    added = {"name": "web", "authConfig": {"password": "hunter2"}, "AuthConfig": {"password": "hunter2"}}
    assert read(document({**body(), "name": "web", "authConfig": {"password": "hunter2"}})) == read(document(body()))
    assert "hunter2" not in refusal(document({**body(), **added}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"docker": []}, "docker: must be an object"),
        ({"docker": "alpine"}, "docker: must be an object"),
        ({"docker": {}}, "docker.Image: is required"),
        ({"docker": None}, "image: is required"),
        ({"image_config": 5}, "image_config: must be an object"),
        ({"image_config": {"Env": "A=1"}}, "image_config.Env: must be an array"),
        ({"image_config": {"Cmd": [1]}, "docker": {"Image": "alpine"}}, "image_config.Cmd[0]: must be a string"),
        ({"docker": body(Env="A=1")}, "docker.Env: must be an array"),
        ({"docker": body(Env=[5])}, "docker.Env[0]: must be a string"),
        ({"docker": body(Env=["=hunter2"])}, "docker.Env[0]: is not a variable's name"),
        ({"docker": body(Env=["SOCKERLESS_AGENT_TOKEN=hunter2"])}, "docker.Env[0]: is set for the agent"),
        ({"docker": body(Cmd=5)}, "docker.Cmd: must be an array"),
        ({"docker": body(Cmd=["a", 5])}, "docker.Cmd[1]: must be a string"),
        ({"docker": body(User={"uid": 5})}, "docker.User: must be a string"),
        ({"docker": body(WorkingDir="app")}, "docker.WorkingDir: must be an absolute path"),
        ({"docker": body(Labels=["a"])}, "docker.Labels: must be an object"),
        ({"docker": body(Labels={"a": 1})}, "docker.Labels.a: must be a string"),
        ({"docker": body(Volumes=["/data"])}, "docker.Volumes: must be an object"),
        ({"docker": body(StopTimeout=121)}, "docker.StopTimeout: must be from 0 to 120"),
        ({"docker": body({"Memory": "512m"})}, "docker.HostConfig.Memory: must be a whole number"),
        ({"docker": body({"Memory": 1}), "limits": 5}, "limits: must be an object"),
        ({"docker": body({"CpuQuota": "1"})}, "docker.HostConfig.CpuQuota: must be a whole number"),
        ({"docker": body({"CpuPeriod": -1})}, "docker.HostConfig.CpuPeriod: must be a whole number"),
        ({"docker": body({"Binds": "/a:/b"})}, "docker.HostConfig.Binds: must be an array"),
        ({"docker": body({"Mounts": {}})}, "docker.HostConfig.Mounts: must be an array"),
        ({"docker": body({"Tmpfs": ["/a"]})}, "docker.HostConfig.Tmpfs: must be an object"),
        ({"docker": body({"Ulimits": ["nofile=5"]})}, "docker.HostConfig.Ulimits[0]: must be an object"),
        ({"docker": body({"LogConfig": "none"})}, "docker.HostConfig.LogConfig: must be an object"),
        ({"docker": body({"LogConfig": {"Config": []}})}, None),
        ({"docker": body({"LogConfig": {"Config": ["a"]}})}, "docker.HostConfig.LogConfig.Config: must be an object"),
        ({"docker": body(NetworkingConfig={"EndpointsConfig": ["a"]})}, "EndpointsConfig: must be an object"),
        ({"docker": body(HostConfig=[])}, "docker.HostConfig: must be an object"),
        ({"colour": "blue"}, "colour: is unknown; allowed are container_id, image,"),
        ({"colour": "blue"}, ", docker, image_config"),
    ],
)
def test_a_wrong_member_is_named_as_the_caller_wrote_it(changes: dict[str, Any], says: str | None) -> None:
    """The strict rules of the request hold, under Docker's names. No value is shown."""
    sent = {**document(body()), **changes}
    if says is None:
        assert read(sent)
        return
    message = refusal(sent)
    assert says in message
    assert "hunter2" not in message


ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(place=st.sampled_from(sorted(PLACES)), value=ANYTHING, image=ANYTHING, binds=ANYTHING)
def test_whatever_stands_in_a_body_is_read_or_refused(place: str, value: Any, image: Any, binds: Any) -> None:
    """No document is an error of the function, and none is changed by reading it."""
    sent = document(with_value(body(), PLACES[place][1], value), image, efs_binds=binds)
    before = json.dumps(sent)
    with contextlib.suppress(RefusedRequest):
        parse_start_request(sent)
    assert json.dumps(sent) == before


def test_no_value_of_the_environment_is_shown() -> None:
    """It may be a secret: it is in no message, traceback or repr."""
    sent = document(body({"Privileged": True}, Env=["PASSWORD=hunter2"], Cmd=["\0"]), {"Env": ["PASSWORD=hunter2"]})
    with pytest.raises(RefusedRequest) as caught:
        parse_start_request(sent)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value)) + repr(translate(sent))
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "sent",
    [
        document(body()),
        document({"Image": "alpine"}, IMAGE),
        document(body(), image=None),
        document(body(), image=""),
        {"container_id": CONTAINER_ID, "image": "alpine", "image_config": IMAGE},
        {"container_id": CONTAINER_ID, "image": "alpine", "cmd": ["true"], "docker": "", "image_config": None},
    ],
)
def test_the_schema_takes_dockers_words(sent: dict[str, Any]) -> None:
    """It asks for an image and a command where nothing else may bring them."""
    assert SCHEMA.is_valid(sent)
    assert read(sent)["image"] == "alpine"


@pytest.mark.parametrize(
    "sent",
    [
        document(None),
        document([]),
        {"container_id": CONTAINER_ID, "image": "alpine", "image_config": ""},
        {"container_id": CONTAINER_ID, "cmd": ["true"], "image_config": IMAGE},
        {**document(body()), "container_id": None},
    ],
)
def test_the_schema_refuses_what_the_parser_refuses(sent: dict[str, Any]) -> None:
    """As far as Docker's own schema is not needed for it."""
    assert not SCHEMA.is_valid(sent)
    assert refusal(sent)
