"""`python -m local replay` and `record`: for one more release, other names of `reach events …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from local.cloud.environment import read_environment
from local.cloud.layout import Layout
from local.cloud.options import add_directory

HELP: Final = {
    name: f"the same as `reach events {name}`, which replaces it in the next release" for name in ("replay", "record")
}


def run(command: str, arguments: Sequence[str]) -> int:
    """The exit code of `reach`. `--json` is today's `--output json`; `record` finds the laptop cloud by itself."""
    from reach.app import main  # noqa: PLC0415 - the other commands of `local` do not need it

    print(f"python -m local {command}: {HELP[command]}.", file=sys.stderr)
    old = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    old.add_argument("--json", action="store_true")
    add_directory(old)
    options, rest = old.parse_known_args(arguments)
    if options.json:
        rest += ["--output", "json"]
    layout = Layout(options.directory)
    if command == "record" and layout.env.exists():
        rest += ["--fargate", read_environment(layout.env)["AWS_ENDPOINT_URL_ECS"]]
    return main(["events", command, *rest])
