"""When the functions are built, and what is handed to `sam deploy`."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local.cloud.build import MACHINE, fingerprint, inputs, of_this_machine, pack
from local.cloud.layout import ROOT, Layout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What goes into a build, with byte code that does not."""
    for file in inputs(ROOT):
        if not file.is_relative_to(ROOT / "src"):
            copy = tmp_path / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    for name in ("handlers/one.py", "handlers/__pycache__/one.cpython-311.pyc", "requirements.txt"):
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_text(name)
    return tmp_path


def of(repository: Path, **machine: str) -> str:
    return fingerprint(inputs(repository), repository, machine)


@pytest.mark.parametrize(
    "name", ["template.yaml", "requirements/sam.lock", "src/handlers/one.py", "src/requirements.txt"]
)
def test_every_input_decides(repository: Path, name: str) -> None:
    """A change of the template, of a source, of a requirement or of SAM's version is a new build."""
    before = of(repository)
    (repository / name).write_text("changed")
    assert of(repository) != before


def test_names_decide(repository: Path) -> None:
    """A source that is renamed, added or removed is a new build."""
    seen = {of(repository)}
    (repository / "src/handlers/one.py").rename(repository / "src/handlers/two.py")
    seen.add(of(repository))
    (repository / "src/handlers/empty.py").touch()
    seen.add(of(repository))
    (repository / "src/handlers/two.py").unlink()
    seen.add(of(repository))
    assert len(seen) == 4


def test_contents_cannot_pass_for_names(tmp_path: Path) -> None:
    """The fingerprint covers where one file ends and the next begins."""
    one, other = tmp_path / "one", tmp_path / "other"
    for directory, contents in ((one, {"a": "", "b": "x"}), (other, {"a": "\nb 1\nx"})):
        directory.mkdir()
        for name, content in contents.items():
            (directory / name).write_text(content)
    assert fingerprint(one.iterdir(), one, {}) != fingerprint(other.iterdir(), other, {})


def test_the_machine_decides(repository: Path) -> None:
    """Another Python or another processor is a new build."""
    assert len({of(repository), of(repository, Runtime="python3.11"), of(repository, Runtime="python3.12")}) == 3


def test_only_runtime_processor_and_http_are_this_machines() -> None:
    """The real template is built, but for the two properties that depend on the machine, and the denial of HTTP."""
    text = (ROOT / "template.yaml").read_text()
    real, local = yaml_parse(text), json.loads(of_this_machine(text))
    assert local["Globals"]["Function"]["Runtime"] == f"python3.{sys.version_info.minor}"
    for document in (real, local):
        for name in MACHINE:
            del document["Globals"]["Function"][name]
    resources = real["Resources"]
    for name in ("ProbePolicy", "ProbeDeadLetterPolicy"):
        [denied] = resources.pop(name)["Properties"]["PolicyDocument"]["Statement"]
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert resources["TaskEventDeadLetterPolicy"]["Properties"]["PolicyDocument"]["Statement"].pop() == {
        **denied,
        "Resource": {"Fn::GetAtt": ["TaskEventDeadLetterQueue", "Arn"]},
    }
    assert local == json.loads(json.dumps(real))


def test_a_template_without_them_is_refused() -> None:
    """A function that says its own runtime would be built for another Python, and die when it is imported."""
    with pytest.raises(KeyError, match="Runtime"):
        of_this_machine("Globals: {Function: {Architectures: [arm64]}}")


def test_byte_code_does_not_decide(repository: Path) -> None:
    """Byte code is no input of a build."""
    before = of(repository)
    (repository / "src/handlers/__pycache__/one.cpython-311.pyc").write_bytes(b"changed")
    assert of(repository) == before


def test_all_clouds_share_one_build(tmp_path: Path) -> None:
    """Whatever its directory, a cloud takes the functions from the same place."""
    assert Layout(tmp_path).sam == Layout().sam


def test_functions_are_packed_once(tmp_path: Path) -> None:
    """`sam deploy` gets one archive for all functions; `sam local invoke` a template that declares the endpoints."""

    def template(**code: str) -> dict[str, Any]:
        functions = {
            name: {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": uri, "Handler": f"{name}.main"}}
            for name, uri in code.items()
        }
        parameters = {"Port": {"Type": "Number", "Default": 9111}}
        return {
            "Parameters": parameters,
            "Globals": {"Function": {"Environment": {"Variables": {"TABLE_NAME": "Table"}}}},
            "Resources": {**functions, "Table": {"Type": "AWS::DynamoDB::Table"}},
        }

    (tmp_path / "template.yaml").write_text(yaml.safe_dump(template(One="One", Two="Two")))
    for name in ("One", "Two"):
        (tmp_path / name / "handlers").mkdir(parents=True)
        (tmp_path / name / "handlers" / "main.py").write_text("pass")
    pack(tmp_path)
    assert json.loads((tmp_path / "packed.json").read_text()) == template(One="code.zip", Two="code.zip")
    invoked = json.loads((tmp_path / "invoke.json").read_text())
    declared = invoked["Globals"]["Function"]["Environment"].pop("Variables")
    assert declared == {"TABLE_NAME": "Table", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_ECS": ""}
    with zipfile.ZipFile(tmp_path / "code.zip") as archive:
        assert archive.read("handlers/main.py") == b"pass"
