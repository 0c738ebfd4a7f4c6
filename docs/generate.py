"""Writes the parts of the documents that follow from the code: `python -m docs.generate`, or `make docs`.

Each part stands between `<!-- generated: NAME -->` and `<!-- end: NAME -->`; the rest of a document is written by
hand. `tests/unit/test_docs.py` compares what is there with what would be written.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Final

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from core.diagnosis.order import STOPS, UNKNOWN_STOPS
from core.launch.docker.members import TABLE
from core.launch.docker.rows import Ignored, Mapped, Nested, OtherThan, Refused
from core.launch.parse import SCHEMA_FILE, start_request_schema
from core.launch.setting import declared
from core.launch.settings import Settings
from core.machine.table import mermaid
from core.model.failure import Cause
from core.probe.answer import ProbeErrorKind, probe_error
from core.storage.attributes import Map
from core.storage.item import ITEM
from docs import benched, costs, doctor, limits, permissions, rooms

ROOT: Final = Path(__file__).parents[1]
FOUNDATION: Final = "foundation.yaml"


def template(file: str = "template.yaml") -> dict[str, Any]:
    """A template, read as SAM reads it."""
    document: dict[str, Any] = yaml_parse((ROOT / file).read_text())
    return document


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def diagram() -> str:
    """The state machine, from its table."""
    return f"```mermaid\n{mermaid()}\n```"


def parameters(file: str = "template.yaml") -> str:
    """Every parameter of a template, in the groups of the console."""
    document = template(file)
    groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    rows = []
    for group in groups:
        rows.append((f"**{group['Label']['default']}**", "", ""))
        rows += [
            (f"`{name}`", _default(document["Parameters"][name]), _described(document["Parameters"][name]))
            for name in group["Parameters"]
        ]
    return _table(("parameter", "default", "meaning"), rows)


def environment() -> str:
    """Every environment variable that `core.launch.settings` reads."""
    rows = []
    for one in fields(Settings):
        default = "required" if one.default is MISSING else _spelt(one.default)
        rows.append((f"`{one.name.upper()}`", default, declared(Settings)[one.name].description))
    return _table(("variable", "default", "meaning"), rows)


def outputs(file: str = "template.yaml") -> str:
    """Every output of a template."""
    return _table(
        ("output", "meaning"),
        [(f"`{name}`", output["Description"]) for name, output in template(file)["Outputs"].items()],
    )


def mends(cause: Cause) -> str:
    """Of one cause: how the message of a stopped task begins, what to do, who must act, whether it may pass."""
    rows = [
        (row.summary.format(exit_code="n"), row.remedy, str(row.actor), _yes(row.transient))
        for row in (*STOPS, *UNKNOWN_STOPS)
        if row.cause is cause and row.summary
    ]
    return _table(("the message begins with", "what to do", "who acts", "may pass"), dict.fromkeys(rows))


def connection_errors() -> str:
    """Every way in which a try at an agent fails, and what to do."""
    details = {ProbeErrorKind.STATUS: "GET /health was answered with another status than 200"}
    errors = [probe_error(kind, "address:9111", details.get(kind, "…")) for kind in ProbeErrorKind]
    return _table(("the last connection error", "what to do"), [(one.text, one.remedy) for one in errors])


def alarms() -> str:
    """Every alarm of the stack and what it asks for."""
    resources = template()["Resources"].items()
    rows = [
        (f"`{name}`", one["Properties"]["AlarmDescription"])
        for name, one in resources
        if one["Type"] == "AWS::CloudWatch::Alarm"
    ]
    return _table(("alarm", "meaning"), rows)


def item_attributes() -> str:
    """Every attribute of the item and every member of its maps, once."""
    return _table(("attribute", "type", "present", "meaning"), _attributes(ITEM, set()))


def packages() -> str:
    """Every package of the core and what it is for."""
    return _table(("package", "holds"), rooms.described())


def docker_members() -> str:
    """Every member of Docker's API that a request may carry, by its type; those of one row together."""
    rows: list[tuple[str, ...]] = []
    for kind, members in TABLE.items():
        rows.append((f"**{kind}**", "", ""))
        for treatment, names in itertools.groupby(members, key=lambda name: members[name]):
            match treatment:
                case Mapped(to, note):
                    what = ("mapped", f"`{to}`{note and f': {note}'}")
                case Refused(asks=OtherThan(values=unset)):
                    what = (
                        "refused",
                        f"unless {' or '.join(f'`{json.dumps(one)}`' for one in unset)}: {treatment.says}",
                    )
                case Refused():
                    what = ("refused", treatment.says)
                case Ignored(why):
                    what = ("ignored", why)
                case Nested(nested):
                    what = ("", f"see {nested}")
            rows.append((", ".join(f"`{name}`" for name in names), *what))
    return _table(("member", "", "to, or why and what to do"), rows)


