"""Each case is a text that ECS or a registry has really printed; the ids say where. Names and numbers are our own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.diagnosis import Actor, Diagnosis, diagnose
from core.errors import Cause
from core.facts import ContainerSeen, Source, TaskObserved

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
RETRIEVAL = f"{AUTH}execution resource retrieval failed: "
EFS = "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: "
EFS_END = " : unsuccessful EFS utils command execution; code: 32"
SHIM = (
    "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed to "
    "create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
)
PULL = "CannotPullContainerError: "
RESOLVE = f"{PULL}pull image manifest has been retried 5 time(s): failed to resolve ref "
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1"
EXECUTION_ROLE = "User: arn:aws:sts::123456789012:assumed-role/task-execution/0123 is not authorized to perform: "

TIME_OUT = f"{EFS}Mount attempt 1/3 failed due to timeout after 15 sec, wait 0 sec before next attempt. "
EXITED = "Essential container in task exited"
NO_MEMORY = "OutOfMemoryError: container killed due to memory usage"


def task(
    *containers: ContainerSeen, code: str | None = None, reason: str | None = None, last_status: str = "STOPPED"
) -> TaskObserved:
    return TaskObserved(
        container_id="c" * 64,
        generation=1,
        at=datetime(2026, 11, 23, tzinfo=UTC),
        source=Source.EVENT,
        task_arn="arn:aws:ecs:eu-west-1:123456789012:task/shop/0123",
        version=5,
        last_status=last_status,
        desired_status="STOPPED",
        containers=containers,
        stop_code=code,
        stopped_reason=reason,
    )


def seen(name: str = "main", exit_code: int | None = None, reason: str | None = None) -> ContainerSeen:
    return ContainerSeen(name=name, last_status="STOPPED", exit_code=exit_code, reason=reason)


START_TEXTS = [
    # --- the agent, and what else execve and runc refuse
    pytest.param(
        f'{SHIM}exec: "/sockerless-agent/sockerless-agent": stat /sockerless-agent/sockerless-agent: no such file or '
        "directory: unknown",
        Cause.AGENT_BINARY_MISSING,
        False,
        Actor.OPERATOR,
        "/sockerless-agent/sockerless-agent",
        id="amazon-ecs-agent 2954: no such file",
    ),
    pytest.param(
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: OCI "
        "runtime create failed: container_linux.go:370: starting container process caused: exec: "
        '"/sockerless-agent/sockerless-agent": stat /sockerless-agent/sockerless-agent...no such file or direct...',
        Cause.AGENT_BINARY_MISSING,
        False,
        Actor.OPERATOR,
        "access point's root",
        id="amazon-ecs-agent 2954: cut off by Fargate",
    ),
    pytest.param(
        "CannotStartContainerError: API error (400): OCI runtime create failed: container_linux.go:348: starting "
        'container process caused "exec: \\"sockerless-agent\\": executable file not found in $PATH":',
        Cause.AGENT_BINARY_MISSING,
        False,
        Actor.OPERATOR,
        "statically linked",
        id="multi-model-server 481: not in PATH",
    ),
    pytest.param(
        f"{SHIM}exec /sockerless-agent/sockerless-agent: exec format error: unknown",
        Cause.AGENT_WRONG_ARCHITECTURE,
        False,
        Actor.OPERATOR,
        "runtimePlatform",
        id="re:Post: exec format error",
    ),
    pytest.param(
        "CannotStartContainerError: standard_init_linux.go:211: exec user process caused: exec format error",
        Cause.AGENT_WRONG_ARCHITECTURE,
        False,
        Actor.OPERATOR,
        "X86_64 or ARM64",
        id="re:Post: exec user process",
    ),
    pytest.param(
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: OCI "
        'runtime create failed: container_linux.go:380: starting container process caused: exec: "/sockerless-agent": '
        "permission denied: unknown",
        Cause.AGENT_NOT_EXECUTABLE,
        False,
        Actor.OPERATOR,
        "chmod 0755",
        id="Fargate 1.4: exec permission denied",
    ),
    pytest.param(
        f"{SHIM}container init was OOM-killed (memory limit too low?): unknown",
        Cause.OUT_OF_MEMORY,
        False,
        Actor.USER,
        "memory limit",
        id="runc: OOM before the process",
    ),
    pytest.param(
        f'{SHIM}chdir to cwd ("/srv/app") set in config.json failed: no such file or directory: unknown',
        Cause.TASK_DEFINITION,
        False,
        Actor.USER,
        "working directory",
        id="runc: working directory",
    ),
    pytest.param(
        "CannotStartContainerError: ResourceInitializationError: unable to create new container: mount callback failed "
        "on /tmp/containerd-mount916692511: open /tmp/containerd-mount916692511/etc/passwd: no such file or directory",
        Cause.TASK_DEFINITION,
        False,
        Actor.USER,
        "numeric user id",
        id="net-modernization 13: no passwd",
    ),
    pytest.param(
        f'{SHIM}error during container init: error mounting "/var/lib/volumes/1/api" to rootfs at "/app/settings.json"'
        ": flags=MS_RDONLY|MS_BIND: not a directory",
        Cause.TASK_DEFINITION,
        False,
        Actor.USER,
        "directory",
        id="runc: volume on a file",
    ),
    pytest.param(
        "CannotStartContainerError: failed to get container status: context canceled",
        Cause.UNKNOWN,
        False,
        Actor.USER,
        "against this text",
        id="AWS doc: CannotStartContainerError",
    ),
    # --- EFS
    pytest.param(
        f"{TIME_OUT}b'mount.nfs4: Connection timed out'{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        False,
        Actor.OPERATOR,
        "TCP 2049",
        id="EFS: timed out",
    ),
    pytest.param(
        f"{EFS}b'mount.nfs4: Connection reset by peer'{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        True,
        Actor.AWS,
        "available",
        id="compose-cli 1490: reset",
    ),
    pytest.param(
        f"{EFS}mount.nfs4: Connection refused{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        False,
        Actor.OPERATOR,
        "EgressIgnoredPorts",
        id="App Mesh doc: refused",
    ),
    pytest.param(
        f'{EFS}Failed to resolve "fs-0123.efs.eu-west-1.amazonaws.com" - check that your file system ID is correct, and '
        "ensure that the VPC has an EFS mount target for this file system ID. : unsuccessful EFS utils command "
        "execution; code: 1",
        Cause.EFS_MOUNT_FAILED,
        False,
        Actor.OPERATOR,
        "DNS hostnames",
        id="appsmith-docs 2234: DNS",
    ),
    pytest.param(
        f"{EFS}b'mount.nfs4: mounting fs-0123.efs.eu-west-1.amazonaws.com:/bin failed, reason given by server: No such "
        f"file or directory'{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        False,
        Actor.OPERATOR,
        "root directory path",
        id="terraform-grafana 4: directory",
    ),
    pytest.param(
        f"{EFS}b'mount.nfs4: access denied by server while mounting fs-0123.efs.eu-west-1.amazonaws.com:/'{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        False,
        Actor.OPERATOR,
        "elasticfilesystem:ClientMount",
        id="aws-cdk-examples 920: denied",
    ),
    pytest.param(
        f"{EFS}something new{EFS_END}", Cause.EFS_MOUNT_FAILED, False, Actor.OPERATOR, "mount target", id="EFS: new words"
    ),
    # --- other volumes
    pytest.param(
        "CannotCreateVolumeError: unsupported: Dockerfile contains VOLUME instruction",
        Cause.TASK_DEFINITION,
        False,
        Actor.USER,
        "VOLUME",
        id="amazon-ecs-plugin 334",
    ),
    pytest.param(
        "CannotCreateVolumeError: unable to copy contents to volume on host: containerd: failed to get image reference: "
        "context deadline exceeded",
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "again",
        id="containers-roadmap 1425",
    ),
    # --- secrets
    pytest.param(
        f"{RETRIEVAL}unable to retrieve secret from asm: service call has been retried 5 time(s): "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        Cause.SECRETS,
        False,
        Actor.OPERATOR,
        "exists",
        id="secrets: not found",
    ),
    pytest.param(
        f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm "
        "parameters: /sockerless/token",
        Cause.SECRETS,
        False,
        Actor.OPERATOR,
        "Region",
        id="secrets: no such parameter",
    ),
    pytest.param(
        f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
        f"AccessDeniedException: {EXECUTION_ROLE}ssm:GetParameters on resource",
        Cause.SECRETS,
        False,
        Actor.OPERATOR,
        "ssm:GetParameters",
        id="secrets: denied",
    ),
    pytest.param(
        f"{AUTH}unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets "
        "Manager. Check your task network configuration. failed to fetch secret x from secrets manager: operation error "
        "Secrets Manager: GetSecretValue, https response error StatusCode: 0, RequestID: , canceled, context deadline "
        "exceeded",
        Cause.SECRETS,
        True,
        Actor.OPERATOR,
        "secretsmanager",
        id="secrets: unreachable",
    ),
    pytest.param(
        f"{RETRIEVAL}something new", Cause.SECRETS, False, Actor.OPERATOR, "execution role", id="secrets: new words"
    ),
    pytest.param(
        "ResourceInitializationError: failed to download env files: service call has been retried 1 time(s): operation "
        "error S3: HeadObject, https response error StatusCode: 403, api error Forbidden: Forbidden.",
        Cause.TASK_DEFINITION,
        False,
        Actor.OPERATOR,
        "s3:GetObject",
        id="environment files",
    ),
    # --- logs
    pytest.param(
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to "
        "create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit "
        "status 1",
        Cause.TASK_DEFINITION,
        False,
        Actor.OPERATOR,
        "log group",
        id="logs: no group",
    ),
    pytest.param(
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to "
        f"create Cloudwatch log stream: AccessDeniedException: {EXECUTION_ROLE}logs:CreateLogStream",
        Cause.PERMISSION,
        False,
        Actor.OPERATOR,
        "logs:CreateLogStream",
        id="minecraft-ondemand 12: denied",
    ),
    pytest.param(
        "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log "
        "group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. "
        "Check your network configuration. : signal: killed",
        Cause.TASK_DEFINITION,
        True,
        Actor.OPERATOR,
        ".logs",
        id="logs: unreachable",
    ),
    pytest.param(
        "ResourceInitializationError: failed to validate logger args: : signal: killed",
        Cause.TASK_DEFINITION,
        True,
        Actor.OPERATOR,
        "NAT gateway",
        id="logs: killed",
    ),
    pytest.param(
        "ResourceInitializationError: failed to initialize logging driver: MissingEndpoint",
        Cause.TASK_DEFINITION,
        False,
        Actor.OPERATOR,
        "awslogs-region",
        id="AWS doc: logging driver",
    ),
    pytest.param(
        "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to create "
        "Cloudwatch log stream: ThrottlingException: Rate exceeded status code: 400, request id: ",
        Cause.THROTTLED,
        True,
        Actor.AWS,
        "quota",
        id="moby 42088: throttled",
    ),
    # --- images
    pytest.param(
        f"{AUTH}The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and "
        "Amazon ECR. Check your task network configuration. operation error ECR: GetAuthorizationToken, exceeded maximum "
        "number of attempts, 3, https response error StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 203.0.113.10:443: i/o timeout',
        Cause.IMAGE_PULL_FAILED,
        True,
        Actor.OPERATOR,
        "NAT gateway",
        id="ECR: unreachable",
    ),
    pytest.param(
        f"{RETRIEVAL}unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send "
        'request failed caused by: Post "https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 203.0.113.10:443: i/o '
        "timeout. Please check your task network configuration.",
        Cause.IMAGE_PULL_FAILED,
        True,
        Actor.OPERATOR,
        "ecr.api and .ecr.dkr",
        id="minecraft-ondemand 74: ECR, old words",
    ),
    pytest.param(
        f"{RETRIEVAL}unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
        f"AccessDeniedException: {EXECUTION_ROLE}ecr:GetAuthorizationToken on resource: *",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.OPERATOR,
        "AmazonECSTaskExecutionRolePolicy",
        id="ECR: denied",
    ),
    pytest.param(
        f"{PULL}The task can\u2019t pull the image. Check that the role has the permissions to pull images from the registry.",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.OPERATOR,
        "ecr:BatchGetImage",
        id="AWS doc: role",
    ),
    pytest.param(
        f"{PULL}The task can't pull the image. Check your network configuration",
        Cause.IMAGE_PULL_FAILED,
        True,
        Actor.OPERATOR,
        "public IP",
        id="AWS doc: network",
    ),
    pytest.param(
        f"{PULL}The task cannot pull '{IMAGE}' from the Amazon ECR repository '{IMAGE}'. There is a connection issue "
        "between the task and Amazon ECR. Check your task network configuration.",
        Cause.IMAGE_PULL_FAILED,
        True,
        Actor.OPERATOR,
        "gateway endpoint for S3",
        id="AWS doc: connection issue",
    ),
    pytest.param(
        f'{RESOLVE}docker.io/library/redis:7: failed to do request: Head "https://registry-1.docker.io/v2/library/redis/'
        'manifests/7": dial tcp 203.0.113.10:443: i/o timeout',
        Cause.IMAGE_PULL_FAILED,
        True,
        Actor.OPERATOR,
        "route to the registry",
        id="terraform-aws-retool 20: i/o timeout",
    ),
    pytest.param(
        f"{PULL}API error (500): Get https://{IMAGE}/v2/: net/http: request canceled while waiting for connection",
        Cause.IMAGE_PULL_FAILED,
        True,
        Actor.OPERATOR,
        "AssignPublicIp",
        id="AWS doc: request canceled",
    ),
    pytest.param(
        f"{PULL}ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed open: unexpected status "
        "code https://registry-1.docker.io/v2/library/redis/blobs/sha256:ab: 503 Service Unavailable",
        Cause.IMAGE_PULL_FAILED,
        True,
        Actor.AWS,
        "again",
        id="AWS doc: failed open",
    ),
    pytest.param(
        f"{PULL}pull command failed: panic: runtime error: invalid memory address or nil pointer dereference",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.OPERATOR,
        "S3",
        id="AWS doc: nil pointer",
    ),
    pytest.param(
        f"{RESOLVE}registry.invalid/shop:1: failed to do request: Head: dial tcp: lookup registry.invalid: no such host",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.USER,
        "host",
        id="containerd: no such host",
    ),
    pytest.param(
        f"{PULL}inspect image has been retried 5 time(s): httpReaderSeeker: failed open: unexpected status code: 429 Too "
        "Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
        Cause.IMAGE_PULL_FAILED,
        True,
        Actor.OPERATOR,
        "pull-through cache",
        id="AWS doc: toomanyrequests",
    ),
    pytest.param(
        "CannotPullECRContainerError: ThrottlingException: Rate exceeded status code: 400, request id: 75567eb3",
        Cause.THROTTLED,
        True,
        Actor.AWS,
        "again",
        id="convox 1164: ECR throttled",
    ),
    pytest.param(
        f"{PULL}image Manifest does not contain descriptor matching platform 'linux/amd64'",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.USER,
        "--platform",
        id="Fargate 1.4: platform",
    ),
    pytest.param(
        f"{PULL}Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.USER,
        "ARM64",
        id="Docker: platform",
    ),
    pytest.param(
        f"{PULL}ref pull has been retried 1 time(s): failed to extract layer sha256:7c52: write /var/lib/containerd/io."
        "containerd.snapshotter.v1.overlayfs/snapshots/86/fs/x: no space left on device: unknown",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.USER,
        "ephemeral storage",
        id="sst 3542: disk",
    ),
    pytest.param(
        f"{PULL}Error response from daemon: pull access denied for shop, repository does not exist or may require "
        "'docker login'",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.USER,
        "repositoryCredentials",
        id="AWS doc: pull access denied",
    ),
    pytest.param(
        f"{PULL}pull image manifest has been retried 1 time(s): failed to resolve ref ghcr.io/shop/shop:latest: failed to "
        "authorize: failed to fetch anonymous token: unexpected status from GET request: 401 Unauthorized",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.USER,
        "private",
        id="prefect 16964: unauthorized",
    ),
    pytest.param(
        "CannotPullImageManifestError: manifest unknown: Requested image not found",
        Cause.IMAGE_PULL_FAILED,
        False,
        Actor.USER,
        "tag",
        id="ECR: manifest unknown",
    ),
    pytest.param(
        f"{RESOLVE}{IMAGE}: {IMAGE}: not found", Cause.IMAGE_PULL_FAILED, False, Actor.USER, "pushed", id="ECR: no such tag"
    ),
    pytest.param(
        f"{PULL}something new", Cause.IMAGE_PULL_FAILED, False, Actor.USER, "execution role", id="image: new words"
    ),
    # --- network interfaces
    pytest.param(
        "Unexpected EC2 error while attempting to attach network interface to instance",
        Cause.ENI_PROVISIONING,
        True,
        Actor.AWS,
        "again",
        id="ENI: attach",
    ),
    pytest.param(
        "ResourceInitializationError: failed to configure ENI: failed to setup regular eni: netplugin failed with no "
        "error message",
        Cause.ENI_PROVISIONING,
        True,
        Actor.AWS,
        "subnets",
        id="ENI: netplugin",
    ),
    pytest.param(
        "Timeout waiting for network interface provisioning to complete.",
        Cause.ENI_PROVISIONING,
        True,
        Actor.AWS,
        "this passes",
        id="distributed-load-testing 82: ENI timeout",
    ),
    pytest.param(
        "Network interface provision complete error timeout wait for network interface provision",
        Cause.ENI_PROVISIONING,
        True,
        Actor.AWS,
        "AWS Health",
        id="re:Post: ENI provision",
    ),
    pytest.param(
        "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': "
        "InsufficientFreeAddressesInSubnet",
        Cause.ENI_PROVISIONING,
        True,
        Actor.OPERATOR,
        "address",
        id="ENI: subnet full",
    ),
    pytest.param(
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
        "'subnet-1'",
        Cause.ENI_PROVISIONING,
        True,
        Actor.OPERATOR,
        "larger task subnets",
        id="AWS doc: subnet full",
    ),
    pytest.param(
        "Unexpected EC2 error while attempting to tag the network interface: TagPolicyViolation",
        Cause.ENI_PROVISIONING,
        False,
        Actor.OPERATOR,
        "tag policy",
        id="ENI: tag policy",
    ),
    pytest.param(
        "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': AuthFailure",
        Cause.ENI_PROVISIONING,
        True,
        Actor.AWS,
        "again",
        id="dagster: AuthFailure passes",
    ),
    # --- capacity
    pytest.param(
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        Cause.CAPACITY,
        True,
        Actor.AWS,
        "Availability Zones",
        id="Fargate: capacity",
    ),
    pytest.param(
        "You\u2019ve reached the limit on the number of vCPUs you can run concurrently",
        Cause.CAPACITY,
        True,
        Actor.OPERATOR,
        "Service Quotas",
        id="Fargate: vCPU quota",
    ),
    pytest.param(
        "The requested CPU configuration is above your limit",
        Cause.CAPACITY,
        False,
        Actor.OPERATOR,
        "Service Quotas",
        id="Fargate: above the limit",
    ),
    pytest.param(
        "Timeout waiting for EphemeralStorage provisioning to complete.",
        Cause.CAPACITY,
        True,
        Actor.AWS,
        "again",
        id="dagster: EphemeralStorage",
    ),
    pytest.param(
        "TaskFailedToStart: RESOURCE:MEMORY", Cause.CAPACITY, True, Actor.OPERATOR, "FARGATE", id="API failures: RESOURCE"
    ),
    pytest.param("TaskFailedToStart: AGENT", Cause.CAPACITY, True, Actor.OPERATOR, "FARGATE", id="API failures: AGENT"),
    pytest.param(
        "TaskFailedToStart: EMPTY CAPACITY PROVIDER",
        Cause.CAPACITY,
        True,
        Actor.OPERATOR,
        "FARGATE",
        id="API failures: provider",
    ),
    pytest.param(
        "TaskFailedToStart: MemberOf placement constraint unsatisfied",
        Cause.TASK_DEFINITION,
        False,
        Actor.OPERATOR,
        "placement",
        id="API failures: MemberOf",
    ),
    pytest.param(
        "The selected task definition is not compatible with the selected compute strategy",
        Cause.TASK_DEFINITION,
        False,
        Actor.OPERATOR,
        "FARGATE",
        id="AWS doc: compute strategy",
    ),
    # --- roles, and names whose words are not known
    pytest.param(
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/task' that was provided for this task. Please "
        "verify that the role being passed has the proper trust relationship and permissions",
        Cause.PERMISSION,
        False,
        Actor.OPERATOR,
        "ecs-tasks.amazonaws.com",
        id="ECS: role",
    ),
    pytest.param(
        "InternalError: unexpected error", Cause.UNKNOWN, True, Actor.AWS, "support case", id="AWS doc: InternalError"
    ),
    pytest.param(
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m: deadline",
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "more CPU",
        id="AWS doc: runtime timeout",
    ),
    pytest.param(
        "DockerTimeoutError: Could not tranisition to started; timed out after waiting 8m0s",
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "again",
        id="deploy-task-definition 232: misspelt",
    ),
    pytest.param(
        "ResourceInitializationError: something new", Cause.UNKNOWN, False, Actor.OPERATOR, "DNS", id="new words"
    ),
]


@pytest.mark.parametrize(("text", "cause", "transient", "actor", "remedy"), START_TEXTS)
@pytest.mark.parametrize("place", ["stoppedReason", "container reason"])
def test_a_start_that_failed_is_told_by_its_text_wherever_ecs_put_it(
    text: str, cause: Cause, transient: bool, actor: Actor, remedy: str, place: str
) -> None:
    """The cause, who must act and what to do follow from the text; it is kept whole and the start is blamed."""
    if place == "stoppedReason":
        stopped = task(seen(), code="TaskFailedToStart", reason=text)
    else:
        stopped = task(seen(reason=text), code="TaskFailedToStart", reason="Task failed to start")
    told = diagnose(stopped)
    if (place, cause) != ("container reason", Cause.CAPACITY):  # a container never says that there was no capacity
        assert (told.cause, told.transient, told.actor) == (cause, transient, actor)
        assert remedy in told.remedy
    assert told.start_failed
    assert text in told.detail


@pytest.mark.parametrize("spell", [str.upper, str.lower, "  \n".join, lambda text: text.replace(" ", "\n")])
def test_case_and_line_breaks_do_not_matter(spell: object) -> None:
    """Platform versions print the same words in other cases, and wrap them."""
    text = f"{TIME_OUT}b'mount.nfs4: Connection timed out'{EFS_END}"
    words = spell([text]) if spell == "  \n".join else spell(text)  # type: ignore[operator]
    assert diagnose(task(code="taskFailedToStart", reason=words)).cause is Cause.EFS_MOUNT_FAILED


ENDS = [
    pytest.param(
        task(seen(exit_code=137, reason=NO_MEMORY), code="EssentialContainerExited", reason=EXITED),
        Cause.OUT_OF_MEMORY,
        False,
        Actor.USER,
        "memory limit",
        id="AWS doc: OutOfMemoryError",
    ),
    pytest.param(
        task(seen(exit_code=0), code="UserInitiated", reason="Task stopped by user"),
        Cause.USER_STOPPED,
        False,
        Actor.USER,
        "StopTask",
        id="capture: UserInitiated",
    ),
    pytest.param(
        task(seen(exit_code=137), code="UserInitiated", reason="disk check: no space left on device, i/o timeout"),
        Cause.USER_STOPPED,
        False,
        Actor.USER,
        "StopTask",
        id="the reason of a StopTask call is not ECS's",
    ),
    pytest.param(
        task(seen(exit_code=0), reason="Task stopped by user"),
        Cause.USER_STOPPED,
        False,
        Actor.USER,
        "StopTask",
        id="before 2019: no stopCode",
    ),
    pytest.param(
        task(
            seen(exit_code=0),
            code="ServiceSchedulerInitiated",
            reason="Scaling activity initiated by (deployment ecs-svc/5229653580561241327)",
        ),
        Cause.USER_STOPPED,
        False,
        Actor.OPERATOR,
        "service",
        id="capture: scaled in",
    ),
    pytest.param(
        task(seen(exit_code=0), code="ServiceSchedulerInitiated"),
        Cause.USER_STOPPED,
        False,
        Actor.OPERATOR,
        "service",
        id="scheduler without a reason",
    ),
    pytest.param(
        task(
            seen(exit_code=143),
            code="ServiceSchedulerInitiated",
            reason="Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-1:1:tg/a/b)",
        ),
        Cause.UNKNOWN,
        False,
        Actor.USER,
        "health check",
        id="capture: ELB health checks",
    ),
    *(
        pytest.param(
            task(code=code, reason="Your Spot Task was interrupted.", last_status="RUNNING"),
            Cause.SPOT_INTERRUPTION,
            True,
            Actor.AWS,
            "FARGATE_SPOT",
            id=f"AWS doc: Spot with code {code}",
        )
        for code in ("SpotInterruption", "TerminationNotice", None)
    ),
    pytest.param(
        task(code="TerminationNotice"),
        Cause.SPOT_INTERRUPTION,
        True,
        Actor.AWS,
        "again",
        id="grand-challenge: Spot, code alone",
    ),
    pytest.param(
        task(
            seen(exit_code=137),
            code="ServiceSchedulerInitiated",
            reason="Service shop: ECS is performing maintenance on the underlying infrastructure hosting the task",
        ),
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "does not replace",
        id="AWS doc: maintenance",
    ),
    pytest.param(
        task(seen(exit_code=137), code="InfrastructureHealth"),
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "again",
        id="API model: InfrastructureHealth",
    ),
    pytest.param(
        task(reason="Host EC2 (instance i-0123) terminated."),
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "again",
        id="AWS doc: host terminated",
    ),
    pytest.param(
        task(reason="Container instance deregistration forced by user."),
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "again",
        id="AWS doc: deregistration",
    ),
    pytest.param(
        task(seen(exit_code=137, reason="CannotStopContainerError: failed sending SIGTERM to container: gone")),
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "again",
        id="AWS doc: CannotStopContainerError",
    ),
    pytest.param(
        task(seen(exit_code=1, reason="CannotInspectContainerError: context deadline exceeded")),
        Cause.UNKNOWN,
        True,
        Actor.AWS,
        "support case",
        id="AWS doc: CannotInspectContainerError",
    ),
    *(
        pytest.param(
            task(seen(exit_code=exit_code), code="EssentialContainerExited", reason=EXITED),
            Cause.UNKNOWN,
            False,
            Actor.USER,
            remedy,
            id=f"exit code {exit_code}",
        )
        for exit_code, remedy in (
            (0, "Nothing to repair"),
            (1, "log"),
            (126, "executable"),
            (127, "exists in the image"),
            (137, "stopTimeout"),
            (139, "log"),
            (143, "Nothing to repair"),
            (254, "log"),
            (-1, "log"),
            (3221225786, "log"),
        )
    ),
]


@pytest.mark.parametrize(("stopped", "cause", "transient", "actor", "remedy"), ENDS)
def test_the_end_of_a_container_that_ran_does_not_blame_its_start(
    stopped: TaskObserved, cause: Cause, transient: bool, actor: Actor, remedy: str
) -> None:
    """Its exit code is its own (contract, section 2), so the record becomes `stopped` with it."""
    told = diagnose(stopped)
    assert (told.cause, told.transient, told.actor) == (cause, transient, actor)
    assert remedy in told.remedy
    assert not told.start_failed


def test_every_cause_of_a_stop_has_a_real_text() -> None:
    """No word of the contract is only promised."""
    covered = {case.values[1] for case in [*START_TEXTS, *ENDS]}
    assert covered == set(Cause)


def test_an_exit_code_of_a_task_that_failed_to_start_is_not_the_containers_own() -> None:
    """ECS blames the start: a container that crashed while its task was starting did not run and end."""
    told = diagnose(task(seen(exit_code=1), code="TaskFailedToStart", reason="Task failed to start"))
    assert told.start_failed
    assert not told.transient


def test_a_failed_start_without_any_reason_may_be_tried_again() -> None:
    """About one Fargate task in a hundred never starts, and ECS says nothing."""
    told = diagnose(task(seen(), reason="Task failed to start"))
    assert (told.cause, told.start_failed, told.transient, told.actor) == (Cause.UNKNOWN, True, True, Actor.AWS)


@pytest.mark.parametrize(
    ("init", "cause", "actor"),
    [
        pytest.param(seen("init", 1), Cause.AGENT_BINARY_MISSING, Actor.OPERATOR, id="the copy failed"),
        pytest.param(seen("init", 137, NO_MEMORY), Cause.OUT_OF_MEMORY, Actor.OPERATOR, id="killed"),
        pytest.param(
            seen("init", None, f"{SHIM}exec: \"cp\": executable file not found in $PATH: unknown"),
            Cause.AGENT_BINARY_MISSING,
            Actor.OPERATOR,
            id="no copy command",
        ),
        pytest.param(
            seen("init", None, f"{PULL}pull access denied for sockerless/agent"),
            Cause.IMAGE_PULL_FAILED,
            Actor.OPERATOR,
            id="agent image",
        ),
        pytest.param(seen("init", None, "something new"), Cause.UNKNOWN, Actor.OPERATOR, id="new words"),
    ],
)
def test_when_the_init_container_failed_the_main_one_never_ran(
    init: ContainerSeen, cause: Cause, actor: Actor
) -> None:
    """`main` depends on the success of `init`, whose image and command are the operator's to set."""
    told = diagnose(task(seen(), init, code="EssentialContainerExited", reason=EXITED))
    assert (told.cause, told.actor, told.start_failed) == (cause, actor, True)


