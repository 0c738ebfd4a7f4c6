"""What once broke a parser, and other inputs worth keeping: `corpus/<target>/<name>.json`, or `.bin` for bytes."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

CORPUS: Final = Path(__file__).with_name("corpus")


def kept(target: str) -> list[Path]:
    """The files of a target."""
    return sorted(path for path in (CORPUS / target).glob("*") if path.suffix in {".json", ".bin"})


def read(path: Path) -> Any:
    """The input in a file."""
    return path.read_bytes() if path.suffix == ".bin" else json.loads(path.read_text())


def keep(target: str, given: Any) -> Path:
    """Writes an input, under a name of its content."""
    raw = given if isinstance(given, bytes) else (json.dumps(given, indent=1) + "\n").encode()
    path = CORPUS / target / f"{sha256(raw).hexdigest()[:12]}{'.bin' if isinstance(given, bytes) else '.json'}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path
