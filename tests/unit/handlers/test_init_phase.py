"""What a function does while Lambda imports it: it makes the clients that its every call needs, and nothing that fails.

Each module is imported in a process of its own, because an import happens once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.template import load_template

SOURCES = Path(__file__).parents[3] / "src"
NEEDED = {
    "task_state": ["dynamodb", "sqs"],
    "agent_health": ["dynamodb"],
    "start_container": ["dynamodb", "ecs", "ecs"],
    "stop_container": ["dynamodb", "ecs"],
    "reconcile": ["dynamodb", "ecs"],
}
MEASURE = """
import json, sys, botocore.session
made = []
botocore.session.Session.create_client = lambda _, service, **__: made.append(service)
module = __import__(f"handlers.{sys.argv[1]}", fromlist=["handler"])
print(json.dumps([made, [name for name in ("boto3", "pydantic") if name in sys.modules]]))
from core.model.errors import ConfigurationError
try:
    module.app.settings
except ConfigurationError as error:
    print(error)
"""


def imported(function: str, **environment: str) -> tuple[list[str], list[str], str]:
    """The clients that importing it made, which heavy packages it has, and what the first use of its settings says."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, function],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    found, _, said = done.stdout.partition("\n")
    made, heavy = json.loads(found)
    return made, heavy, said


@pytest.mark.parametrize("function", NEEDED)
def test_lambda_makes_the_clients_that_every_call_needs_before_the_first(function: str) -> None:
    """In the init phase, which has more CPU; a wrong environment does not fail it, but the first call, by name."""
    made, heavy, said = imported(function, AWS_LAMBDA_FUNCTION_NAME=function, WATCH_SHARDS="many")

    assert made == NEEDED[function]
    assert heavy == (["pydantic"] if function == "start_container" else [])
    assert "TABLE_NAME" in said
    assert "WATCH_SHARDS" in said


@pytest.mark.parametrize("function", NEEDED)
def test_elsewhere_nothing_happens_at_import(function: str) -> None:
    """A test or a tool that imports a handler needs no Region and no credentials."""
    assert imported(function)[0] == []


def test_every_function_is_measured_and_has_its_memory_by_reason() -> None:
    """A function that waits for others has the small size, one that a caller waits for has twice as much."""
    template = load_template()
    usual = template["Globals"]["Function"]["MemorySize"]
    sizes = {
        name: one["Properties"].get("MemorySize", usual)
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::Serverless::Function"
    }
    said = (SOURCES.parent / "docs" / "operations.md").read_text()
    [rows] = [part for part in said.split("\n\n") if part.startswith("| function | MB |")]
    listed = {
        name.strip(): int(row.split("|")[2]) for row in rows.splitlines()[2:] for name in row.split("|")[1].split(",")
    }
    assert listed == sizes
