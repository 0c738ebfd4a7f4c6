"""Which agent is put into containers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from local.cloud.processes import CloudError
from local.cloud.staging import place_agent


def test_any_binary_is_used_unchanged(tmp_path: Path) -> None:
    """AGENT_BINARY's bytes are the agent's, executable by everyone whatever their mode was."""
    binary = tmp_path / "any"
    binary.write_bytes(b"\x7fELF and more")
    placed = place_agent(tmp_path / "efs" / "sockerless-agent", "spec", {"AGENT_BINARY": str(binary)})
    assert placed.read_bytes() == b"\x7fELF and more"
    assert placed.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("flavor", "module"), [("spec", b"local.agent.__main__"), ("sockerless", b"local.agent.sockerless")]
)
def test_without_it_the_flavors_agent_is_packed(tmp_path: Path, flavor: str, module: bytes) -> None:
    """Each flavor's agent is one executable file."""
    placed = place_agent(tmp_path / "sockerless-agent", flavor, {"AGENT_BINARY": ""})
    assert placed.read_bytes().startswith(b"#!/bin/sh\n")
    assert module in zipfile.ZipFile(placed).read("__main__.py")
    assert placed.stat().st_mode & 0o777 == 0o755


def test_a_missing_binary_is_an_error(tmp_path: Path) -> None:
    """A name that is no file is an error with advice, before anything is put anywhere."""
    with pytest.raises(CloudError, match="What to do"):
        place_agent(tmp_path / "sockerless-agent", "spec", {"AGENT_BINARY": str(tmp_path / "nothing")})
    assert not (tmp_path / "sockerless-agent").exists()
