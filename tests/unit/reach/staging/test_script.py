"""`stage.sh` in each shell of this machine, on a directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.launch.request import Platform
from reach.staging import script
from reach.staging.faults import Fault
from reach.staging.script import SCRIPT, read_report
from reach.staging.versions import Report, version_of
from tests.unit.reach.staging.cases import CASES, Case
from tests.unit.reach.staging.elf_files import elf

TOOLS = ("chmod", "cp", "ln", "mkdir", "mv", "od", "readlink", "rm", "sha256sum", "stat")
SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)]
FIRST, SECOND = elf(), elf(kind=3)
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def named(content: bytes) -> str:
    return version_of(hashlib.sha256(content).hexdigest())


class Task:
    """The one-off task: its shell, the directory on EFS, and the volume with what was copied."""

    def __init__(self, home: Path, shell: str) -> None:
        self.directory, self.copied = home / "efs", home / "volume"
        self.directory.mkdir()
        self.copied.mkdir()
        self._path = home / "bin"
        self._path.mkdir()
        for tool in TOOLS:
            (self._path / tool).symlink_to(shutil.which("busybox" if shell == "busybox" else tool) or tool)
        found = shutil.which(shell)
        assert found
        self.command = [found, *(["sh"] if shell == "busybox" else []), "-c", SCRIPT, "sh"]

    @property
    def current(self) -> Path:
        return self.directory / "sockerless-agent"

    def without(self, tool: str) -> None:
        (self._path / tool).unlink()

    def run(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        """With no other command on its path than those that it says it needs."""
        environment = {"PATH": str(self._path)}
        return subprocess.run([*self.command, *arguments], env=environment, capture_output=True, text=True, check=False)

    def stage(
        self,
        content: bytes,
        *,
        platform: Platform | None = Platform.X86_64,
        version: str | None = None,
        switch: bool = True,
    ) -> Report:
        (self.copied / "sockerless-agent").write_bytes(content)
        return self.report(
            script.stage(
                str(self.directory), "run1", str(self.copied), platform=platform, version=version, switch=switch
            )
        )

    def report(self, arguments: list[str]) -> Report:
        ended = self.run(arguments)
        assert ended.returncode == 0, ended.stderr
        report = read_report(ended.stdout.splitlines())
        assert report
        return report

    def switch(self, version: str) -> Report:
        return self.report(script.switch(str(self.directory), "run1", version))

    def files(self) -> set[str]:
        return {str(one.relative_to(self.directory)) for one in self.directory.rglob("*") if not one.is_dir()}

    def inodes(self) -> dict[str, tuple[int, int]]:
        """Which file each is, and when it was written."""
        found = {file: (self.directory / file).lstat() for file in self.files()}
        return {file: (one.st_ino, one.st_mtime_ns) for file, one in found.items()}


@pytest.fixture(params=SHELLS)
def task(tmp_path: Path, request: pytest.FixtureRequest) -> Task:
    return Task(tmp_path, request.param)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_judges_a_file_as_the_parser_does(task: Task, case: Case) -> None:
    """The same files in every shell. What is no agent leaves nothing behind."""
    (task.copied / "sockerless-agent").write_bytes(case.content)
    arguments = script.stage(
        str(task.directory), "run1", str(task.copied), platform=case.platform, version=None, switch=True
    )
    ended = task.run(arguments)
    assert (ended.returncode, bool(task.files())) == (case.fault or 0, case.fault is None), ended.stderr


def test_the_first_version_is_put_into_use(task: Task) -> None:
    """It is named after its content, executable for everyone, and what the directory's link leads to."""
    task.stage(FIRST, platform=None)
    assert task.files() == {"sockerless-agent", f"versions/{named(FIRST)}/sockerless-agent"}
    assert task.current.readlink() == Path(f"versions/{named(FIRST)}/sockerless-agent")
    assert (task.current.read_bytes(), task.current.stat().st_mode & 0o777) == (FIRST, 0o755)


def test_what_it_reports(task: Task) -> None:
    """What was staged, what was in use before, and all versions with their sizes."""
    first = task.stage(FIRST)
    assert (first.staged, first.sha256, first.new, first.before) == (
        named(FIRST), hashlib.sha256(FIRST).hexdigest(), True, None,
    )  # fmt: skip
    second = task.stage(SECOND, version="2.1")
    assert (second.staged, second.new, second.before, second.listing.current) == ("2.1", True, named(FIRST), "2.1")
    assert {one.name: one.size for one in second.listing.versions} == {named(FIRST): len(FIRST), "2.1": len(SECOND)}
    listed = task.report(script.listing(str(task.directory), "run1"))
    assert (listed.listing, listed.staged, listed.before) == (second.listing, None, "2.1")


def test_staging_the_same_again_changes_nothing(task: Task) -> None:
    """Not the file, nor the link."""
    task.stage(FIRST)
    before = task.inodes()
    again = task.stage(FIRST)
    assert (again.staged, again.new, again.before) == (named(FIRST), False, named(FIRST))
    assert task.inodes() == before


