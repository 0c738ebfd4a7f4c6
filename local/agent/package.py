"""Makes the agent one executable file: `python -m local.agent.package TARGET`.

The file is a zip archive with a first line for the kernel, as `zipapp` makes them. It holds this package and the
pure Python part of `websockets`, so that it runs in any image with a Python 3.11 or newer on its PATH.
"""

from __future__ import annotations

import compileall
import importlib.metadata
import shutil
import sys
import tempfile
import zipapp
from collections.abc import Sequence
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

import websockets

# -I and -S: neither PYTHONPATH nor site-packages of an image may replace a module of the agent.
# Lines of /bin/sh, because the kernel passes only one argument and not every `env` has -S.
_START: Final = b"""\
#!/bin/sh
command -v python3 >/dev/null || {
    echo "sockerless-agent: the reference agent needs Python 3.11 or newer in the image" >&2
    exit 127
}
exec python3 -IS "$0" "$@"
"""
_MAIN: Final = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("sockerless-agent: needs Python 3.11 or newer, found " + sys.version.split()[0])

from local.agent.__main__ import main

sys.exit(main())
"""
_UNUSED: Final = shutil.ignore_patterns("__pycache__", "*.so", "*.c", "*.pyi", "legacy", "sync", "trio", "cli.py")


def build(target: Path) -> Path:
    """Writes the executable to `target`, readable and executable by everyone; replaces what is there at once."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        _collect(tree)
        _compile(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        # A new file under a temporary name: writing into one that runs fails (ETXTBSY) or breaks its imports.
        fresh = target.with_name(f".{target.name}.new")
        with fresh.open("wb") as file:
            file.write(_START)
            zipapp.create_archive(tree, file)
        fresh.chmod(0o755)
        fresh.replace(target)
    return target


def _collect(tree: Path) -> None:
    here = Path(__file__).parent
    shutil.copytree(here, tree / "local" / "agent", ignore=shutil.ignore_patterns("__pycache__", "package.py"))
    (tree / "local" / "__init__.py").touch()
    (tree / "__main__.py").write_text(_MAIN)
    shutil.copytree(Path(websockets.__file__).parent, tree / "websockets", ignore=_UNUSED)
    for file in importlib.metadata.files("websockets") or ():
        if file.name == "LICENSE":  # copies have to come with it
            shutil.copy(file.locate(), tree / "websockets" / "LICENSE")


def _compile(tree: Path) -> None:
    """Adds byte code, which this version of Python uses and others pass over. It saves a third of the start."""
    for package in (tree / "local", tree / "websockets"):
        compileall.compile_dir(
            package, quiet=1, legacy=True, stripdir=tree, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
        )


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m local.agent.package TARGET", file=sys.stderr)
        return 2
    print(build(Path(arguments[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