def test_a_copy_command_that_does_not_exist_is_told_from_an_agent_that_does_not() -> None:
    """The same words of runc mean another remedy in the init container."""
    words = f'{SHIM}exec: "cp": executable file not found in $PATH: unknown'
    of_init, of_main = diagnose(task(seen("init", None, words))), diagnose(task(seen("main", None, words)))
    assert "AgentCopyCommand" in of_init.remedy
    assert "(container init)" in of_init.summary
    assert "access point" in of_main.remedy


def test_a_successful_init_container_blames_nothing() -> None:
    """Exit code 0 of `init` is how every start goes."""
    told = diagnose(task(seen("init", 0), seen("main", 0), code="EssentialContainerExited", reason=EXITED))
    assert not told.start_failed


def test_containers_are_found_by_name() -> None:
    """ECS adds containers of its own, in any place (facts, surprise 10)."""
    guard = seen("aws-guardduty-agent-nm40lC", 1, NO_MEMORY)
    told = diagnose(task(guard, seen("main", 0), code="EssentialContainerExited", reason=EXITED))
    assert (told.cause, told.summary) == (Cause.UNKNOWN, "The container's process ended by itself, with exit code 0.")
    assert NO_MEMORY in told.detail


def test_a_foreign_container_is_asked_when_nothing_else_explains_a_failed_start() -> None:
    """The reason stands in one container only, the others have none (facts, section 4)."""
    guard = seen("aws-guardduty-agent-nm40lC", None, f"{RESOLVE}x: dial tcp 203.0.113.10:443: i/o timeout")
    told = diagnose(task(guard, seen(), code="TaskFailedToStart", reason="Task failed to start"))
    assert told.cause is Cause.IMAGE_PULL_FAILED
    assert "aws-guardduty-agent-nm40lC" in told.summary


