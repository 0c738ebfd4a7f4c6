"""An account of moto's with the stack, and a Fargate that runs the script of the one-off task on this machine."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ReadTimeoutError

from core.launch.injection import COPY_DIRECTORY
from core.model.identity import log_stream
from reach.stack.outputs import DEFAULT_NAME
from reach.staging.task import DIRECTORY, FAMILY, STAGE
from tests.moto_aws import client, ecs_backend, session
from tests.unit.reach.deployment import FakeCloudFormation
from tests.unit.reach.staging.s3_files import S3FilesApi
from tests.unit.reach.staging.stacks import BUCKET, GROUP, STACK

OWNER = {"OwnerUid": 1001, "OwnerGid": 1001, "Permissions": "0755"}


class Account:
    """One stack with EFS. Time passes when something sleeps, and then Fargate does one thing for each task.

    `agent`: what the agent image has; None: its copy command copies nothing. `hangs`: no task ever ends. `exits`: in
    place of the script's exit code, None for a script that never ran, with the `reason` and `printed` lines. `silent`:
    output reaches CloudWatch Logs never. `on_sleep` is called first; `calls` are the operations that were made.
    """

    def __init__(self, home: Path) -> None:
        self.now = 0.0
        self.agent: bytes | None = b"#!/bin/sh\n"
        self.hangs = self.silent = False
        self.exits: dict[str, Any] | None = None
        self.on_sleep: Callable[[], object] = lambda: None
        self.calls: list[str] = []
        self.signal_after: str | None = None
        """The operation after whose answer SIGINT comes."""
        self.unanswered: str | None = None
        """The operation that takes effect, and whose answer is lost."""
        self.efs: Any = client("efs")
        client("ecs").create_cluster(clusterName="default")
        client("logs").create_log_group(logGroupName=GROUP)
        client("s3").create_bucket(Bucket=BUCKET)
        ec2 = client("ec2")
        self.system: str = self.efs.create_file_system(CreationToken="agents")["FileSystemId"]
        point = self.efs.create_access_point(
            ClientToken="tasks", FileSystemId=self.system, RootDirectory={"Path": "/bin", "CreationInfo": OWNER}
        )
        self.parameters = {
            **STACK,
            "TaskSubnets": ec2.describe_subnets()["Subnets"][0]["SubnetId"],
            "TaskSecurityGroups": ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"],
            "EfsFileSystemId": self.system,
            "EfsAccessPointId": point["AccessPointId"],
            "AgentImage": "agent:1",
        }
        self.directory, self._copied = home / "efs", home / "volume"
        self.directory.mkdir()
        self._copied.mkdir()

    def client(self, service: str, *, profile: str | None, region: str | None, **_: Any) -> Any:
        """As `reach.options.aws_client`, of one session; each call of a client of boto3's is noted."""
        if service == "cloudformation":
            return FakeCloudFormation({DEFAULT_NAME: {}}, {DEFAULT_NAME: self.parameters})
        if service == "s3files":
            return S3FilesApi()
        made: Any = session().client(service)  # type: ignore[call-overload]  # any service
        made.meta.events.register("after-call", self._called)
        return made

    def _called(self, model: Any, **_: Any) -> None:
        self.calls.append(f"{model.service_model.signing_name}:{model.name}")
        if model.name == self.signal_after:
            signal.raise_signal(signal.SIGINT)
        if model.name == self.unanswered:
            raise ReadTimeoutError(endpoint_url="https://ecs.us-east-1.amazonaws.com/")

    def sleep(self, seconds: float) -> None:
        """Time passes, and what runs comes to its end."""
        self.now += seconds
        self.on_sleep()
        for tasks in ecs_backend().tasks.values():
            for task in tasks.values():
                if task.last_status == "RUNNING" and not self.hangs:
                    self._end(task)

    def left(self) -> dict[str, list[str]]:
        """What a run of the command may leave: tasks that run, definitions to run, access points."""
        ecs = client("ecs")
        points = self.efs.describe_access_points(FileSystemId=self.system)["AccessPoints"]
        return {
            "tasks": ecs.list_tasks(cluster="default")["taskArns"],
            "definitions": ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"],
            "access points": [one["AccessPointId"] for one in points],
        }

    def _end(self, task: Any) -> None:
        ended = self.exits if self.exits is not None else self._run(task)
        for container in task.containers:
            code = ended["code"] if container.name == STAGE else ended.get("init", 0)
            container.exitCode = code
            container.reason = ended.get("reason") if container.name == ended.get("at", STAGE) else None
            self._print(task, container.name, ended.get("printed", {}).get(container.name, ()))
        task.last_status, task.desired_status = "STOPPED", "STOPPED"
        task.stop_code, task.stopped_reason = ended.get("stop_code", "EssentialContainerExited"), "Task ended"

    def _run(self, task: Any) -> dict[str, Any]:
        """The script as its definition says, with the paths of this machine for those of its volumes."""
        if self.agent is not None:
            (self._copied / "sockerless-agent").write_bytes(self.agent)
        definition: Any = ecs_backend().describe_task_definition(task.task_definition_arn)
        [script] = [one for one in definition.container_definitions if one["name"] == STAGE]
        paths = {DIRECTORY: str(self.directory), COPY_DIRECTORY: str(self._copied)}
        command = [paths.get(word, word) for word in (*script["entryPoint"], *script["command"])]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return {"code": done.returncode, "printed": {STAGE: done.stdout.splitlines()}}

    def _print(self, task: Any, container: str, lines: Any) -> None:
        if self.silent or not lines:
            return
        names = {"logGroupName": GROUP, "logStreamName": log_stream(FAMILY, container, task.task_arn)}
        client("logs").create_log_stream(**names)
        at = int(time.time() * 1000)
        events = [{"timestamp": at, "message": line} for line in lines]
        client("logs").put_log_events(**names, logEvents=events)
