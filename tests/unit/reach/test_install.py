"""The wheel that `pipx install .` makes, in an environment that holds nothing but what the wheel requires. Offline."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from reach import __version__

ROOT = Path(__file__).parents[3]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
OFFLINE = ["--no-deps", "--no-index", "--no-cache-dir"]
IMPORT_ALL = """
import importlib, pkgutil, core, reach
for package in (core, reach):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the locked build backend."""
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run([*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", directory, ROOT], check=True)
    [file] = directory.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` directory of a new environment: the wheel, and links to the locked versions of what it requires."""
    directory = tmp_path_factory.mktemp("operator") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    python = directory / "bin" / "python"
    subprocess.run([*PIP, "--python", python, "install", *OFFLINE, "--no-compile", wheel], check=True)
    [packages] = directory.glob("lib/python*/site-packages")
    [own] = Distribution.discover(name="sockerless-reach", path=[str(packages)])
    for needed in required(own):
        link(needed, packages)
    return directory / "bin"


def required(one: Distribution, seen: set[str] | None = None) -> Iterator[Distribution]:
    """What it requires on this machine, without extras, and what that requires in turn."""
    seen = set() if seen is None else seen
    for text in one.requires or ():
        wanted = Requirement(text)
        if wanted.name in seen or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        seen.add(wanted.name)
        found = distribution(wanted.name)
        assert found.version in wanted.specifier, f"{wanted} is locked to {found.version}"
        yield found
        yield from required(found, seen)


def link(one: Distribution, packages: Path) -> None:
    """Links every top-level file and directory of a distribution."""
    for name in {file.parts[0] for file in one.files or () if file.parts[0] not in {"..", "__pycache__"}}:
        if not (packages / name).exists():
            (packages / name).symlink_to(Path(str(one.locate_file(name))).resolve())


def run(command: Iterable[object]) -> subprocess.CompletedProcess[str]:
    """From a directory that is not the repository, with nothing of the test's own environment."""
    return subprocess.run([str(word) for word in command], cwd="/", env={}, capture_output=True, text=True, check=False)


def test_the_wheel_holds_reach_and_core(wheel: Path) -> None:
    """Neither the functions nor the laptop cloud nor tests are an operator's business."""
    names = ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"reach", "core"}
    for package, directory in (("reach", ROOT), ("core", ROOT / "src")):
        sources = {
            str(file.relative_to(directory))
            for file in (directory / package).rglob("*.*")
            if file.suffix in {".py", ".sh"}
        }
        assert {name for name in names if name.startswith(f"{package}/")} == sources


def test_every_module_finds_what_it_needs(installed: Path) -> None:
    """The requirements of the wheel are complete: each module of `core` and `reach` can be imported."""
    done = run([installed / "python", "-c", IMPORT_ALL])
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_is_there(installed: Path) -> None:
    """`reach --help` lists the commands, and the version is the wheel's."""
    shown = run([installed / "reach", "--help"])
    assert (shown.returncode, shown.stderr) == (0, "")
    assert all(command in shown.stdout for command in ("events", "exec"))
    version = run([installed / "reach", "--version"]).stdout
    assert version == f"reach {__version__}\n"


def test_an_incident_is_replayed_outside_the_repository(installed: Path) -> None:
    """Without AWS, without a configuration, and without colour, because it is no terminal."""
    shown = run([installed / "reach", "events", "replay", ROOT / "events" / "task-running.json"])
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "pending -> task-running -> eni-resolved" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_the_lambda_package_is_none_of_the_operators_business() -> None:
    """boto3, typer and rich are not packed into the functions, although `reach` needs them."""
    packed = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "src" / "requirements.txt").read_text(), re.MULTILINE))
    assert packed >= {"aws-lambda-powertools", "h11", "pydantic", "transitions"}
    assert not packed & {"boto3", "botocore", "rich", "typer", "websockets"}
