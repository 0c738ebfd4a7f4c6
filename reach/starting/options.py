"""The options of `reach start` that become members of the start request. Names are Docker's where Docker has one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core.launch.settings import TokenDelivery
from core.model.agent import Injection
from core.model.capacity import Capacity

_CONTAINER = {"rich_help_panel": "Container, as for docker run"}
_FARGATE = {"rich_help_panel": "Agent and Fargate; the default is the stack's"}


def _option(*names: str, **said: Any) -> Any:
    return typer.Option(*names, show_default=False, **said)


# Hidden in the list of options alone: the usage shows them, and the help says what they are.
Image = Annotated[str | None, typer.Argument(metavar="IMAGE", show_default=False, hidden=True)]
Command = Annotated[list[str] | None, typer.Argument(metavar="COMMAND", show_default=False, hidden=True)]
Id = Annotated[str | None, _option("--id", metavar="ID", help="64 hexadecimal digits. Default: new random ones.")]
RequestFile = Annotated[
    str | None, _option("--request", metavar="FILE", help="A start request as JSON; - is standard input.")
]

Env = Annotated[
    list[str] | None, _option("--env", "-e", metavar="K=V", help="K alone: as it is here. Repeatable.", **_CONTAINER)
]
EnvFile = Annotated[list[str] | None, _option("--env-file", metavar="FILE", help="K=V lines.", **_CONTAINER)]
EntryPoint = Annotated[str | None, _option("--entrypoint", metavar="PROGRAM", **_CONTAINER)]
User = Annotated[str | None, _option("--user", "-u", metavar="USER[:GROUP]", **_CONTAINER)]
Workdir = Annotated[str | None, _option("--workdir", "-w", metavar="DIR", **_CONTAINER)]
Label = Annotated[
    list[str] | None, _option("--label", "-l", metavar="K=V", help="Also a tag of the task.", **_CONTAINER)
]
Cpus = Annotated[str | None, _option("--cpus", metavar="N", help="As 0.5; with -m the smallest size.", **_CONTAINER)]
Memory = Annotated[str | None, _option("--memory", "-m", metavar="SIZE", help="As 512m or 2g.", **_CONTAINER)]
StopTimeout = Annotated[int | None, _option("--stop-timeout", metavar="SECONDS", help="2 to 120.", **_CONTAINER)]
Ulimit = Annotated[str | None, _option("--ulimit", metavar="nofile=SOFT[:HARD]", **_CONTAINER)]
ReadOnly = Annotated[bool, _option("--read-only", help="The root file system.", **_CONTAINER)]
CapAdd = Annotated[list[str] | None, _option("--cap-add", metavar="SYS_PTRACE", **_CONTAINER)]
Platform = Annotated[
    str | None, _option("--platform", metavar="OS/ARCH", help="linux/amd64 or linux/arm64.", **_CONTAINER)
]

CapacityOption = Annotated[Capacity | None, _option("--capacity", **_FARGATE)]
Secret = Annotated[
    list[str] | None,
    _option("--secret", metavar="NAME=ARN", help="A variable; the ARN of its value.", **_FARGATE),
]
TokenDeliveryOption = Annotated[TokenDelivery | None, _option("--token-delivery", **_FARGATE)]
InjectionOption = Annotated[Injection | None, _option("--injection", **_FARGATE)]
HealthTimeout = Annotated[int | None, _option("--health-timeout", metavar="SECONDS", **_FARGATE)]
StartTimeout = Annotated[int | None, _option("--start-timeout", metavar="SECONDS", **_FARGATE)]
MaxLifetime = Annotated[int | None, _option("--max-lifetime", metavar="SECONDS", **_FARGATE)]
