"""The documents against the code: what they list is what there is, and what they show works as shown."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
from enum import Enum
from fnmatch import fnmatch
from pathlib import Path

import pytest

from core.launch.parse import SCHEMA_FILE
from core.launch.request import StartRequest
from core.launch.setting import declared
from core.launch.settings import Settings
from core.machine.table import TABLE, mermaid
from core.model.failure import Cause, ErrorCode
from core.model.state import State
from core.storage.item import from_item, to_item
from docs import generate, rooms
from docs.costs import REFUSALS
from local.cloud.environment import upper_snake_case
from tests.records import complete
from tests.template import load_template

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
BACKEND, CONTRACT, DEPLOY, ERRORS, ITEM, RUNBOOK = (
    DOCS / f"{name}.md" for name in ("backend", "contract", "deploy", "errors", "item", "runbook")
)
DOCUMENTS = [README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
BY_NAME = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)

GIVEN_BY_THE_READER = {
    "BUCKET",
    "FILE_SYSTEM_ROLE_ARN",
    "STAGING_ROLE_ARN",
    "ROUTE_TABLES",
    "SUBNETS",
    "TASK_SG",
    "TASK_SUBNET_IDS",
    "VPC",
}
"""Shell variables of which the text says that they are the reader's own."""

README_LINES = 170
GLOSSARY_WORDS = 25


def section(document: Path, title: str) -> str:
    """The text between this heading and the next of any level."""
    pattern = rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)"
    found = re.search(pattern, without_blocks(document), re.MULTILINE | re.DOTALL)
    assert found, f"{document.name} has no heading {title}"
    return found[1]


def cells(text: str) -> list[list[str]]:
    """The cells of each row of the tables in `text`, without heads and rulers."""
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\|.+\|$", text, re.MULTILINE)]
    rulers = [number for number, row in enumerate(rows) if set("".join(row)) <= set("-: ")]
    return [row for number, row in enumerate(rows) if number not in rulers and number + 1 not in rulers]


def first_column(text: str) -> list[str]:
    """Every code word in the first cell of each row of the tables in `text`."""
    return [
        word for cell in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) for word in re.findall(r"`([^`]+)`", cell)
    ]


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


def without_blocks(document: Path) -> str:
    """The prose."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def makefile_targets() -> set[str]:
    """The targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", generate.PARTS)
def test_generated_parts_are_current(document: str) -> None:
    """What follows from the code is in the documents as `make docs` writes it."""
    assert (ROOT / document).read_text() == generate.rendered(document), "run: make docs"


def test_make_docs_brings_everything_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes whatever is out of date, the schema of the start request included, and nothing else."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for name in ("README.md", "template.yaml", "foundation.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    stale = (tmp_path / "README.md").read_text().replace("stateDiagram-v2", "stateDiagram-v1")
    (tmp_path / "README.md").write_text(stale)
    (tmp_path / SCHEMA_FILE).write_text("{}")
    assert generate.main() == 0
    for name in (*generate.PARTS, SCHEMA_FILE):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text()


def test_a_document_without_a_place_for_a_part_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that has no place is an error, not a silent omission; so is a place that is not closed."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "PARTS", {"a.md": {"diagram": generate.diagram}})
    for text in ("no place at all", "<!-- generated: other -->\n<!-- end: other -->", "<!-- generated: diagram -->\n"):
        (tmp_path / "a.md").write_text(text)
        with pytest.raises(ValueError, match=r"a\.md"):
            generate.rendered("a.md")


def test_diagram_is_the_table() -> None:
    """The README's diagram is the one drawn from the table."""
    assert blocks(README, "mermaid") == [mermaid() + "\n"]


@pytest.mark.parametrize("kind", ["Parameters", "Outputs"])
def test_every_parameter_and_output_is_listed(kind: str) -> None:
    """docs/deploy.md lists each parameter and each output of the template once."""
    assert sorted(first_column(section(DEPLOY, kind))) == sorted(load_template()[kind])


def test_every_environment_variable_is_listed() -> None:
    """docs/deploy.md lists each field of Settings once, in upper case."""
    listed = first_column(section(DEPLOY, "Environment variables"))
    assert listed == [name.upper() for name in declared(Settings)]