def test_the_main_container_is_believed_before_a_foreign_one() -> None:
    """A sidecar that nobody defined may fail for reasons of its own."""
    guard = seen("aws-guardduty-agent-nm40lC", None, f"{SHIM}exec /guard: exec format error")
    told = diagnose(task(guard, seen(reason=f"{PULL}manifest unknown"), code="TaskFailedToStart"))
    assert told.cause is Cause.IMAGE_PULL_FAILED


def test_other_names_can_be_given() -> None:
    """The names are arguments, so that captures of any task can be diagnosed."""
    told = diagnose(task(seen("worker", 137, NO_MEMORY), seen("copy", 0)), main="worker", init="copy")
    assert told.cause is Cause.OUT_OF_MEMORY


@pytest.mark.parametrize("code", [None, "EssentialContainerExited", "SomethingNew"])
def test_a_task_without_containers_or_reasons_is_unknown(code: str | None) -> None:
    """`containers: []` and missing codes are ordinary documents."""
    told = diagnose(task(code=code, last_status="DEPROVISIONING"))
    assert told.cause is Cause.UNKNOWN
    assert not told.start_failed
    assert "no containers" in told.detail


def test_an_unknown_text_is_unknown_and_quoted() -> None:
    """What nobody has seen before is shown as it is, and not tried again as if it would pass."""
    told = diagnose(task(seen(reason="A new\nreason"), code="SomethingNew", reason=EXITED))
    assert (told.cause, told.transient) == (Cause.UNKNOWN, False)
    assert told.summary.endswith(": A new reason.")
    assert "A new\nreason" in told.detail


