"""Translates Docker's words: `docker` and `image_config` of a start request become its other members.

`docker` is the body of `POST /containers/create` as a client sends it, `image_config` what Docker's image inspect shows
as `Config`. The result is a plain document, which the strict models check as any other, and the origin of each member,
so that a refusal names what the caller wrote. Members of the request supplement `docker`; two values for one member are
refused. The image's configuration is merged as Docker's daemon does it (moby, daemon/commit.go, `merge`).
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Final

from core.launch.docker.members import MOUNT, PLATFORM, STOP_SIGNAL, TABLE
from core.launch.docker.rows import Mapped, Nested, Refused
from core.launch.docker.translation import UNSET, Path, Translation

DOCKER: Final = "docker"
IMAGE_CONFIG: Final = "image_config"
_HOST: Final = (DOCKER, "HostConfig")
_DEFAULT_PERIOD: Final = 100_000
_FROM_IMAGE: Final = ("Healthcheck", "Volumes")
"""What Docker's inspect of a container shows although only its image has it, and what is refused of a container."""
_SIGNALS: Final[Mapping[str, str]] = {
    **{name.removeprefix("SIG"): str(int(one)) for name, one in signal.Signals.__members__.items()},
    **{f"RTMIN+{number}": str(signal.SIGRTMIN + number) for number in range(1, 16)},
    **{f"RTMAX-{number}": str(signal.SIGRTMAX - number) for number in range(1, 15)},
}
_PLATFORMS: Final[Mapping[str, set[str]]] = {
    "X86_64": {"linux", "amd64", "x86_64", "x86-64"},
    "ARM64": {"linux", "arm64", "aarch64", "v8"},
}
"""The request's platform in Docker's words: os/arch/variant, each of which may be left out."""
_LOG_OPTIONS: Final[Mapping[str, str]] = {
    "awslogs-group": "group",
    "awslogs-stream-prefix": "stream_prefix",
    "mode": "mode",
    "max-buffer-size": "max_buffer_size",
}


def translate(document: Mapping[str, Any]) -> Translation:
    """The start request without `docker` and `image_config`. Nothing of them is lost without a fault."""
    body, image = (document[name] if document.get(name) not in (None, "") else {} for name in (DOCKER, IMAGE_CONFIG))
    given = {name: deepcopy(value) for name, value in document.items() if name not in (DOCKER, IMAGE_CONFIG)}
    into = Translation(given)
    if document.get(DOCKER) not in (None, "") and given.get("image") in UNSET:
        into.origins["image",] = (DOCKER, "Image")
    if not isinstance(image, dict):
        into.fault((IMAGE_CONFIG,), "must be an object")
    own = _members(image)
    if isinstance(body, dict):
        body = {name: one for name, one in body.items() if name not in _FROM_IMAGE or one != own.get(name)}
    config = _read("ContainerConfig", body, (DOCKER,), into)
    host = config.get("HostConfig", {})
    _command(config, own, into)
    _environment(config, own, into)
    _stop_signal(config, own, into)
    _platform(config, into)
    _quota(host, into)
    _ulimits(host, into)
    _log(host.get("LogConfig", {}), into)
    _mounts(config, host, into)
    return into


def _read(kind: str, holder: Any, path: Path, into: Translation) -> dict[str, Any]:
    """Applies the table to each member of an object, and returns those that are set, by the names in the table.

    Docker's daemon reads a name in any letter case, as Go's encoding/json does.
    """
    members: dict[str, Any] = {}
    if not isinstance(holder, dict):
        into.fault(path, "must be an object")
        return members
    names = {name.lower(): name for name in TABLE[kind]}
    for written, value in holder.items():
        if value is None:
            continue  # asks for nothing, whatever its name: docker-py sends a network's as a member
        here: Path = (*path, written)
        name = str(names.get(written.lower(), written))
        if name in members:
            into.fault(here, "is there in another letter case too; send it once")
            continue
        members[name] = value
        match TABLE[kind].get(name):
            case None if _asks(value):
                into.fault(here, "is unknown: Docker's Engine API up to 1.51 has no such member here; leave it out")
            case Nested(nested, each):
                members[name] = _read_all(nested, value, here, each, into)
            case Refused(asks=asks, translated=False) as row if asks(value):
                into.fault(here, row.says)
            case Mapped(to, asks=asks, translated=False) if asks(value):
                into.put(tuple(to.split(".")), value, here)
            case _:
                pass
    return members


def _read_all(kind: str, holder: Any, path: Path, each: type[Any] | None, into: Translation) -> Any:
    if each is None:
        return _read(kind, holder, path, into)
    if not isinstance(holder, each):
        into.fault(path, f"must be an {'array' if each is list else 'object'}")
        return None
    elements: Iterable[tuple[str | int, Any]] = holder.items() if isinstance(holder, dict) else enumerate(holder)
    return [_read(kind, {} if one is None else one, (*path, key), into) for key, one in elements]


def _asks(value: Any) -> bool:
    """Whether an unknown member asks for something. Go writes an object that is not set with all of its members."""
    values = [value]
    while values:
        one = values.pop()
        if isinstance(one, dict):
            values += one.values()
        elif one:
            return True
    return False


