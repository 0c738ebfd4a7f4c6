"""Makes an agent one executable file: `python -m local.agent.package TARGET [spec|sockerless]`.

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

from {module} import main

sys.exit(main())
"""
MODULES: Final = {"spec": "local.agent.__main__", "sockerless": "local.agent.sockerless"}
"""The agent of each flavor: the reference agent, and a stand-in for the public one (agent-protocol.md 5)."""
_UNUSED: Final = shutil.ignore_patterns("__pycache__", "*.so", "*.c", "*.pyi", "legacy", "sync", "trio", "cli.py")


def build(target: Path, flavor: str = "spec") -> Path:
    """Writes this flavor's executable to `target`, readable and executable by everyone; replaces one at once."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        _collect(tree)
        (tree / "__main__.py").write_text(_MAIN.format(module=MODULES[flavor]))
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
    target, *flavor = arguments or ("",)
    if not target or len(flavor) > 1 or not MODULES.keys() >= set(flavor):
        print(f"usage: python -m local.agent.package TARGET [{'|'.join(MODULES)}]", file=sys.stderr)
        return 2
    print(build(Path(target), *flavor))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
