"""`make audit`: a vulnerability fails it, and a service that is out of reach is said and claims nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = 5


def audited(tmp_path: Path, program: str) -> subprocess.CompletedProcess[str]:
    """The audit with a pip-audit that does this."""
    audit = tmp_path / "pip-audit"
    audit.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{program}\n')
    audit.chmod(0o755)
    return subprocess.run(
        [ROOT / ".ci" / "audit"], env={**os.environ, "AUDIT": str(audit)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("program", "code", "says"),
    [
        ("echo No known vulnerabilities found", 0, "src/requirements.txt: No known vulnerabilities found"),
        ("echo Found 1 known vulnerability in 1 package >&2; exit 1", 1, "Found 1 known vulnerability"),
        ("echo Connection to the service failed >&2; exit 1", 0, "NOT RUN: make audit"),
        ("exit 127", 0, "NOT RUN: make audit"),
    ],
)
def test_only_an_audit_that_ran_says_something(tmp_path: Path, program: str, code: int, says: str) -> None:
    """What pip-audit could not ask is no clean bill."""
    done = audited(tmp_path, program)
    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert ("NOT RUN" in done.stderr) is ("known" not in program)


def test_every_lock_is_audited_as_it_stands(tmp_path: Path) -> None:
    """By its hashes, without resolving anything anew, and none passed over."""
    audited(tmp_path, "true")
    asked = (tmp_path / "asked").read_text().splitlines()
    assert {line.rpartition(" ")[2] for line in asked} == {
        "src/requirements.txt",
        *(f"requirements/{lock.name}" for lock in (ROOT / "requirements").glob("*.lock")),
    }
    assert len(asked) == LOCKS
    assert all("--strict --disable-pip --require-hashes" in line for line in asked)