def test_the_detail_holds_the_facts_of_every_container() -> None:
    """Stop code, reason and each container's name, exit code and reason, as ECS gave them (contract, section 6)."""
    told = diagnose(task(seen("main", 1), seen("side", None, "odd"), code="EssentialContainerExited", reason=EXITED))
    assert told.detail == (
        "stopCode: EssentialContainerExited; stoppedReason: Essential container in task exited; "
        "container main (STOPPED): exit code 1; container side (STOPPED): exit code none, reason: odd"
    )


KNOWN_WORDS = st.sampled_from([str(case.values[0]) for case in START_TEXTS])
TEXTS = st.one_of(st.none(), st.text(max_size=200), KNOWN_WORDS)
CODES = st.one_of(
    st.none(), st.text(max_size=30), st.sampled_from(["TaskFailedToStart", "UserInitiated", "EssentialContainerExited"])
)
CONTAINERS = st.lists(
    st.builds(
        ContainerSeen,
        name=st.one_of(st.sampled_from(["main", "init"]), st.text(max_size=40)),
        last_status=st.sampled_from(["", "PENDING", "RUNNING", "STOPPED"]),
        exit_code=st.one_of(st.none(), st.integers(-(2**31), 2**32)),
        reason=TEXTS,
    ),
    max_size=5,
)