def _members(holder: Any) -> dict[str, Any]:
    """The members of an object; none of anything else, which `_read` has found."""
    return holder if isinstance(holder, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _elements(holder: Mapping[str, Any], name: str, path: Path, into: Translation) -> list[Any]:
    """The elements of an array that `_read` has not checked."""
    if holder.get(name) not in UNSET and not isinstance(holder[name], list):
        into.fault((*path, name), "must be an array")
    return _list(holder.get(name))


def _command(config: Mapping[str, Any], image: Mapping[str, Any], into: Translation) -> None:
    """The image's Cmd goes with the image's entry point or with none. [""] counts as an entry point until here."""
    for name in ("Entrypoint", "Cmd"):
        words = config.get(name)
        if isinstance(words, str):
            words = [words]
        if words not in UNSET:
            into.put((name.lower(),), words, (DOCKER, name))
    entrypoint, cmd = (into.document.get(name) for name in ("entrypoint", "cmd"))
    if entrypoint in UNSET:
        inherited = {"Cmd": cmd in UNSET, "Entrypoint": config.get("Entrypoint") != []}
        for name, missing in inherited.items():
            if missing and image.get(name) not in UNSET:
                into.put((name.lower(),), image[name], (IMAGE_CONFIG, name))


def _environment(config: Mapping[str, Any], image: Mapping[str, Any], into: Translation) -> None:
    """The last value of a name counts, as in Docker, and a removal is one."""
    own = {str(word).partition("=")[0] for word in _elements(image, "Env", (IMAGE_CONFIG,), into)}
    variables: dict[str, tuple[str | None, Path]] = {}
    for index, word in enumerate(_elements(config, "Env", (DOCKER,), into)):
        here: Path = (DOCKER, "Env", index)
        if isinstance(word, str):
            name, sign, value = word.partition("=")
            variables[name] = value if sign else None, here
        else:
            into.fault(here, "must be a string")
    for name, (text, here) in variables.items():
        if text is not None:
            into.put(("environment", name), text, here)
        elif name in own:
            into.fault(here, f"removes {name}, which the image sets, and ECS cannot; send it with an empty value")


def _stop_signal(config: Mapping[str, Any], image: Mapping[str, Any], into: Translation) -> None:
    asked, sent = (_signal(holder.get("StopSignal")) for holder in (config, image))
    if asked and asked != (sent or _signal("TERM")):
        into.fault((DOCKER, "StopSignal"), STOP_SIGNAL.says)


def _signal(name: Any) -> str:
    """Its number: Docker takes SIGTERM, TERM and 15."""
    text = str(name or "").upper().removeprefix("SIG")
    return _SIGNALS.get(text, text)


def _platform(config: Mapping[str, Any], into: Translation) -> None:
    asked = set(str(config.get("platform") or "linux").lower().split("/"))
    if not asked <= _PLATFORMS.get(str(into.document.get("platform") or "X86_64"), asked):
        into.fault((DOCKER, "platform"), PLATFORM.says)


def _quota(host: Mapping[str, Any], into: Translation) -> None:
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or _DEFAULT_PERIOD
    for name, value in (("CpuQuota", quota), ("CpuPeriod", period)):
        if type(value) is not int or (name == "CpuPeriod" and value < 0):
            into.fault((*_HOST, name), "must be a whole number, and a period not below 0")
            return
    if quota > 0:
        into.put(("limits", "nano_cpus"), -(-quota * 10**9 // period), (*_HOST, "CpuQuota"))


def _ulimits(host: Mapping[str, Any], into: Translation) -> None:
    path, names, ulimits = (*_HOST, "Ulimits"), ("Name", "Soft", "Hard"), host.get("Ulimits")
    if not ulimits:
        return
    into.put(("ulimits",), [{name.lower(): one.get(name) for name in names} for one in ulimits], path)
    for index in range(len(ulimits)):
        into.origins |= {("ulimits", index, name.lower()): (*path, index, name) for name in names}


def _log(log: Mapping[str, Any], into: Translation) -> None:
    path = (*_HOST, "LogConfig")
    driver, options = log.get("Type") or "", log.get("Config") or {}
    if not isinstance(options, dict):
        into.fault((*path, "Config"), "must be an object")
    elif driver == "awslogs":
        for name, value in options.items():
            if name in _LOG_OPTIONS:
                into.put(("log", _LOG_OPTIONS[name]), value, (*path, "Config", name))
            else:
                allowed = ", ".join(_LOG_OPTIONS)
                into.fault((*path, "Config", name), f"is the stack's to set; allowed are {allowed}; leave it out")
    elif driver not in ("", "json-file", "local"):
        into.fault((*path, "Type"), "must be awslogs, json-file or local: Fargate's output goes to CloudWatch Logs")


def _mounts(config: Mapping[str, Any], host: Mapping[str, Any], into: Translation) -> None:
    """A bind of the request takes the place of a mount at the same path. Clients repeat these paths in Volumes."""
    binds = [one for name in ("efs_binds", "s3_files_binds") for one in _list(into.document.get(name))]
    read_only = {str(one.get("container_path")): bool(one.get("read_only")) for one in map(_members, binds)}
    wanted: list[tuple[Path, str, bool]] = []
    for index, word in enumerate(_elements(host, "Binds", _HOST, into)):
        source, _, rest = str(word).partition(":")
        target, _, options = rest.partition(":")
        wanted.append(((*_HOST, "Binds", index), target or source, "ro" in options.split(",")))
    for index, mount in enumerate(host.get("Mounts") or ()):
        wanted.append(((*_HOST, "Mounts", index), str(mount.get("Target")), bool(mount.get("ReadOnly"))))
    for holder, name, above in ((host, "Tmpfs", _HOST), (config, "Volumes", (DOCKER,))):
        if isinstance(targets := holder.get(name) or {}, dict):
            known = {target for _, target, _ in wanted}
            wanted += [((*above, name, target), target, False) for target in targets if target not in known]
        else:
            into.fault((*above, name), "must be an object")
    for path, target, without_writes in wanted:
        place = target.rstrip("/")
        if place not in read_only:
            into.fault(path, MOUNT.says)
        elif without_writes and not read_only[place]:
            into.fault(path, "is read-only, and the bind in its place is not; send that with read_only true")