def test_what_the_readme_says_to_give_are_parameters() -> None:
    """Each name that the README tells an operator to give is a parameter of the template."""
    [given] = re.findall(r"^Give (.+?)\.", section(README, "Deploy"), re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", given)) <= set(load_template()["Parameters"])


def test_the_contract_names_every_function_and_its_handler() -> None:
    """The functions of docs/contract.md are those of the template, with their handlers."""
    resources = load_template()["Resources"].items()
    functions = {
        name: one["Properties"]["Handler"] for name, one in resources if one["Type"] == "AWS::Serverless::Function"
    }
    rows = cells(section(CONTRACT, "4. Lambda functions"))
    assert {row[0].strip("`"): row[1].strip("`") for row in rows} == functions


def test_the_contract_has_every_state_and_where_it_leads() -> None:
    """The states of docs/contract.md and their next states are those of the table of transitions."""
    leads: dict[str, set[str]] = {str(state): set() for state in State}
    for row in TABLE:
        for source in row.sources:
            if row.dest not in (None, source):
                leads[source].add(str(row.dest))
    rows = cells(section(CONTRACT, "2. Life of a container"))
    assert {row[0].strip("`"): set(re.findall(r"`([a-z-]+)`", row[2])) for row in rows} == leads


def test_members_of_the_start_request_that_are_named_exist() -> None:
    """What docs/backend.md says of Docker's members is about members that a request may have."""
    listed = first_column(section(BACKEND, "The start request"))
    assert listed
    assert set(listed) <= StartRequest.model_fields.keys()


@pytest.mark.parametrize(("title", "words"), [("Codes", ErrorCode), ("Causes", Cause)], ids=["codes", "causes"])
def test_every_code_and_cause_is_listed(title: str, words: type[Enum]) -> None:
    """docs/errors.md lists each code and each cause once, in the order of the enumerations."""
    assert first_column(section(ERRORS, title)) == [*words]


@pytest.mark.parametrize("title", ["Codes", "Causes"])
def test_every_code_and_cause_has_its_reason_and_its_remedy(title: str) -> None:
    """When a code occurs and what to do; what a cause means and where it usually comes from."""
    assert all(all(row) and len(row) == 3 for row in cells(section(ERRORS, title)))


def entries(title: str) -> dict[str, str]:
    """The entries of the runbook under this heading, by their own: everything down to the next one."""
    part = without_blocks(RUNBOOK).partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    heads = re.split(r"^### (.+)$", part, flags=re.MULTILINE)[1:]
    return dict(zip(heads[::2], heads[1::2], strict=True))


def test_the_runbook_has_an_entry_for_each_code_and_cause() -> None:
    """In the order of the enumerations; a code that is a refusal is the caller's to correct."""
    assert list(entries("By cause")) == [*Cause]
    assert list(entries("By code")) == [one for one in ErrorCode if one not in REFUSALS]


@pytest.mark.parametrize("title", ["By code", "By cause"])
def test_an_entry_of_the_runbook_is_whole(title: str) -> None:
    """What to look at first, what mends it, how to verify."""
    for name, text in entries(title).items():
        assert re.findall(r"^\*\*(.+?)\.\*\* ?", text, re.MULTILINE) == ["Look first", "Mend", "Verify"], name


def test_codes_and_causes_are_listed_in_one_place() -> None:
    """No other document has a table of them, but for the HTTP statuses of docs/backend.md."""
    # A stopCode of ECS's has the one name, an attribute of the item the other.
    words = {*map(str, ErrorCode), *map(str, Cause)} - {"TaskFailedToStart", "capacity"}
    for document in DOCUMENTS:
        if document not in (ERRORS, BACKEND):
            assert not words & set(first_column(without_blocks(document))), document.name


def test_every_attribute_of_the_item_is_listed() -> None:
    """The table of the item has each attribute once, and no other."""
    listed = [name for name in first_column(section(ITEM, "Attributes")) if "." not in name]
    assert sorted(listed) == sorted(complete().__dataclass_fields__.keys() - {"unknown"})


def test_every_member_of_an_attribute_is_listed() -> None:
    """docs/item.md names each member of each map, also of the maps in a list; the names of labels are the user's."""
    text = section(ITEM, "Attributes")
    named = set(re.findall(r"`([a-z_.\[\]]+)`", text))
    named |= {f"timings.{word}" for word in named}
    for name, value in to_item(complete(labels={})).items():
        match value:
            case dict():
                assert {f"{name}.{member}" for member in value} <= named
            case [*_, dict() as last]:
                assert {f"{name}[].{member}" for member in last} <= named
            case _:
                assert name in named


def test_every_state_is_explained() -> None:
    """docs/item.md says for each state how to poll."""
    assert first_column(section(ITEM, "Polling")) == [*State]


def test_example_item_can_be_read() -> None:
    """The example is an item as the stack writes it: read and written again, it is the same."""
    [example] = [json.loads(block) for block in blocks(ITEM, "json")]
    assert to_item(from_item(example)) == example
    assert example["state"] == State.AGENT_HEALTHY


def test_every_event_file_is_listed() -> None:
    """Each file in events/ is covered by a name or a pattern of docs/laptop.md, and each of these finds a file."""
    patterns = re.findall(r"`(events/[\w.*-]+)`", (DOCS / "laptop.md").read_text())
    files = [f"events/{file.name}" for file in (ROOT / "events").iterdir()]
    assert not [file for file in files if not any(fnmatch(file, pattern) for pattern in patterns)]
    assert not [pattern for pattern in patterns if not any(fnmatch(file, pattern) for file in files)]


def test_every_function_is_invoked_locally() -> None:
    """docs/laptop.md shows `sam local invoke` of each function, with an event file that exists."""
    shown = re.findall(r"^sam local invoke (\w+) +-e (\S+)", (DOCS / "laptop.md").read_text(), re.MULTILINE)
    functions = {name for name, one in load_template()["Resources"].items() if one["Type"].endswith("less::Function")}
    assert {name for name, _ in shown} == functions
    assert all((ROOT / file).is_file() for _, file in shown)


def test_the_readme_is_short() -> None:
    """A newcomer reads all of it: at most 170 lines."""
    assert len(README.read_text().splitlines()) <= README_LINES


def test_the_readme_leads_to_every_document() -> None:
    """Each document of docs/ is linked from the README's map."""
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", section(README, "Documents")))
    assert linked == {f"docs/{document.name}" for document in DOCS.glob("*.md")}


def test_the_site_leads_to_every_document() -> None:
    """Each document stands once in the navigation that `make site` follows; the README is its first page."""
    named = re.findall(r"[\w-]+\.md", (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2])
    assert sorted(named) == sorted([*(f.name for f in DOCUMENTS if f != README), "index.md"])


def test_the_glossary_is_short() -> None:
    """At most 25 words, each explained once."""
    rows = cells(section(DOCS / "architecture.md", "3. Glossary"))
    words = [word for row in rows for word in row[0].split(", ")]
    assert 0 < len(words) <= GLOSSARY_WORDS
    assert len(set(words)) == len(words)
    assert all(row[1] for row in rows)


def test_every_arrow_of_the_drawing_points_down() -> None:
    """A room imports rooms of lower floors alone, and every room is on the drawing."""
    floor = {room: number for number, names in enumerate(rooms.floors()) for room in names}
    core = ROOT / "src" / "core"
    assert floor.keys() == {
        file.stem for file in core.iterdir() if (file / "__init__.py").is_file() or file.suffix == ".py"
    } - {"__init__"}
    assert rooms.arrows()
    assert all(floor[importer] < floor[imported] for importer, imported in rooms.arrows())


@BY_NAME
def test_make_targets_exist(document: Path) -> None:
    """Each `make x` of a document is a target of the Makefile."""
    named = re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE)
    assert set(named) <= makefile_targets()


