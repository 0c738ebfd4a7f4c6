"""`sam build` of the real template.yaml: once for all clouds of this repository, and only after a change."""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local.cloud.environment import ENDPOINTS
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError, Command, call
from local.cloud.sam import sam_environment, sam_program

BUILD_SECONDS: Final = 300

MACHINE: Final[Mapping[str, Any]] = {
    "Runtime": f"python3.{sys.version_info.minor}",
    "Architectures": ["arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"],
}
"""Functions run in processes of this machine, so they are built for its processor and for the Python that runs now."""

_TEMPLATE: Final = ROOT / "template.yaml"
_FINGERPRINT: Final = "fingerprint"
_PACKED: Final = "packed.json"
INVOKED: Final = "invoke.json"
"""The template for `sam local invoke`, beside the built one."""


@contextmanager
def built(layout: Layout, say: Callable[[str], None]) -> Iterator[Path]:
    """The template to deploy. Inside, no other cloud builds.

    Builds unless the last build was of what lies here now. Raises `CloudError` with the end of the log.
    """
    directory = layout.sam / "build"
    layout.sam.mkdir(parents=True, exist_ok=True)
    with (layout.sam / "lock").open("w") as lock:
        _acquire(lock.fileno(), fcntl.LOCK_SH, say)
        if _is_current(directory):
            say("sam build: nothing has changed since the last one")
        else:
            _acquire(lock.fileno(), fcntl.LOCK_EX, say)
            if not _is_current(directory):  # another cloud may just have built it
                begun = time.monotonic()
                _build(layout, directory, lock.fileno())
                say(f"sam build ({time.monotonic() - begun:.1f} s)")
            _acquire(lock.fileno(), fcntl.LOCK_SH, say)
        yield directory / _PACKED


def of_this_machine(template: str) -> str:
    """The template, as JSON, with the two properties of all functions that cannot be AWS's here: `MACHINE`.

    And without the statements that refuse calls without TLS, because the local AWS speaks HTTP on loopback. Raises
    `KeyError` for a property that the template does not have.
    """
    document = yaml_parse(template)
    shared = document["Globals"]["Function"]
    if missing := MACHINE.keys() - shared.keys():
        raise KeyError(f"template.yaml no longer says {', '.join(sorted(missing))} for all functions in one place")
    shared.update(MACHINE)
    document["Resources"] = dict(_without_tls(document["Resources"]))
    return json.dumps(document)


def _without_tls(resources: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A policy that has no other statement goes as a whole."""
    for name, resource in resources.items():
        if resource["Type"] == "AWS::SQS::QueuePolicy":
            policy = resource["Properties"]["PolicyDocument"]
            policy["Statement"] = [one for one in policy["Statement"] if "Bool" not in one.get("Condition", {})]
            if not policy["Statement"]:
                continue
        yield name, resource


def fingerprint(files: Iterable[Path], root: Path, machine: Mapping[str, Any]) -> str:
    """A digest of the names below `root`, the contents, and the machine: equal only if all of them are."""
    digest = hashlib.sha256(json.dumps(dict(machine), sort_keys=True).encode())
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"\n{file.relative_to(root)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def inputs(root: Path) -> Iterator[Path]:
    """The files of a repository that a build depends on: template, sources, SAM's version, this module."""
    yield from (root / "template.yaml", root / "requirements" / "sam.lock", root / Path(__file__).relative_to(ROOT))
    for path in (root / "src").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def pack(directory: Path) -> None:
    """Writes the built template as JSON with one archive for all functions; and again for `sam local invoke`.

    `sam deploy` would pack the same code for each function: they share one CodeUri in the real template. And it would
    read YAML seven times, a quarter of a second each. `sam local invoke` sets only variables that its template
    declares, so that one declares where the local cloud is.
    """
    template = yaml.safe_load((directory / "template.yaml").read_text())
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    code = shutil.make_archive(str(directory / "code"), "zip", directory / functions[0]["Properties"]["CodeUri"])
    for function in functions:
        function["Properties"]["CodeUri"] = Path(code).name
    (directory / _PACKED).write_text(json.dumps(template))
    template["Globals"]["Function"]["Environment"]["Variables"] |= dict.fromkeys(ENDPOINTS, "")
    (directory / INVOKED).write_text(json.dumps(template))


def _build(layout: Layout, directory: Path, lock: int) -> None:
    note = directory / _FINGERPRINT
    note.unlink(missing_ok=True)
    # Taken before: what changes during the build is built the next time.
    current = _current()
    template = layout.sam / "template.json"
    template.write_text(of_this_machine(_TEMPLATE.read_text()))
    arguments = [
        sam_program(),
        "build",
        *("--template-file", str(template)),
        *("--base-dir", str(ROOT)),
        *("--build-dir", str(directory)),
        *("--cache-dir", str(layout.sam / "cache")),
        "--cached",
    ]
    call(
        # sam keeps notes in its working directory and beside the build. It has the lock too, so that no other cloud
        # builds beside it when this process is killed.
        Command(arguments, sam_environment({}), cwd=layout.sam, log=layout.logs / "sam-build.log", inherited=(lock,)),
        timeout=BUILD_SECONDS,
        advice="sam build installs src/requirements.txt with pip, so it needs the package index once; "
        "then try again. `make clean` removes a build that is broken.",
        run=layout.run,
    )
    _compile(directory)
    pack(directory)
    note.write_text(current)


def _compile(build: Path) -> None:
    """Puts byte code beside the sources of every function, with the Python that runs now. Raises `CloudError`.

    Lambda's code directory is read-only, so without it every cold start compiles 600 modules anew: 0.2 s of 0.45 s of
    processor time until a handler is imported, measured here. Hash-based files that are not checked against their
    sources survive the zip, which keeps no exact times. All functions share one CodeUri, so one is compiled and copied
    over the others.
    """
    first, *others = sorted(path for path in build.iterdir() if path.is_dir())
    arguments = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", str(first)]
    done = subprocess.run([sys.executable, "-m", "compileall", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise CloudError(f"The functions could not be compiled: {done.stdout}{done.stderr}")
    for other in others:
        shutil.copytree(first, other, dirs_exist_ok=True)


def _current() -> str:
    return fingerprint(inputs(ROOT), ROOT, MACHINE)


def _is_current(directory: Path) -> bool:
    note = directory / _FINGERPRINT
    return note.exists() and note.read_text() == _current()


def _acquire(lock: int, kind: int, say: Callable[[str], None]) -> None:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another local cloud, which builds or deploys")
        fcntl.flock(lock, kind)
