"""The shell examples of the documents work as they stand, on the deployed stack (`tests/examples.py`)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.cloud.environment import isolated_environment
from tests.e2e.stack import Stack
from tests.examples import DOCUMENTS, ROOT, examples

SECONDS = 240.0
"""For one document, on a machine that is busy with other tests: a command that waits for input must end too."""
RUN = {document: [one for one in examples(document) if not one.needs] for document in DOCUMENTS}


@pytest.fixture
def checkout(tmp_path: Path, stack: Stack) -> Path:
    """The reader's directory: this checkout, with the cloud of these tests as its `.local`."""
    for entry in ROOT.iterdir():
        if entry.name not in (".git", ".local", ".aws-sam"):
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / ".local").symlink_to(stack.cloud.layout.directory)
    return tmp_path


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if RUN[one]], ids=lambda file: file.name)
def test_the_examples_of_a_document_work(document: Path, checkout: Path) -> None:
    """One shell runs all of its blocks, in their order and to the end of each line, with `.local/env` read before."""
    script = "\n".join([". .local/env", "set -x", *(one.script for one in RUN[document])])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=checkout,
        env=isolated_environment({"COLUMNS": "100"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{document.name} ended with {done.returncode}:\n{done.stdout}"