def test_a_version_is_never_another_binary(task: Task) -> None:
    """Containers may be running it."""
    task.stage(FIRST, version="1")
    (task.copied / "sockerless-agent").write_bytes(SECOND)
    ended = task.run(
        script.stage(str(task.directory), "run1", str(task.copied), platform=None, version="1", switch=True)
    )
    assert ended.returncode == Fault.ANOTHER_BINARY
    assert task.current.read_bytes() == FIRST


def test_a_version_may_be_staged_beside_the_one_in_use(task: Task) -> None:
    """Without a switch the next task runs what it ran before."""
    task.stage(FIRST)
    report = task.stage(SECOND, switch=False)
    assert (report.staged, report.listing.current) == (named(SECOND), named(FIRST))
    assert task.current.read_bytes() == FIRST


def test_a_switch_goes_back_and_forth(task: Task) -> None:
    """What an open file shows stays what it was, because no version is written again."""
    task.stage(FIRST, version="1")
    task.stage(SECOND, version="2")
    with task.current.open("rb") as running:
        report = task.switch("1")
        assert (report.before, report.listing.current) == ("2", "1")
        assert task.current.read_bytes() == FIRST
        assert running.read() == SECOND
    assert task.switch("2").listing.current == "2"
    assert task.files() == {"sockerless-agent", "versions/1/sockerless-agent", "versions/2/sockerless-agent"}


def test_a_switch_to_what_is_not_there(task: Task) -> None:
    """It is refused, and what is in use stays."""
    task.stage(FIRST)
    assert task.run(script.switch(str(task.directory), "run1", "9")).returncode == Fault.NO_SUCH_VERSION
    assert task.current.read_bytes() == FIRST


@pytest.mark.parametrize("others", [FIRST, SECOND], ids=["the same", "another"])
def test_an_agent_that_was_put_there_by_hand_becomes_a_version(task: Task, others: bytes) -> None:
    """The same file under another name: a process that runs it keeps it, and a switch leads back to it."""
    task.current.write_bytes(FIRST)
    task.current.chmod(0o755)
    inode = task.current.stat().st_ino
    assert task.report(script.listing(str(task.directory), "run1")).listing.current == named(FIRST)
    report = task.stage(others)
    assert report.before == named(FIRST)
    assert (task.directory / "versions" / named(FIRST) / "sockerless-agent").stat().st_ino == inode
    assert task.current.is_symlink()
    assert task.current.read_bytes() == others
    assert task.switch(named(FIRST)).listing.current == named(FIRST)


def test_an_agent_put_there_by_hand_beside_its_version_is_kept_too(task: Task) -> None:
    """Its name is taken by a version of the same content, which is another file."""
    task.stage(FIRST, switch=False)
    task.current.write_bytes(FIRST)
    task.stage(SECOND)
    kept = f"versions/{named(FIRST)}-by-hand/sockerless-agent"
    assert kept in task.files()
    assert task.switch(named(FIRST)).listing.current == named(FIRST)


def test_a_copy_command_that_copied_nothing(task: Task) -> None:
    """It has its own exit code."""
    ended = task.run(script.stage(str(task.directory), "r", str(task.copied), platform=None, version=None, switch=True))
    assert ended.returncode == Fault.NOTHING_COPIED
    assert read_report(ended.stdout.splitlines()) is None


@pytest.mark.parametrize("tool", TOOLS)
def test_an_image_that_lacks_a_command(task: Task, tool: str) -> None:
    """It is said before anything is done, by the name of the command."""
    if "busybox" in task.command[0]:
        pytest.skip("it has them built in")
    task.without(tool)
    ended = task.run(script.listing(str(task.directory), "run1"))
    assert ended.returncode == Fault.NO_TOOL
    assert f"no {tool}" in ended.stderr


def test_a_directory_that_may_not_be_written(task: Task) -> None:
    """The command's own complaint, and nothing is reported as staged."""
    (task.directory / "versions").write_text("in the way")
    (task.copied / "sockerless-agent").write_bytes(FIRST)
    ended = task.run(script.stage(str(task.directory), "r", str(task.copied), platform=None, version=None, switch=True))
    assert ended.returncode not in {0, *Fault}
    assert "versions" in ended.stderr
    assert read_report(ended.stdout.splitlines()) is None


def test_a_stop_in_the_middle_leaves_no_half_file(task: Task) -> None:
    """SIGTERM, as StopTask sends it, while the file is being copied: what is in use stays."""
    task.stage(FIRST)
    before = task.files()
    fifo = task.copied / "fifo"
    os.mkfifo(fifo)
    # A copy that waits for its source, with the function of the script that cleans up behind it.
    waiting = SCRIPT.replace('cp "$1" ', f'cp "{fifo}" ')
    (task.copied / "sockerless-agent").write_bytes(SECOND)
    arguments = script.stage(str(task.directory), "run1", str(task.copied), platform=None, version=None, switch=True)
    command = [waiting if part == SCRIPT else part for part in task.command]
    with subprocess.Popen([*command, *arguments], env={"PATH": str(task._path)}, stdout=subprocess.DEVNULL) as process:
        with fifo.open("wb") as half:  # opens when cp reads
            half.write(SECOND[:30])
            process.send_signal(signal.SIGTERM)
        assert process.wait() == 143
    assert task.files() == before
