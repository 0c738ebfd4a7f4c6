"""An image that looks like Lambda's own, made without a registry: `sam local invoke` runs functions in it.

It is the base image with this machine's Python, for which the functions were built, and with Lambda's runtime client.
SAM adds Lambda's runtime interface emulator.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

from local.cloud.layout import ROOT
from local.fargate.engine.connection import BASE_IMAGE
from tests.e2e.engine import docker

IMAGE: Final = "sockerless-tests/lambda:latest"
_PYTHON: Final = "/opt/python"
_LIBRARIES: Final = f"{_PYTHON}/shared"
_LOADER: Final = f"{_LIBRARIES}/ld.so"
_RUNTIME: Final = "/var/runtime"

_DOCKERFILE: Final = f"""\
FROM {BASE_IMAGE}
COPY files/ /
ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR={_RUNTIME} TZ=:UTC
WORKDIR /var/task
"""
_BOOTSTRAP: Final = f"""\
#!/bin/sh
export PYTHONHOME={_PYTHON} PYTHONPATH=/var/task:{_RUNTIME}
exec {_LOADER} --library-path {_LIBRARIES} {_PYTHON}/bin/python3 -m awslambdaric "$_HANDLER"
"""
_DEPENDENCY: Final = re.compile(r"(?:=> )?(/\S+) \(0x")
"""A line of ldd: `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x...)`, or the loader, `/lib64/ld-...so.2 (0x...)`."""


def build(context: Path) -> None:
    """Builds `IMAGE` in a new directory."""
    files = context / "files"
    _install(files / _RUNTIME.lstrip("/"))
    _copy_python(files)
    (context / "Dockerfile").write_text(_DOCKERFILE)
    docker("build", "--quiet", "--tag", IMAGE, str(context))


def _install(runtime: Path) -> None:
    """The client and boto3, which Lambda's own images have too."""
    lock = ROOT / "requirements" / "lambda.lock"
    options = ["--quiet", "--no-deps", "--require-hashes", "--target", str(runtime), "-r", str(lock)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options], check=True)
    bootstrap = runtime / "bootstrap"
    bootstrap.write_text(_BOOTSTRAP)
    bootstrap.chmod(0o755)


def _copy_python(files: Path) -> None:
    """The interpreter and the standard library, and the C library and loader that they were linked with."""
    home = files / _PYTHON.lstrip("/")
    left_out = shutil.ignore_patterns("site-packages", "dist-packages", "test", "config-*", "*tkinter*", "__pycache__")
    for kind in ("stdlib", "platstdlib"):
        source = Path(sysconfig.get_path(kind))
        shutil.copytree(source, home / sys.platlibdir / source.name, ignore=left_out, dirs_exist_ok=True)
    program = home / "bin" / "python3"
    program.parent.mkdir()
    shutil.copy2(os.path.realpath(sys.executable), program)
    shared = files / _LIBRARIES.lstrip("/")
    shared.mkdir()
    modules = map(str, files.rglob("*.so"))
    listed = subprocess.run(["ldd", str(program), *modules], check=True, capture_output=True, text=True).stdout
    for library in map(Path, _DEPENDENCY.findall(listed)):
        if not library.is_relative_to(files):
            shutil.copy2(library, shared / ("ld.so" if library.name.startswith("ld-") else library.name))
