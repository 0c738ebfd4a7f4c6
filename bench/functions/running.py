"""Starts the processes that are measured, as Lambda would: with a function's environment, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

from bench.functions.scenes import SCENES
from bench.results import ROOT
from bench.rows import CannotMeasure

REGION: Final = "us-east-1"


def environment(scene: str, address: str) -> dict[str, str]:
    """Of a process that runs the function of this scene against the double at `host:port`."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "AWS_LAMBDA_FUNCTION_NAME": SCENES[scene].function,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL": f"http://{address}/{scene}",
        "POWERTOOLS_SERVICE_NAME": "sockerless-reach",
        "POWERTOOLS_METRICS_NAMESPACE": "SockerlessReach",
        "TABLE_NAME": "containers",
        "CLUSTER_ARN": f"arn:aws:ecs:{REGION}:123456789012:cluster/default",
        "TASK_SUBNETS": "subnet-0a1b2c3d",
        "AGENT_NETWORKS": "127.0.0.0/8,10.0.0.0/8",
        "INJECTION": "image",
        "PROBE_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/probes",
    }


def run(arguments: Sequence[str], scene: str, address: str) -> Any:
    """What `python` with these arguments wrote to standard error, in the last line, as JSON. Raises `CannotMeasure`.

    Standard output is the function's log, and is dropped.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment(scene, address),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CannotMeasure(f"{' '.join(arguments[:3])} ended with {done.returncode}: {done.stderr[-1000:]}")
    return json.loads(done.stderr.splitlines()[-1])