def prices() -> str:
    """The list prices that everything is computed with."""
    return _table(*costs.prices_table())


def standing_cost() -> str:
    """A month of the stack: with nothing to do, and what comes to it with traffic."""
    head = "a month"
    idle, busy = costs.table(costs.standing(), head, 2), costs.table(costs.with_traffic(), head, 2)
    between = "In a month in every hour of which containers are started, there come to it:"
    return f"{_table(*idle)}\n\n{between}\n\n{_table(*busy)}"


def life_cost() -> str:
    """A million lives, and a month of one that stays."""
    month = costs.table(costs.staying(), "a month", 4)
    return f"{_table(*costs.lives())}\n\nA container that stays healthy, on top of it:\n\n{_table(*month)}"


def doctor_checks() -> str:
    """Every check of `reach doctor`."""
    return _table(("group", "check", "is ok when"), doctor.checks())


def doctor_policy() -> str:
    """What IAM has to allow to whoever runs `reach doctor`."""
    return f"```json\n{doctor.policy()}\n```"


PARTS: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "README.md": {"diagram": diagram},
    "docs/architecture.md": {"rooms": rooms.drawing, "packages": packages},
    "docs/deploy.md": {
        "foundation-parameters": partial(parameters, FOUNDATION),
        "foundation-outputs": partial(outputs, FOUNDATION),
        "parameters": parameters,
        "outputs": outputs,
        "environment": environment,
    },
    "docs/docker.md": {"docker-members": docker_members},
    "docs/operations.md": {
        "alarms": alarms,
        "cost-facts": costs.facts,
        "standing-cost": standing_cost,
        "life-cost": life_cost,
        "prices": prices,
    },
    "docs/item.md": {"attributes": item_attributes},
    "docs/reach.md": {"doctor-checks": doctor_checks, "doctor-policy": doctor_policy},
    "docs/limits.md": {"limits": lambda: _table(*limits.table())},
    "docs/measurements.md": benched.parts(_table),
    "docs/security.md": {"permissions": lambda: _table(*permissions.table())},
    "docs/runbook.md": {
        "connection-errors": connection_errors,
        **{cause.value: partial(mends, cause) for cause in Cause},
    },
}
"""Document -> the parts it must have, by name."""


def rendered(document: str) -> str:
    """The text of a document of `PARTS` with its parts written anew.

    Raises `ValueError` when a part has no place in it, or a place has no part.
    """
    text = (ROOT / document).read_text()
    found = re.findall(r"<!-- generated: (\S+) -->", text)
    if sorted(found) != sorted(PARTS[document]):
        raise ValueError(f"{document} has places for {found}, and its parts are {sorted(PARTS[document])}")
    for name, part in PARTS[document].items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        head, _, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not closed:
            raise ValueError(f"{document}: no {end} follows {begin}")
        text = f"{head}{begin}\n{part()}\n{end}{tail}"
    return text


def main() -> int:
    """Rewrites what has changed, and names it."""
    for name, text in {**{name: rendered(name) for name in PARTS}, SCHEMA_FILE: start_request_schema()}.items():
        file = ROOT / name
        if file.read_text() != text:
            file.write_text(text)
            sys.stdout.write(f"{name} rewritten\n")
    return 0


def _default(parameter: Mapping[str, Any]) -> str:
    return _spelt(parameter["Default"]) if "Default" in parameter else "required"


def _described(parameter: Mapping[str, Any]) -> str:
    allowed = parameter.get("AllowedValues", ())
    # A long list (the retentions that CloudWatch Logs takes) says less than its name does.
    words = f" One of {', '.join(f'`{one}`' for one in allowed)}." if 0 < len(allowed) <= 5 else ""  # noqa: PLR2004
    match parameter:
        case {"MinValue": low, "MaxValue": high}:
            words += f" {low} to {high}."
        case {"MinValue": low}:
            words += f" At least {low}."
        case _:
            pass
    return f"{parameter['Description']}{words}"


def _spelt(value: Any) -> str:
    match value:
        case None | "" | ():
            return "-"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            return f"`{','.join(value)}`"
        case float():
            return f"`{value:g}`"
        case Enum():
            return f"`{value.value}`"
        case _:
            return f"`{value}`"


def _attributes(table: Map[Any], shown: set[Map[Any]], path: str = "") -> Iterator[tuple[str, ...]]:
    for one in table.attributes:
        name = f"{path}{one.name}"
        yield f"`{name}`", one.kind.dynamo_type, one.present, one.meaning
        match one.kind.of:
            case Map() as members if members not in shown:
                shown.add(members)
                yield from _attributes(members, shown, f"{name}[]." if one.kind.dynamo_type == "L of M" else f"{name}.")
            case _:
                pass


def _yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    sys.exit(main())
