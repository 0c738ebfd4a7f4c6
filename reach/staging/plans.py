"""What a run of the command will do, as text and as the call that does it. `--dry-run` shows the text alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.launch.injection import COPY_DIRECTORY
from core.launch.request import Platform
from core.model.agent import AGENT_NAME
from reach import Refused
from reach.staging import script
from reach.staging.binary import read_binary
from reach.staging.bucket import Bucket, Step
from reach.staging.running import OneOff
from reach.staging.task import DIRECTORY, FAMILY
from reach.staging.versions import Report, path_of, version_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks for: a listing, else a switch to a version, else to stage one and, by `switch`, to use it.

    Without a platform any file will do.
    """

    platform: Platform | None
    version: str | None = None
    switch: bool = True
    switch_to: str | None = None
    listing: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """`place` is the directory that tasks mount. Without `steps` nothing will change."""

    place: str
    steps: tuple[str, ...]
    perform: Callable[[], Report]


def on_s3_files(bucket: Bucket, wish: Wish, file: Path | None, say: Callable[[str], None]) -> Plan:
    """The changes in the bucket. Raises `Refused`, `StagingFailed`, `CallFailed`."""
    before, steps = bucket.listing().current, list[Step]()
    staged = sha256 = None
    new = False
    if wish.switch_to:
        steps = bucket.switching(wish.switch_to, bucket.sha256_of(wish.switch_to))
    elif not wish.listing:
        binary = read_binary(_named(file), wish.platform)
        sha256 = binary.sha256
        staged = wish.version or version_of(sha256)
        keeping = bucket.staging(binary, staged)
        new = bool(keeping)
        steps = [*keeping, *(bucket.switching(staged, sha256) if wish.switch else ())]

    def perform() -> Report:
        for step in steps:
            say(step.text)
            step.perform()
        return Report(bucket.listing(), staged, sha256, new, before)

    return Plan(bucket.uri(), tuple(step.text for step in steps), perform)


def _named(file: Path | None) -> Path:
    if file is None:
        raise Refused(
            "S3 Files takes a file of this machine. What to do: give --file BINARY. To take it out of an image: docker "
            "create IMAGE, then docker cp CONTAINER:/sockerless-agent ."
        )
    return file


def on_efs(task: OneOff, wish: Wish, timeout: float) -> Plan:
    """The one-off task, which is run in any case: what is on the file system is known only in it."""
    run, access = task.order.run, task.access
    if wish.switch_to:
        arguments = script.switch(DIRECTORY, run, wish.switch_to)
    elif wish.listing:
        arguments = script.listing(DIRECTORY, run)
    else:
        arguments = script.stage(
            DIRECTORY, run, COPY_DIRECTORY, platform=wish.platform, version=wish.version, switch=wish.switch
        )
    place = f"{access.file_system}:{access.path}"
    return Plan(place, tuple(_steps(task, wish)), lambda: task.run(arguments, timeout))


def _steps(task: OneOff, wish: Wish) -> Iterator[str]:
    settings, order, access = task.settings, task.order, task.access
    directory = access.path.rstrip("/")
    if access.creation:
        yield f"make an access point of {access.file_system} at {access.path}"
    yield f"register the task definition {FAMILY}: {order.platform}, image {order.tools}, role {access.role}"
    groups = ", ".join(settings.task_security_groups) or "of the VPC"
    yield f"run it once: cluster {order.cluster}, subnets {', '.join(settings.task_subnets)}, security groups {groups}"
    if order.copies:
        checked = "check it, " if wish.platform else ""
        kept = f"{directory}/{path_of(wish.version or '<its SHA-256>')}"
        yield f"in it: {' '.join(settings.agent_copy_command)} in {settings.agent_image}; {checked}keep it as {kept}"
    if wish.switch_to or (order.copies and wish.switch):
        target = path_of(wish.switch_to or wish.version or "<its SHA-256>")
        yield f"in it: make {directory}/{AGENT_NAME} a link to {target}"
    if wish.listing:
        yield f"in it: list {directory}/versions"
    yield "stop the task, deregister the definition" + (", delete the access point" if access.creation else "")
