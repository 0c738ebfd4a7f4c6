"""template.yaml and foundation.yaml for tests, read and resolved as CloudFormation does it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

TEMPLATE: Final = Path(__file__).parents[1] / "template.yaml"
FOUNDATION: Final = TEMPLATE.with_name("foundation.yaml")

PSEUDO_PARAMETERS: Final = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "reach",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE: Final = object()


class _Loader(yaml.SafeLoader):
    """Turns `!Sub x` into `{"Fn::Sub": x}` and so on."""


def _construct(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _construct)


def load_template(file: Path = TEMPLATE) -> dict[str, Any]:
    """The template as CloudFormation's JSON form."""
    document = yaml.load(file.read_text(), _Loader)  # noqa: S506 - a subclass of the safe loader
    assert isinstance(document, dict)
    return document


class Resolved:
    """The template under given parameters; the others have their defaults. A resource's Ref is its logical id.

    `parameters` may name pseudo parameters too: `**{"AWS::Region": "us-east-1"}`.
    """

    def __init__(self, template: Mapping[str, Any], **parameters: str) -> None:
        self._template = template
        declared = template["Parameters"]
        known = {
            **PSEUDO_PARAMETERS,
            **{name: str(one["Default"]) for name, one in declared.items() if "Default" in one},
        }
        unknown = parameters.keys() - known.keys() - declared.keys()
        assert not unknown, f"the template has no parameters {unknown}"
        self._names = {**known, **parameters}

    def value(self, node: Any) -> Any:  # noqa: C901, PLR0911 - one for each function
        """A node of the template with its functions carried out."""
        match node:
            case {"Ref": "AWS::NoValue"}:
                return NO_VALUE
            case {"Ref": name}:
                return self.reference(name)
            case {"Fn::If": [condition, then, otherwise]}:
                return self.value(then if self.holds({"Condition": condition}) else otherwise)
            case {"Fn::Sub": [text, names]}:
                return self._substitute(text, names)
            case {"Fn::Sub": text}:
                return self._substitute(text, {})
            case {"Fn::Split": [separator, text]}:
                return self.value(text).split(separator)
            case {"Fn::Join": [separator, many]}:
                parts = self.value(many)  # a parameter that is a list is text here
                return separator.join(parts.split(",") if isinstance(parts, str) else parts)
            case {"Fn::GetAtt": [resource, attribute]}:
                return self.attribute(resource, attribute)
            case dict():
                resolved = {key: self.value(one) for key, one in node.items()}
                return {key: one for key, one in resolved.items() if one is not NO_VALUE}
            case list():
                return [one for one in map(self.value, node) if one is not NO_VALUE]
            case _:
                return node

    def holds(self, condition: Any) -> bool:
        """Whether a condition is true."""
        match condition:
            case {"Condition": name}:
                return self.holds(self._template["Conditions"][name])
            case {"Fn::Equals": [one, other]}:
                return bool(self.value(one) == self.value(other))
            case {"Fn::Not": [one]}:
                return not self.holds(one)
            case {"Fn::Or": many}:
                return any(map(self.holds, many))
            case {"Fn::And": many}:
                return all(map(self.holds, many))
            case _:
                raise NotImplementedError(condition)

    def environment(self, function: str) -> dict[str, str]:
        """The variables of a function: its own and the global ones."""
        own = self._template["Resources"][function]["Properties"].get("Environment", {}).get("Variables", {})
        shared = self._template["Globals"]["Function"]["Environment"]["Variables"]
        variables: dict[str, str] = self.value({**shared, **own})
        return variables

    def reference(self, name: str) -> str:
        """What `Ref` gives."""
        return self._names.get(name, name)

    def attribute(self, resource: str, attribute: str) -> str:
        """What `Fn::GetAtt` gives."""
        return f"{resource}.{attribute}"

    def _substitute(self, text: str, names: Mapping[str, Any]) -> str:
        own = {name: str(self.value(one)) for name, one in names.items()}

        def named(found: re.Match[str]) -> str:
            name = found[1]
            if name in own:
                return own[name]
            resource, dot, attribute = name.partition(".")
            return self.attribute(resource, attribute) if dot else self.reference(name)

        return re.sub(r"\$\{([^}]+)\}", named, text)
