"""Texts with which tasks failed to start, as ECS, containerd or a registry printed them, and what they mean.

The source names an AWS page ("AWS doc"), a public issue (repository and number) or the program whose words they are.
Accounts and addresses are made up. Every name that a user chose is `shop`, and nothing else is: so that another name
can be put in its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.diagnosis import Actor
from core.model.failure import Cause


@dataclass(frozen=True, slots=True)
class Case:
    """One text, and what a diagnosis of it says; `remedy` is a part of the remedy.

    `general`: why only the family of the error is known of it; empty when a row of its own is.
    """

    source: str
    text: str
    cause: Cause
    remedy: str
    transient: bool = False
    actor: Actor = Actor.OPERATOR
    general: str = ""


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
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:shop"
EXECUTION_ROLE = "User: arn:aws:sts::123456789012:assumed-role/shop/0123 is not authorized to perform: "

TIME_OUT = f"{EFS}Mount attempt 1/3 failed due to timeout after 15 sec, wait 0 sec before next attempt. "
CREATE_ENI = "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': "

START_TEXTS = [
    # --- the agent, and what else execve and runc refuse
    Case(
        "amazon-ecs-agent 2954: no such file",
        f'{SHIM}exec: "/sockerless-agent/sockerless-agent": stat /sockerless-agent/sockerless-agent: no such file or '
        "directory: unknown",
        Cause.AGENT_BINARY_MISSING,
        "/sockerless-agent/sockerless-agent",
    ),
    Case(
        "amazon-ecs-agent 2954: cut off by Fargate",
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: OCI "
        "runtime create failed: container_linux.go:370: starting container process caused: exec: "
        '"/sockerless-agent/sockerless-agent": stat /sockerless-agent/sockerless-agent...no such file or direct...',
        Cause.AGENT_BINARY_MISSING,
        "access point's root",
    ),
    Case(
        "multi-model-server 481: not in PATH",
        "CannotStartContainerError: API error (400): OCI runtime create failed: container_linux.go:348: starting "
        'container process caused "exec: \\"sockerless-agent\\": executable file not found in $PATH":',
        Cause.AGENT_BINARY_MISSING,
        "reach stage-agent --image",
    ),
    Case(
        "re:Post: exec format error",
        f"{SHIM}exec /sockerless-agent/sockerless-agent: exec format error: unknown",
        Cause.AGENT_WRONG_ARCHITECTURE,
        "runtimePlatform",
    ),
    Case(
        "re:Post: exec user process",
        "CannotStartContainerError: standard_init_linux.go:211: exec user process caused: exec format error",
        Cause.AGENT_WRONG_ARCHITECTURE,
        "X86_64 or ARM64",
    ),
    Case(
        "execve(2): EIO, of an EFS that does not answer",
        "exec /sockerless-agent/sockerless-agent: input/output error",
        Cause.AGENT_NOT_EXECUTABLE,
        "execve",
    ),
    Case(
        "runc 1.1: the interpreter of a script, or the loader, is missing",
        "exec /sockerless-agent/sockerless-agent: no such file or directory",
        Cause.AGENT_NOT_EXECUTABLE,
        "linked statically",
    ),
    Case(
        "runc 1.0: the same",
        'CannotStartContainerError: standard_init_linux.go:211: exec user process caused "no such file or directory"',
        Cause.AGENT_NOT_EXECUTABLE,
        "loader",
    ),
    Case(
        "Fargate 1.4: exec permission denied",
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: OCI "
        'runtime create failed: container_linux.go:380: starting container process caused: exec: "/sockerless-agent": '
        "permission denied: unknown",
        Cause.AGENT_NOT_EXECUTABLE,
        "chmod 0755",
    ),
    Case(
        "runc: OOM before the process",
        f"{SHIM}container init was OOM-killed (memory limit too low?): unknown",
        Cause.OUT_OF_MEMORY,
        "memory limit",
        actor=Actor.USER,
    ),
    Case(
        "runc: working directory",
        f'{SHIM}chdir to cwd ("/srv/shop") set in config.json failed: no such file or directory: unknown',
        Cause.TASK_DEFINITION,
        "working directory",
        actor=Actor.USER,
    ),
    Case(
        "net-modernization 13: no passwd",
        "CannotStartContainerError: ResourceInitializationError: unable to create new container: mount callback failed "
        "on /tmp/containerd-mount916692511: open /tmp/containerd-mount916692511/etc/passwd: no such file or directory",
        Cause.TASK_DEFINITION,
        "numeric user id",
        actor=Actor.USER,
    ),
    Case(
        "runc: volume on a file",
        f'{SHIM}error during container init: error mounting "/var/lib/volumes/1/api" to rootfs at '
        '"/srv/shop/settings.json"'
        ": flags=MS_RDONLY|MS_BIND: not a directory",
        Cause.TASK_DEFINITION,
        "directory",
        actor=Actor.USER,
    ),
    Case(
        "containerd: user",
        f"{SHIM}unable to find user shop: no matching entries in passwd file: unknown",
        Cause.TASK_DEFINITION,
        "numeric user id",
        actor=Actor.USER,
    ),
    Case(
        "runc: ulimits",
        f"{SHIM}error setting rlimit type 8: operation not permitted: unknown",
        Cause.TASK_DEFINITION,
        "`ulimits`",
        actor=Actor.USER,
    ),
    Case("runc: new words", f"{SHIM}something new", Cause.UNKNOWN, "against this text", actor=Actor.USER),
    Case(
        "a container that ended at once",
        "CannotStartContainerError: failed to get container status: container exited before its status was read",
        Cause.OUT_OF_MEMORY,
        "`limits.memory_mib`",
        actor=Actor.USER,
    ),
    Case("start: new words", "CannotStartContainerError: something new", Cause.UNKNOWN, "entrypoint", actor=Actor.USER),
    # --- EFS
    Case(
        "EFS: timed out", f"{TIME_OUT}b'mount.nfs4: Connection timed out'{EFS_END}", Cause.EFS_MOUNT_FAILED, "TCP 2049"
    ),
    Case(
        "compose-cli 1490: reset",
        f"{EFS}b'mount.nfs4: Connection reset by peer'{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        "available",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "App Mesh doc: refused",
        f"{EFS}mount.nfs4: Connection refused{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        "EgressIgnoredPorts",
    ),
    Case(
        "appsmith-docs 2234: DNS",
        f'{EFS}Failed to resolve "fs-0123.efs.eu-west-1.amazonaws.com" - check that your file system ID is correct, '
        "and "
        "ensure that the VPC has an EFS mount target for this file system ID. : unsuccessful EFS utils command "
        "execution; code: 1",
        Cause.EFS_MOUNT_FAILED,
        "DNS hostnames",
    ),
    Case(
        "terraform-grafana 4: directory",
        f"{EFS}b'mount.nfs4: mounting fs-0123.efs.eu-west-1.amazonaws.com:/shop failed, reason given by server: No "
        f"such file or directory'{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        "root directory path",
    ),
    Case(
        "aws-cdk-examples 920: denied",
        f"{EFS}b'mount.nfs4: access denied by server while mounting "
        f"fs-0123.efs.eu-west-1.amazonaws.com:/shop'{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        "elasticfilesystem:ClientMount",
    ),
    Case(
        "efs-utils 3, mount_s3files: name not resolved",
        f'{EFS}Failed to resolve "use1-az1.fs-0123.s3files.us-east-1.on.aws" - check that your file system ID is '
        "correct, and ensure that the VPC has an S3Files mount target for this file system ID. See "
        f"https://docs.aws.amazon.com/console/efs/mount-dns-name for more detail.{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        "S3FilesFileSystemArn",
    ),
    Case(
        "efs-utils 3: S3 Files' access denied, by way of its proxy",
        f"{EFS}b'mount.nfs4: access denied by server while mounting 127.0.0.1:/shop'{EFS_END}",
        Cause.EFS_MOUNT_FAILED,
        "s3files:ClientMount",
    ),
    Case("EFS: new words", f"{EFS}something new{EFS_END}", Cause.EFS_MOUNT_FAILED, "mount target"),
    # --- other volumes
    Case(
        "amazon-ecs-plugin 334",
        "CannotCreateVolumeError: unsupported: Dockerfile contains VOLUME instruction",
        Cause.TASK_DEFINITION,
        "VOLUME",
        actor=Actor.USER,
    ),
    Case(
        "containers-roadmap 1425",
        "CannotCreateVolumeError: unable to copy contents to volume on host: containerd: failed to get image "
        "reference: "
        "context deadline exceeded",
        Cause.UNKNOWN,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "AWS doc: CannotCreateVolumeError",
        "CannotCreateVolumeError: something new",
        Cause.UNKNOWN,
        "mount points",
        actor=Actor.USER,
        general="the page has a placeholder for the words",
    ),
    # --- secrets
    Case(
        "secrets: not found",
        f"{RETRIEVAL}unable to retrieve secret from asm: service call has been retried 5 time(s): "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        Cause.SECRETS,
        "exists",
    ),
    Case(
        "secrets: no such parameter",
        f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm "
        "parameters: /sockerless/shop",
        Cause.SECRETS,
        "Region",
    ),
    Case(
        "ecs-deploy-events: no such JSON key",
        f"{RETRIEVAL}unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret "
        "from Secrets Manager did not contain json key shop",
        Cause.SECRETS,
        "JSON key",
    ),
    Case(
        "valheim-ecs-fargate-cdk 9: no JSON",
        f"{RETRIEVAL}unable to retrieve secret from asm: service call has been retried 1 time(s): invalid character "
        "'s' looking for beginning of value",
        Cause.SECRETS,
        "one JSON object",
    ),
    Case(
        "keycloak-on-aws 222: the registry's login",
        f"{RETRIEVAL}unable to get registry auth from asm: service call has been retried 5 time(s): asm fetching "
        "secret from the service for arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf: "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        Cause.SECRETS,
        "exists",
    ),
    Case(
        "amazon-ecs-agent: a login without its members",
        f"{RETRIEVAL}unable to get registry auth from asm: service call has been retried 1 time(s): asm fetching "
        "authorization data: empty response",
        Cause.SECRETS,
        "username and password",
    ),
    Case(
        "secrets: denied",
        f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
        f"AccessDeniedException: {EXECUTION_ROLE}ssm:GetParameters on resource",
        Cause.SECRETS,
        "ssm:GetParameters",
    ),
    Case(
        "secrets: unreachable",
        f"{AUTH}unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets "
        "Manager. Check your task network configuration. failed to fetch secret "
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf from secrets manager: operation error "
        "Secrets Manager: GetSecretValue, https response error StatusCode: 0, RequestID: , canceled, context deadline "
        "exceeded",
        Cause.SECRETS,
        "secretsmanager",
        transient=True,
    ),
    Case(
        "secrets: new words of Systems Manager",
        f"{RETRIEVAL}unable to retrieve secrets from ssm: something new",
        Cause.SECRETS,
        "may read it",
    ),
    Case(
        "secrets: throttled",
        f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried 5 time(s): "
        "ThrottlingException: Rate exceeded",
        Cause.SECRETS,
        "fewer containers at once",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "secrets: the host says which",
        f"{AUTH}RequestError: send request failed caused by: Post "
        '"https://secretsmanager.eu-west-1.amazonaws.com/": dial tcp 203.0.113.10:443: i/o timeout',
        Cause.SECRETS,
        "secretsmanager",
        transient=True,
    ),
    Case(
        "secrets or image: unreachable",
        f"{RETRIEVAL}service call has been retried 3 time(s): RequestCanceled: request context canceled caused by: "
        "context deadline exceeded",
        Cause.UNKNOWN,
        "Secrets Manager must be reachable",
        transient=True,
    ),
    Case(
        "secrets: by its ARN, for a reason that is new",
        f"{RETRIEVAL}unable to retrieve secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf: "
        "service call has been retried 1 time(s): something new",
        Cause.SECRETS,
        "may read it",
    ),
    Case("secrets: new words", f"{RETRIEVAL}something new", Cause.UNKNOWN, "execution role"),
    Case(
        "environment files",
        "ResourceInitializationError: failed to download env files: service call has been retried 1 time(s): operation "
        "error S3: HeadObject, https response error StatusCode: 403, api error Forbidden: Forbidden.",
        Cause.TASK_DEFINITION,
        "s3:GetObject",
    ),
    Case(
        "environment files: unreachable",
        "ResourceInitializationError: failed to download env files: service call has been retried 1 time(s): operation "
        "error S3: GetObject, https response error StatusCode: 0, RequestID: , request send failed, Get "
        '"https://shop.s3.eu-west-1.amazonaws.com/shop.env": dial tcp 203.0.113.10:443: i/o timeout',
        Cause.TASK_DEFINITION,
        "gateway endpoint",
        transient=True,
    ),
    # --- logs
    Case(
        "logs: no group",
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed "
        "to "
        "create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit "
        "status 1",
        Cause.TASK_DEFINITION,
        "log group",
    ),
    Case(
        "minecraft-ondemand 12: denied",
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed "
        "to "
        f"create Cloudwatch log stream: AccessDeniedException: {EXECUTION_ROLE}logs:CreateLogStream",
        Cause.PERMISSION,
        "logs:CreateLogStream",
    ),
    Case(
        "logs: unreachable",
        "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log "
        "group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. "
        "Check your network configuration. : signal: killed",
        Cause.TASK_DEFINITION,
        ".logs",
        transient=True,
    ),
    Case(
        "logs: killed",
        "ResourceInitializationError: failed to validate logger args: : signal: killed",
        Cause.TASK_DEFINITION,
        "NAT gateway",
        transient=True,
    ),
    Case(
        "AWS doc: logging driver",
        "ResourceInitializationError: failed to initialize logging driver: MissingEndpoint",
        Cause.TASK_DEFINITION,
        "awslogs-region",
    ),
    Case(
        "logs: new words",
        "ResourceInitializationError: failed to validate logger args: something new",
        Cause.UNKNOWN,
        "log options",
    ),
    Case(
        "moby 42088: throttled",
        "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to create "
        "Cloudwatch log stream: ThrottlingException: Rate exceeded status code: 400, request id: ",
        Cause.THROTTLED,
        "quota",
        transient=True,
        actor=Actor.AWS,
    ),
    # --- images
    Case(
        "ECR: unreachable",
        f"{AUTH}The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and "
        "Amazon ECR. Check your task network configuration. operation error ECR: GetAuthorizationToken, exceeded "
        "maximum "
        "number of attempts, 3, https response error StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 203.0.113.10:443: i/o timeout',
        Cause.IMAGE_PULL_FAILED,
        "NAT gateway",
        transient=True,
    ),
    Case(
        "minecraft-ondemand 74: ECR, old words",
        f"{RETRIEVAL}unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send "
        'request failed caused by: Post "https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 203.0.113.10:443: i/o '
        "timeout. Please check your task network configuration.",
        Cause.IMAGE_PULL_FAILED,
        "ecr.api and .ecr.dkr",
        transient=True,
    ),
    Case(
        "ECR: unreachable, cut by ECS",
        f"{RETRIEVAL}unable to retrieve ecr registry auth: service call has been retried 5 time(s): RequestError: send "
        "request failed caused by: Post https://api.ecr....",
        Cause.IMAGE_PULL_FAILED,
        "NAT gateway",
        transient=True,
    ),
    Case(
        "ECR: denied",
        f"{RETRIEVAL}unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
        f"AccessDeniedException: {EXECUTION_ROLE}ecr:GetAuthorizationToken on resource: *",
        Cause.IMAGE_PULL_FAILED,
        "AmazonECSTaskExecutionRolePolicy",
    ),
    Case(
        "AWS doc: role",
        f"{PULL}The task can\u2019t pull the image. Check that the role has the permissions to pull images from the "
        "registry.",
        Cause.IMAGE_PULL_FAILED,
        "ecr:BatchGetImage",
    ),
    Case(
        "AWS doc: network",
        f"{PULL}The task can't pull the image. Check your network configuration",
        Cause.IMAGE_PULL_FAILED,
        "public IP",
        transient=True,
    ),
    Case(
        "AWS doc: connection issue",
        f"{PULL}The task cannot pull '{IMAGE}' from the Amazon ECR repository '{IMAGE}'. There is a connection issue "
        "between the task and Amazon ECR. Check your task network configuration.",
        Cause.IMAGE_PULL_FAILED,
        "gateway endpoint for S3",
        transient=True,
    ),
    Case(
        "terraform-aws-retool 20: i/o timeout",
        f"{RESOLVE}docker.io/library/shop:shop: failed to do request: Head "
        '"https://registry-1.docker.io/v2/library/shop/'
        'manifests/shop": dial tcp 203.0.113.10:443: i/o timeout',
        Cause.IMAGE_PULL_FAILED,
        "route to the registry",
        transient=True,
    ),
    Case(
        "AWS doc: request canceled",
        f"{PULL}API error (500): Get https://{IMAGE}/v2/: net/http: request canceled while waiting for connection",
        Cause.IMAGE_PULL_FAILED,
        "AssignPublicIp",
        transient=True,
    ),
    Case(
        "AWS doc: failed open",
        f"{PULL}ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed open: unexpected status "
        "code https://registry-1.docker.io/v2/library/shop/blobs/sha256:ab: 503 Service Unavailable",
        Cause.IMAGE_PULL_FAILED,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "AWS doc: nil pointer",
        f"{PULL}pull command failed: panic: runtime error: invalid memory address or nil pointer dereference",
        Cause.IMAGE_PULL_FAILED,
        "S3",
    ),
    Case(
        "containerd: no such host",
        f"{RESOLVE}shop.invalid/shop:shop: failed to do request: Head: dial tcp: lookup shop.invalid: no such host",
        Cause.IMAGE_PULL_FAILED,
        "host",
        actor=Actor.USER,
    ),
    Case(
        "AWS doc: toomanyrequests",
        f"{PULL}inspect image has been retried 5 time(s): httpReaderSeeker: failed open: unexpected status code: 429 "
        "Too "
        "Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
        Cause.IMAGE_PULL_FAILED,
        "pull-through cache",
        transient=True,
    ),
    Case(
        "convox 1164: ECR throttled",
        "CannotPullECRContainerError: ThrottlingException: Rate exceeded status code: 400, request id: 75567eb3",
        Cause.IMAGE_PULL_FAILED,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "Fargate 1.4: platform",
        f"{PULL}image Manifest does not contain descriptor matching platform 'linux/amd64'",
        Cause.IMAGE_PULL_FAILED,
        "--platform",
        actor=Actor.USER,
    ),
    *(
        Case(
            f"containerd: platform, {words[:22]}",
            f"{PULL}{words}",
            Cause.IMAGE_PULL_FAILED,
            "`platform`",
            actor=Actor.USER,
        )
        for words in (
            "failed to find a descriptor for platform {linux/amd64}",
            "ref pull has been retried 1 time(s): failed to unpack image: no match for platform in manifest: not found",
            f"image with reference {IMAGE} was found but does not provide the specified platform (linux/arm64)",
        )
    ),
    *(
        Case(
            f"containerd: no image, {words[-22:]}",
            f"{PULL}ref pull has been retried 1 time(s): {words}",
            Cause.IMAGE_PULL_FAILED,
            "--provenance=false",
            actor=Actor.USER,
        )
        for words in (
            (
                "failed to unpack image on snapshotter overlayfs: failed to extract layer sha256:c0c0: failed to get "
                "stream processor for application/vnd.in-toto+json: no processor for media-type: unknown"
            ),
            "failed to unpack image on snapshotter overlayfs: mismatched image rootfs and manifest layers",
            (
                "failed to resolve ref docker.io/shop/shop:shop: unsupported manifest media type "
                "application/vnd.cncf.helm.config.v1+json"
            ),
        )
    ),
    Case(
        "Go: x509",
        f"{RESOLVE}shop.invalid/shop:shop: failed to do request: Head https://shop.invalid/v2/shop/manifests/shop: "
        "tls: failed to verify certificate: x509: certificate is valid for shop.test, not shop.invalid",
        Cause.IMAGE_PULL_FAILED,
        "public authority",
        actor=Actor.USER,
    ),
    Case(
        "Docker: platform",
        f"{PULL}Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries",
        Cause.IMAGE_PULL_FAILED,
        "ARM64",
        actor=Actor.USER,
    ),
    Case(
        "sst 3542: disk",
        f"{PULL}ref pull has been retried 1 time(s): failed to extract layer sha256:7c52: write /var/lib/containerd/io."
        "containerd.snapshotter.v1.overlayfs/snapshots/86/fs/x: no space left on device: unknown",
        Cause.IMAGE_PULL_FAILED,
        "ephemeral storage",
        actor=Actor.USER,
    ),
    Case(
        "runc: disk full",
        f"{SHIM}mkdir /var/lib/containerd/1: no space left on device",
        Cause.TASK_DEFINITION,
        "200 GiB",
        actor=Actor.USER,
    ),
    Case(
        "AWS doc: pull access denied",
        f"{PULL}Error response from daemon: pull access denied for shop, repository does not exist or may require "
        "'docker login'",
        Cause.IMAGE_PULL_FAILED,
        "repository_credentials",
        actor=Actor.USER,
    ),
    Case(
        "registry: 401, the tag in brackets",
        f"{RESOLVE}shop.invalid/team/shop:shop: unexpected status code [manifests shop]: 401 Unauthorized",
        Cause.IMAGE_PULL_FAILED,
        "`repository_credentials`",
        actor=Actor.USER,
    ),
    Case(
        "registry: status without its phrase",
        f"{RESOLVE}shop.invalid/shop:shop: unexpected status code [manifests shop]: 503",
        Cause.IMAGE_PULL_FAILED,
        "registry's own status",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "prefect 16964: unauthorized",
        f"{PULL}pull image manifest has been retried 1 time(s): failed to resolve ref ghcr.io/shop/shop:shop: failed "
        "to "
        "authorize: failed to fetch anonymous token: unexpected status from GET request to "
        "https://ghcr.io/token?scope=repository%3Ashop%2Fshop%3Apull&service=ghcr.io: 401 Unauthorized",
        Cause.IMAGE_PULL_FAILED,
        "private",
        actor=Actor.USER,
    ),
    Case(
        "ECR: manifest unknown",
        "CannotPullImageManifestError: manifest unknown: Requested image not found",
        Cause.IMAGE_PULL_FAILED,
        "tag",
        actor=Actor.USER,
    ),
    Case(
        "ECR: no such tag", f"{RESOLVE}{IMAGE}: {IMAGE}: not found", Cause.IMAGE_PULL_FAILED, "pushed", actor=Actor.USER
    ),
    Case(
        "containerd: no such tag",
        f"{RESOLVE}docker.io/team/shop:shop: docker.io/team/shop:shop: not found",
        Cause.IMAGE_PULL_FAILED,
        "tag",
        actor=Actor.USER,
    ),
    Case("image: new words", f"{PULL}something new", Cause.IMAGE_PULL_FAILED, "execution role", actor=Actor.USER),
    # --- network interfaces
    Case(
        "ENI: attach",
        "Unexpected EC2 error while attempting to attach network interface to instance",
        Cause.ENI_PROVISIONING,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "ENI: netplugin",
        "ResourceInitializationError: failed to configure ENI: failed to setup regular eni: netplugin failed with no "
        "error message",
        Cause.ENI_PROVISIONING,
        "subnets",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "distributed-load-testing 82: ENI timeout",
        "Timeout waiting for network interface provisioning to complete.",
        Cause.ENI_PROVISIONING,
        "this passes",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "re:Post: ENI provision",
        "Network interface provision complete error timeout wait for network interface provision",
        Cause.ENI_PROVISIONING,
        "AWS Health",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "ENI: subnet full",
        f"{CREATE_ENI}InsufficientFreeAddressesInSubnet",
        Cause.ENI_PROVISIONING,
        "address",
        transient=True,
    ),
    Case(
        "AWS doc: subnet full",
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
        "'subnet-1'",
        Cause.ENI_PROVISIONING,
        "larger task subnets",
        transient=True,
    ),
    Case(
        "ENI: tag policy",
        "Unexpected EC2 error while attempting to tag the network interface: TagPolicyViolation",
        Cause.ENI_PROVISIONING,
        "tag policy",
    ),
    Case(
        "dagster: AuthFailure passes",
        f"{CREATE_ENI}AuthFailure",
        Cause.ENI_PROVISIONING,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "EC2 error code: UnauthorizedOperation",
        f"{CREATE_ENI}UnauthorizedOperation",
        Cause.ENI_PROVISIONING,
        "AWSServiceRoleForECS",
    ),
    Case("EC2 error code: no subnet", f"{CREATE_ENI}InvalidSubnetID.NotFound", Cause.ENI_PROVISIONING, "TaskSubnets"),
    Case(
        "EC2 error code: quota",
        f"{CREATE_ENI}NetworkInterfaceLimitExceeded",
        Cause.ENI_PROVISIONING,
        "quota",
        transient=True,
    ),
    # --- capacity
    Case(
        "Fargate: capacity",
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        Cause.CAPACITY,
        "Availability Zones",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "Fargate: vCPU quota",
        "You\u2019ve reached the limit on the number of vCPUs you can run concurrently",
        Cause.CAPACITY,
        "Service Quotas",
        transient=True,
    ),
    Case(
        "Fargate: above the limit",
        "The requested CPU configuration is above your limit",
        Cause.CAPACITY,
        "Service Quotas",
    ),
    Case(
        "dagster: EphemeralStorage",
        "Timeout waiting for EphemeralStorage provisioning to complete.",
        Cause.CAPACITY,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    Case("API failures: RESOURCE", "TaskFailedToStart: RESOURCE:MEMORY", Cause.CAPACITY, "FARGATE", transient=True),
    Case("API failures: AGENT", "TaskFailedToStart: AGENT", Cause.CAPACITY, "FARGATE", transient=True),
    Case(
        "API failures: provider",
        "TaskFailedToStart: EMPTY CAPACITY PROVIDER",
        Cause.CAPACITY,
        "FARGATE",
        transient=True,
    ),
    Case(
        "API failures: MemberOf",
        "TaskFailedToStart: MemberOf placement constraint unsatisfied",
        Cause.TASK_DEFINITION,
        "placement",
    ),
    Case(
        "AWS doc: compute strategy",
        "The selected task definition is not compatible with the selected compute strategy",
        Cause.TASK_DEFINITION,
        "FARGATE",
    ),
    # --- roles, and names whose words are not known
    Case(
        "ECS: role",
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/shop' that was provided for this task. "
        "Please "
        "verify that the role being passed has the proper trust relationship and permissions",
        Cause.PERMISSION,
        "ecs-tasks.amazonaws.com",
    ),
    Case(
        "IAM: denied",
        f"ResourceInitializationError: AccessDeniedException: {EXECUTION_ROLE}kms:Decrypt",
        Cause.PERMISSION,
        "named in the text",
    ),
    Case(
        "AWS doc: InternalError",
        "InternalError: unexpected error",
        Cause.UNKNOWN,
        "support case",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "AWS doc: runtime timeout",
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m: deadline",
        Cause.UNKNOWN,
        "more CPU",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        "deploy-task-definition 232: misspelt",
        "DockerTimeoutError: Could not tranisition to started; timed out after waiting 8m0s",
        Cause.UNKNOWN,
        "again",
        transient=True,
        actor=Actor.AWS,
    ),
    Case("new words", "ResourceInitializationError: something new", Cause.UNKNOWN, "DNS"),
]
