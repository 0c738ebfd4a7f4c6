"""The next version of the stack: its functions add an attribute to each item, and its parameters are others."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from local.cloud.build import built
from local.cloud.cloud import LocalCloud
from local.cloud.sam import deploy

ATTRIBUTE: Final = "colour"
PARAMETERS: Final = {"HealthTimeoutSeconds": "25", "WatchShards": "6", "EarlyProbe": "on"}
"""Each is in the environment of every function, so that all of them are replaced."""

_ADDED: Final = f"""

_to_item = to_item


def to_item(record):
    return {{"{ATTRIBUTE}": "blue", **_to_item(record)}}
"""
_CHANGED: Final = "core/storage/item.py"
_COMPILED: Final = "core/storage/__pycache__/item."
_CODE: Final = "code.zip"


class Versions:
    """Both versions of one running cloud, to be deployed over each other."""

    def __init__(self, cloud: LocalCloud, directory: Path, tell: Callable[[str], None]) -> None:
        """`directory` gets the packages of both."""
        self._cloud, self._tell = cloud, tell
        self._this, self._next = directory / "this", directory / "next"
        with built(cloud.layout, tell) as template:
            for version in (self._this, self._next):
                version.mkdir()
                shutil.copy(template, version)
            shutil.copy(template.parent / _CODE, self._this)
        self._template = template.name
        _add_attribute(self._this / _CODE, self._next / _CODE)

    def update(self) -> None:
        """The next version replaces this one. Raises `CloudError`."""
        self._deploy(self._next, {**self._cloud.parameters, **PARAMETERS})

    def roll_back(self) -> None:
        """This version replaces the next one, as it was. Raises `CloudError`."""
        self._deploy(self._this, self._cloud.parameters)

    def _deploy(self, version: Path, parameters: dict[str, Any]) -> None:
        self._tell(f"sam deploy of {version.name} version begins")
        deploy(self._cloud.layout, version / self._template, self._cloud.endpoint, parameters)
        self._tell(f"sam deploy of {version.name} version has ended")


def _add_attribute(package: Path, changed: Path) -> None:
    """The byte code is not checked against its source, so the changed module goes without."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith(_CHANGED):
                target.writestr(entry, content + _ADDED.encode())
            elif _COMPILED not in entry.filename:
                target.writestr(entry, content)
