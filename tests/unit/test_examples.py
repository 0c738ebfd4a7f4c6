"""The shell examples of the documents: each is classified, and names commands and options that exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import typer
from botocore import xform_name

from local.__main__ import _parser as local_parser
from reach.app import app
from tests.examples import DOCUMENTS, NEEDS, ROOT, Example, all_examples, examples

EXAMPLES = all_examples()
BY_PLACE = pytest.mark.parametrize("example", EXAMPLES, ids=str)
COMMANDS = [words for one in EXAMPLES for words in one.commands]


def of(program: str) -> pytest.MarkDecorator:
    """The commands that run a program."""
    return pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] == program], ids=" ".join)


AWS_CLI = {"--output", "--query", "--region", "--profile"}
"""Options of every command of the AWS CLI."""
OF_THE_CLI = {("s3", "cp"), ("s3", "mb"), ("cloudformation", "deploy")}
"""Commands of the AWS CLI that are no call of an API."""
MODULES = re.compile(r"((?:\w+=\S+ )*)\.venv/bin/python -m ([\w.]+)")
"""Commands, with what they set before them."""
SHORT_FORMS = {"--protocol", "--port", "--source-group"}
"""Options of the AWS CLI for members of IpPermissions."""


def test_every_block_is_found() -> None:
    """No block escapes by its indentation or its spelling."""
    for document in DOCUMENTS:
        assert len(examples(document)) == len(
            re.findall(r"^\s*[`~]{3,}\s*(?:bash|sh|shell)", document.read_text(), re.MULTILINE)
        )


def test_every_marker_stands_before_a_block() -> None:
    """A marker that marks nothing is a slip."""
    for document in DOCUMENTS:
        marked = [one for one in examples(document) if one.needs]
        assert len(marked) == len(re.findall(r"^<!-- needs:", document.read_text(), re.MULTILINE)), document


@BY_PLACE
def test_a_marked_block_needs_what_it_says(example: Example) -> None:
    """Each need is a known one, and some command of the block is there for it."""
    named = {word for words in example.commands for word in words[:2]}
    for need in example.needs:
        assert any(re.fullmatch(NEEDS[need], word) for word in named), need


@BY_PLACE
def test_what_the_laptop_runs_needs_nothing_else(example: Example) -> None:
    """A block without a marker has no command that another machine may lack."""
    if not example.needs:
        assert not {words[0] for words in example.commands} & {"aws", "sam", "docker", "make", "pipx", "sudo", "uv"}


@of("reach")
def test_reach_has_the_command_and_its_options(words: list[str]) -> None:
    """Each `reach` of an example is a command line that it takes."""
    command: Any = typer.main.get_command(app)
    name, rest = "reach", words[1:]
    while hasattr(command, "resolve_command"):
        if rest[0].startswith("--"):  # an option of the group itself, which would be carried out
            assert rest[0] in {spelling for one in command.params for spelling in one.opts}
            return
        name, command, rest = command.resolve_command(command.make_context(name, [], resilient_parsing=True), rest)
    command.make_context(name, rest).close()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_commands_that_are_named_exist(document: Path) -> None:
    """Each `reach x` in the text is a command."""
    group: Any = typer.main.get_command(app)
    assert set(re.findall(r"`reach ([a-z][a-z-]+)", document.read_text())) <= group.commands.keys()


@of("aws")
def test_aws_has_the_call_and_its_options(words: list[str]) -> None:
    """Each `aws` of an example is a call of an API, with the members that it needs and none that it lacks."""
    service, operation = words[1:3]
    if (service, operation) in OF_THE_CLI:
        return
    calls = {xform_name(name, "-"): name for name in model(service).operation_names}
    shape = model(service).operation_model(calls[operation]).input_shape
    members = {f"--{xform_name(name, '-')}": name for name in shape.members}
    given = {word for word in words if word.startswith("--")} - AWS_CLI - SHORT_FORMS
    assert given <= members.keys()
    needed = {name for name in shape.required_members if not shape.members[name].metadata.get("idempotencyToken")}
    assert {f"--{xform_name(name, '-')}" for name in needed} <= given


@pytest.mark.parametrize(
    "words", [one for e in EXAMPLES for one in e.commands if "ARGS=" in " ".join(one)], ids=" ".join
)
def test_make_takes_the_arguments(words: list[str]) -> None:
    """What `make up` and `make down` are given as ARGS are options of the local cloud's command."""
    make, target, arguments = words
    assert make == "make"
    options = local_parser().parse_args([target, *shlex.split(arguments.removeprefix("ARGS="))])
    assert options.command == target


@pytest.mark.parametrize(
    "command", sorted({one for document in DOCUMENTS for one in MODULES.findall(document.read_text())})
)
def test_a_module_of_the_checkout_is_found(command: tuple[str, str]) -> None:
    """As it stands in the document, from the checkout, with no more of an environment than that."""
    assignments, module = command
    environment = {"PATH": os.environ["PATH"], **dict(one.split("=", 1) for one in assignments.split())}
    subprocess.run([sys.executable, "-m", module, "--help"], cwd=ROOT, env=environment, check=True, capture_output=True)


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model({"s3api": "s3"}.get(service, service))