@BY_NAME
def test_links_resolve(document: Path) -> None:
    """Each relative link leads to a file of the repository, and each anchor to a heading."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(document)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path) if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@BY_NAME
def test_files_that_are_named_exist(document: Path) -> None:
    """Each path and module of the repository that a document names in code style exists."""
    text = without_blocks(document)
    for path in re.findall(r"`((?:src|reach|local|tests|bench|docs|events)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for path in re.findall(
        r"(?<=\s)((?:src|reach|local|tests|bench|docs|events)/[\w./-]+)", "\n".join(blocks(document, "bash"))
    ):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"`((?:core|handlers|reach|local)(?:\.[a-z_]+)+)", text):
        assert _is_module(name), name


def _is_module(name: str) -> bool:
    """Whether this is a module or package; what follows a module is one of its members, and not looked at."""
    for base in (ROOT / "src", ROOT):
        path = base / name.replace(".", "/")
        if path.is_dir() or path.with_suffix(".py").is_file() or path.parent.with_suffix(".py").is_file():
            return True
    return False


@BY_NAME
def test_no_path_of_a_machine(document: Path) -> None:
    """A document names no directory of the machine it was written on."""
    text = document.read_text()
    assert str(ROOT) not in text
    assert not re.search(r"(?<![\w.])/(home|Users|root|tmp)/", text)


@BY_NAME
def test_python_examples_import_what_exists(document: Path) -> None:
    """Python examples parse, and what they import from the project is there."""
    for block in blocks(document, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)


@BY_NAME
def test_json_examples_parse(document: Path) -> None:
    """JSON examples are JSON."""
    assert all(isinstance(json.loads(block), dict) for block in blocks(document, "json"))


@BY_NAME
def test_shell_examples_use_variables_that_are_set(document: Path) -> None:
    """A variable of a shell example is an output of the stack, set before, or said to be the reader's own."""
    script = "\n".join(blocks(document, "bash"))
    known = {upper_snake_case(name) for name in load_template()["Outputs"]} | GIVEN_BY_THE_READER
    known |= set(re.findall(r"^(?:for )?([A-Z_]+)(?:=| in )", script, re.MULTILINE))
    assert set(re.findall(r"\$\{?([A-Z_]+)", script)) <= known


@BY_NAME
def test_documents_use_plain_words(document: Path) -> None:
    """Subject, verb, object: what is written by hand has none of the phrases that have to be decoded."""
    if document.name == "CHANGELOG.md":
        return  # says what was so then, in the words of then
    by_hand = re.sub(r"<!-- generated: .*?<!-- end: ", "", document.read_text(), flags=re.DOTALL)
    assert not re.findall(
        r"\b(?:is|are) told\b|\bhears? of\b|\b(?:no|some|every)body\b|\bof (?:its|their) own\b", by_hand
    )


def test_changelog_has_its_sections() -> None:
    """The changelog begins with what is not released yet, under headings of Keep a Changelog."""
    headings = re.findall(r"^#{2,3} (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {heading for heading in headings if not heading.startswith("[")} <= kinds
