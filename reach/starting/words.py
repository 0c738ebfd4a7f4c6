"""Values of options as `docker run` spells them, and as a start request has them. Each raises `Refused`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from core.launch.request import Platform
from reach import Refused

_NANO: Final = 10**9
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)(?:i?b)?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_ULIMIT: Final = re.compile(r"([a-z]+)=([0-9]+)(?::([0-9]+))?")
_PLATFORMS: Final = {
    "amd64": Platform.X86_64,
    "x86_64": Platform.X86_64,
    "arm64": Platform.ARM64,
    "arm64/v8": Platform.ARM64,
    "aarch64": Platform.ARM64,
}


def nano_cpus(text: str) -> int:
    """`0.5` -> 500000000."""
    try:
        return int(Decimal(text) * _NANO)
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise Refused(f"--cpus {text} is not a number of CPUs. What to do: write it as 0.25, 1 or 4.") from error


def memory_bytes(text: str) -> int:
    """`512m` -> 536870912. k, m, g and t are powers of 1024, as for Docker; a number alone is bytes."""
    if found := _SIZE.fullmatch(text):
        return int(Decimal(found[1]) * 1024 ** _POWERS[found[2].lower()])
    raise Refused(f"--memory {text} is not a size. What to do: write it as 512m, 2g or a number of bytes.")


def ulimit(text: str) -> dict[str, Any]:
    """`nofile=1024:2048`, or one number for both."""
    if found := _ULIMIT.fullmatch(text):
        return {"name": found[1], "soft": int(found[2]), "hard": int(found[3] or found[2])}
    raise Refused(f"--ulimit {text} is not a limit. What to do: write it as nofile=1024 or nofile=1024:2048.")


def platform(text: str) -> str:
    """`linux/arm64` -> `ARM64`."""
    if found := _PLATFORMS.get(text.lower().removeprefix("linux/")):
        return found.value
    raise Refused(f"--platform {text} is not one of Fargate's. What to do: linux/amd64 or linux/arm64.")


def labels(texts: Iterable[str]) -> dict[str, str]:
    """`K=V`, or `K` for an empty value."""
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def secrets(texts: Iterable[str]) -> dict[str, str]:
    """`NAME=ARN`."""
    return dict(_pair("--secret", text, "NAME=ARN") for text in texts)


def environment(texts: Iterable[str], here: Mapping[str, str]) -> dict[str, str]:
    """`K=V`; a `K` alone has the value that it has `here`, and is left out where it has none."""
    variables = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if sign or name in here:
            variables[name] = value if sign else here[name]
    return variables


def lines_of(content: str, path: str) -> list[str]:
    """The variables of an `--env-file`, for `environment`: a line each, without quotation marks, # for a comment."""
    lines = [line.lstrip() for line in content.removeprefix("\ufeff").splitlines()]
    for number, line in enumerate(lines, start=1):
        name = line.partition("=")[0]
        if line and not line.startswith("#") and (not name or name.split() != [name]):
            raise Refused(f"{path}:{number} is not NAME=VALUE or NAME. What to do: correct the line; # is a comment.")
    return [line for line in lines if line and not line.startswith("#")]


def _pair(option: str, text: str, form: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise Refused(f"{option} {name} has no value. What to do: write it as {form}.")
    return name, value
