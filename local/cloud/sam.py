"""The SAM CLI: which one, in what environment; and `sam deploy` of what was built, into the local AWS."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from local.cloud.environment import REGION, aws_client, isolated_environment
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError, Command, call

STACK_NAME: Final = "sockerless-reach"
DEPLOY_SECONDS: Final = 180


def sam_program() -> str:
    """The program. Raises `CloudError` when it is not installed."""
    own = ROOT / ".venv-sam" / "bin" / "sam"
    found = str(own) if own.exists() else shutil.which("sam")
    if found is None:
        raise CloudError("The SAM CLI is not installed here. What to do: make setup")
    return found


def sam_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Without anything of the caller's AWS."""
    # sam build finds the runtime's Python by name, and wants pip in it: this interpreter's directory has both.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return isolated_environment({"SAM_CLI_TELEMETRY": "0", "PATH": path, **extra})


def deploy(layout: Layout, template: Path, endpoint: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Creates or updates the stack with these parameters; returns its outputs.

    Raises `CloudError` with the end of the log, which holds CloudFormation's reason.
    """
    arguments = [
        sam_program(),
        "deploy",
        *("--template-file", str(template)),
        *("--stack-name", STACK_NAME),
        *("--capabilities", "CAPABILITY_IAM"),
        *("--region", REGION),
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--disable-rollback",  # so that the reason is the last thing in the log
        *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
    ]
    # The emulator answers at once: polling every 5 s, as for AWS, would be most of the deployment.
    environment = sam_environment({"AWS_ENDPOINT_URL": endpoint, "SAM_CLI_POLL_DELAY": "0.2"})
    call(
        Command(arguments, environment, cwd=layout.sam, log=layout.logs / "sam-deploy.log"),
        timeout=DEPLOY_SECONDS,
        advice=f"CloudFormation's reason stands above; the local AWS's own log is {layout.logs / 'ministack.log'}.",
        run=layout.run,
    )
    stack = aws_client("cloudformation", endpoint).describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    functions = aws_client("lambda", endpoint)
    _limit_concurrency(functions)
    _place_prober(functions, outputs, parameters)
    _expire_items(aws_client("dynamodb", endpoint), outputs["ContainersTableName"])
    return outputs


def _limit_concurrency(functions: Any) -> None:
    """Makes MaximumConcurrency a number again.

    A parameter of the type Number reaches ministack's event sources as text, where AWS converts it, and its poller
    cannot compare it with a count.
    """
    for source in functions.list_event_source_mappings()["EventSourceMappings"]:
        limit = source.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is not None:
            functions.update_event_source_mapping(UUID=source["UUID"], ScalingConfig={"MaximumConcurrency": int(limit)})


def _place_prober(functions: Any, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> None:
    """The prober shows its subnets, as on AWS: ministack's CloudFormation passes over VpcConfig."""
    if parameters.get("VpcId"):
        functions.update_function_configuration(
            FunctionName=outputs["AgentHealthFunctionArn"],
            VpcConfig={
                "SubnetIds": parameters["ProberSubnets"].split(","),
                "SecurityGroupIds": [outputs["ProberSecurityGroupId"]],
            },
        )


def _expire_items(dynamodb: Any, table: str) -> None:
    """Items expire as the template says: ministack's CloudFormation passes over TimeToLiveSpecification."""
    expiry = {"Enabled": True, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)
