"""The drawing of the code in docs/architecture.md: floors as import-linter checks them, arrows as the imports are."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).parents[1]
CORE: Final = "core"


def floors() -> tuple[tuple[str, ...], ...]:
    """The rooms of `src/core`, the highest floor first: the layers of the one contract that holds them all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    [layers] = [one["layers"] for one in contracts if one.get("containers") == [CORE] and one.get("exhaustive")]
    return tuple(tuple(room.strip() for room in layer.split("|")) for layer in layers)


def drawing() -> str:
    """A Mermaid flowchart: one box a room, one row a floor, one arrow for each room that another one imports."""
    lines = ["```mermaid", "flowchart TD"]
    for number, rooms in enumerate(floors()):
        lines += [f'    subgraph floor{number}[" "]', "        direction LR"]
        lines += [f"        {room}[{room}]" for room in rooms]
        lines += ["    end"]
    lines += [f"    {importer} --> {imported}" for importer, imported in arrows()]
    return "\n".join([*lines, "```"])


def arrows() -> Sequence[tuple[str, str]]:
    """Every pair of rooms of which the first imports the second, in the order of the floors."""
    rooms = [room for floor in floors() for room in floor]
    graph = grimp.build_graph(CORE, exclude_type_checking_imports=True, cache_dir=None)
    room_of = {module: module.split(".")[1] for module in graph.modules if module.startswith(f"{CORE}.")}
    pairs = {
        (room, room_of[imported])
        for module, room in room_of.items()
        for imported in graph.find_modules_directly_imported_by(module)
        if room_of.get(imported, room) != room
    }
    return sorted(pairs, key=lambda pair: (rooms.index(pair[0]), rooms.index(pair[1])))


def described() -> list[tuple[str, str]]:
    """Each room, the highest floor first, with the first line of its docstring."""
    return [(f"`{CORE}.{room}`", _docstring(room)) for floor in floors() for room in floor]


def _docstring(room: str) -> str:
    package = ROOT / "src" / CORE / room
    file = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    return text.partition("\n\n")[0].replace("\n", " ")