@given(code=CODES, reason=TEXTS, containers=CONTAINERS)
def test_any_document_has_a_diagnosis(code: str | None, reason: str | None, containers: list[ContainerSeen]) -> None:
    """Never raises; one line of summary, a remedy, and every word of ECS's in the detail."""
    told = diagnose(task(*containers, code=code, reason=reason))
    assert len(told.summary.splitlines()) == 1
    assert told.remedy.strip()
    assert all(words in told.detail for words in said(code, reason, containers))


@given(reason=TEXTS, containers=CONTAINERS)
def test_a_failed_start_is_blamed_whatever_else_is_said(reason: str | None, containers: list[ContainerSeen]) -> None:
    """No text can make the exit code of a task that failed to start the container's own."""
    assert diagnose(task(*containers, code="TaskFailedToStart", reason=reason)).start_failed


@given(reason=TEXTS, exit_code=st.integers(0, 255))
def test_no_reason_of_a_stop_call_turns_it_into_a_fault(reason: str | None, exit_code: int) -> None:
    """Whoever stops a task may write anything; what ran until then ran."""
    told = diagnose(task(seen(exit_code=exit_code), code="UserInitiated", reason=reason))
    assert (told.cause, told.start_failed) == (Cause.USER_STOPPED, False)


def said(code: str | None, reason: str | None, containers: list[ContainerSeen]) -> Iterator[str]:
    yield from (words for words in (code, reason) if words)
    for one in containers:
        yield one.name
        yield one.reason or ""


def test_a_diagnosis_is_a_value() -> None:
    """The same document gives the same answer, so a repeated event changes nothing."""
    stopped = task(seen(exit_code=1), code="EssentialContainerExited", reason=EXITED)
    assert isinstance(diagnose(stopped), Diagnosis)
    assert diagnose(stopped) == diagnose(stopped)
