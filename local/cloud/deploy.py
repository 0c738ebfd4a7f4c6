"""`sam build` and `sam deploy` of the real template.yaml, into the local AWS."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from local.cloud.bytecode import compile_functions
from local.cloud.clients import aws_client
from local.cloud.environment import REGION, isolated_environment
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError, Command, call

STACK_NAME: Final = "sockerless-reach"
BUILD_SECONDS: Final = 300
DEPLOY_SECONDS: Final = 180

_MACHINES: Final = {"aarch64": "arm64", "arm64": "arm64"}

# Functions run in processes of this machine, so they are built for its processor and for the Python that runs now.
MACHINE_PARAMETERS: Final = {
    "PythonRuntime": f"python3.{sys.version_info.minor}",
    "Architecture": _MACHINES.get(platform.machine(), "x86_64"),
}


def build(layout: Layout) -> None:
    """Builds the functions, or takes them from the last build where the sources are the same.

    Raises `CloudError` with the end of the log.
    """
    layout.sam.mkdir(parents=True, exist_ok=True)
    arguments = [
        _sam(),
        "build",
        *("--template-file", str(ROOT / "template.yaml")),
        *("--build-dir", str(layout.sam / "build")),
        *("--cache-dir", str(layout.sam / "cache")),
        "--cached",
        *_parameter_overrides(MACHINE_PARAMETERS),
    ]
    call(
        # sam keeps notes in its working directory and beside the build.
        Command(arguments, _environment({}), cwd=layout.sam, log=layout.logs / "sam-build.log"),
        timeout=BUILD_SECONDS,
        advice="sam build installs src/requirements.txt with pip, so it needs the package index once; "
        "then try again. `make clean` removes a build that is broken.",
    )
    compile_functions(layout.sam / "build")


def deploy(
    layout: Layout, endpoint: str, parameters: Mapping[str, str], stack_name: str = STACK_NAME
) -> dict[str, str]:
    """Creates or updates the stack with these parameters; returns its outputs.

    Raises `CloudError` with the end of the log, which holds CloudFormation's reason.
    """
    arguments = [
        _sam(),
        "deploy",
        *("--template-file", str(layout.sam / "build" / "template.yaml")),
        *("--stack-name", stack_name),
        *("--capabilities", "CAPABILITY_IAM"),
        *("--region", REGION),
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--disable-rollback",  # so that the reason is the last thing in the log
        *_parameter_overrides({**MACHINE_PARAMETERS, **parameters}),
    ]
    # The emulator answers at once: polling every 5 s, as for AWS, would be most of the deployment.
    environment = _environment({"AWS_ENDPOINT_URL": endpoint, "SAM_CLI_POLL_DELAY": "0.2"})
    call(
        Command(arguments, environment, cwd=layout.sam, log=layout.logs / "sam-deploy.log"),
        timeout=DEPLOY_SECONDS,
        advice=f"CloudFormation's reason stands above; the local AWS's own log is {layout.logs / 'ministack.log'}.",
    )
    stack = aws_client("cloudformation", endpoint).describe_stacks(StackName=stack_name)["Stacks"][0]
    _limit_concurrency(aws_client("lambda", endpoint))
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _limit_concurrency(functions: Any) -> None:
    """Makes MaximumConcurrency a number again.

    A parameter of the type Number reaches ministack's event sources as text, where AWS converts it, and its poller
    cannot compare it with a count.
    """
    for source in functions.list_event_source_mappings()["EventSourceMappings"]:
        limit = source.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is not None:
            functions.update_event_source_mapping(UUID=source["UUID"], ScalingConfig={"MaximumConcurrency": int(limit)})


def _sam() -> str:
    own = ROOT / ".venv-sam" / "bin" / "sam"
    found = str(own) if own.exists() else shutil.which("sam")
    if found is None:
        raise CloudError("The SAM CLI is not installed here. What to do: make setup")
    return found


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    # sam build looks for the runtime's Python by name, and wants pip in it: this interpreter's directory has both.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return isolated_environment({"SAM_CLI_TELEMETRY": "0", "PATH": path, **extra})


def _parameter_overrides(parameters: Mapping[str, str]) -> list[str]:
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
