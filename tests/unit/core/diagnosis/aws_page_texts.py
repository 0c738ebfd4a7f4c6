"""The texts on AWS's pages about tasks that do not start or that stop, by page, and what they mean.

A page of the ECS Developer Guide each, by its title; placeholders (`<reason>`) are filled with made-up words. Names
that a user chose are `shop`, as in `stop_texts`.
"""

from __future__ import annotations

from core.diagnosis import Actor
from core.model.failure import Cause
from tests.unit.core.diagnosis.stop_texts import AUTH, EFS, IMAGE, PULL, Case

PULLING = "CannotPullContainer task errors in Amazon ECS"
INITIALISING = "Troubleshooting Amazon ECS ResourceInitializationError errors"
STARTING = "Troubleshooting Amazon ECS TaskFailedToStart errors"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"
NO_WAY_TO_ECR = "There is a connection issue between the task and Amazon ECR. Check your task network configuration."

IMAGE_TEXTS = [
    Case(
        PULLING,
        f"{PULL}The task can't pull the image. Check that the role has the permissions to pull images from the "
        "registry",
        Cause.IMAGE_PULL_FAILED,
        "ecr:BatchGetImage",
    ),
    *(
        Case(PULLING, f"{PULL}{words}", Cause.IMAGE_PULL_FAILED, "NAT gateway", transient=True)
        for words in (
            f"The task cannot pull 'shop' from the Amazon ECR repository '{IMAGE}'. {NO_WAY_TO_ECR}",
            "The task can't pull the image. Check your network configuration",
            f"API error (500): Get https://{IMAGE}/v2/: net/http: request canceled while waiting for connection",
            (
                "Error response from daemon: Get https://shop.invalid/v2/: net/http: request canceled while waiting "
                "for connection"
            ),
            "Context canceled",
        )
    ),
    *(
        Case(PULLING, f"{PULL}{words}", Cause.IMAGE_PULL_FAILED, "execution role", actor=Actor.USER, general=general)
        for words, general in (
            (
                f"pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}",
                "what went wrong stands behind these words, and the page leaves it out",
            ),
            (
                (
                    "ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed open: unexpected "
                    "status code"
                ),
                "the status stands behind these words, and the page leaves it out",
            ),
            ("error pulling image configuration", "what went wrong stands behind these words"),
            ("error pulling image conf", "what went wrong stands behind these words"),
        )
    ),
    Case(
        PULLING,
        f"{PULL}API error (404): repository 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/shop not found",
        Cause.IMAGE_PULL_FAILED,
        "repository",
        actor=Actor.USER,
    ),
    Case(
        PULLING,
        f"{PULL}write /var/lib/docker/tmp/GetImageBlob111111111: no space left on device",
        Cause.IMAGE_PULL_FAILED,
        "ephemeral_storage_gib",
        actor=Actor.USER,
    ),
    *(
        Case(PULLING, f"{PULL}{words}", Cause.IMAGE_PULL_FAILED, "repository_credentials", transient=True)
        for words in (
            "ERROR: toomanyrequests: Too Many Requests.",
            (
                "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: "
                "https://www.docker.com/increase-rate-limits."
            ),
        )
    ),
    Case(
        PULLING,
        f"{PULL}Error response from daemon: pull access denied",
        Cause.IMAGE_PULL_FAILED,
        "repository_credentials",
        actor=Actor.USER,
    ),
    Case(
        PULLING,
        f"{PULL}pull command failed: panic: runtime error: invalid memory address or nil pointer dereference",
        Cause.IMAGE_PULL_FAILED,
        "S3",
    ),
]

START_PAGE_TEXTS = [
    *IMAGE_TEXTS,
    # --- ResourceInitializationError
    Case(
        INITIALISING,
        f"{AUTH}The task cannot pull registry auth from Amazon ECR: {NO_WAY_TO_ECR}",
        Cause.IMAGE_PULL_FAILED,
        "ecr.api",
        transient=True,
    ),
    Case(
        INITIALISING,
        "ResourceInitializationError: The task cannot download the environment variable files from Amazon S3. There "
        "is a connection issue between the task and Amazon S3. Check your task network configuration.",
        Cause.TASK_DEFINITION,
        "gateway endpoint",
        transient=True,
    ),
    *(
        Case(INITIALISING, f"{AUTH}{words}", Cause.SECRETS, "TCP 443", transient=True)
        for words in (
            (
                "The task cannot pull secrets from AWS Systems Manager. There is a connection issue between the task "
                "and AWS Systems Manager Parameter Store. Check your task network configuration."
            ),
            (
                "The task can't pull secrets from Secrets Manager. There is a connection issue between the task and "
                "Secrets Manager. Check your task network configuration."
            ),
        )
    ),
    Case(
        INITIALISING,
        f"{AUTH}The task can't pull the secret from Secrets Manager. The task can't retrieve the secret with ARN "
        f"'{SECRET}' from Secrets Manager. Check whether the secret exists in the specified Region.",
        Cause.SECRETS,
        "exists",
    ),
    Case(
        INITIALISING,
        "ResourceInitializationError: pull command failed: unable to pull secrets or registry auth Check your task "
        "network configuration.",
        Cause.IMAGE_PULL_FAILED,
        "NAT gateway",
        transient=True,
    ),
    Case(
        INITIALISING,
        "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log "
        "group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. "
        "Check your network configuration.",
        Cause.TASK_DEFINITION,
        ".logs",
        transient=True,
    ),
    Case(
        INITIALISING,
        "ResourceInitializationError: failed to initialize logging driver",
        Cause.UNKNOWN,
        "log options",
    ),
    Case(
        INITIALISING,
        f"{EFS}something new",
        Cause.EFS_MOUNT_FAILED,
        "mount target",
    ),
    Case(
        "Troubleshooting Amazon ECS ResourceNotFoundException errors",
        f"ResourceNotFoundException: The task can't retrieve the secret with ARN '{SECRET}' from AWS Secrets Manager. "
        "Check whether the secret exists in the specified Region",
        Cause.SECRETS,
        "exists",
    ),
    # --- TaskFailedToStart
    Case(
        STARTING,
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
        "'subnet-1'",
        Cause.ENI_PROVISIONING,
        "larger task subnets",
        transient=True,
    ),
    Case(
        STARTING,
        "You've reached the limit on the number of vCPUs you can run concurrently",
        Cause.CAPACITY,
        "Service Quotas",
        transient=True,
    ),
    Case(
        STARTING,
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        Cause.CAPACITY,
        "Availability Zones",
        transient=True,
        actor=Actor.AWS,
    ),
    Case(
        STARTING,
        "Network interface provision complete error timeout wait for network interface provision",
        Cause.ENI_PROVISIONING,
        "this passes",
        transient=True,
        actor=Actor.AWS,
    ),
    *(
        Case(STARTING, f"TaskFailedToStart: {words}", Cause.CAPACITY, "FARGATE", transient=True)
        for words in (
            "RESOURCE:CPU",
            "RESOURCE:MEMORY",
            "RESOURCE:ENI",
            "AGENT",
            "NO ACTIVE INSTANCES",
            "EMPTY CAPACITY PROVIDER",
        )
    ),
    *(
        Case(STARTING, f"TaskFailedToStart: {words}", Cause.TASK_DEFINITION, "placement")
        for words in ("ATTRIBUTE", "MemberOf placement constraint unsatisfied")
    ),
    Case(
        STARTING,
        "The selected task definition is not compatible with the selected compute strategy",
        Cause.TASK_DEFINITION,
        "FARGATE",
    ),
    # --- one page for each name
    Case(
        "Troubleshooting Amazon ECS CannotStartContainerError errors",
        "CannotStartContainerError: failed to get container status: rpc error",
        Cause.OUT_OF_MEMORY,
        "memory limit",
        actor=Actor.USER,
    ),
    Case(
        "Troubleshooting Amazon ECS CannotCreateVolumeError errors",
        "CannotCreateVolumeError: rpc error",
        Cause.UNKNOWN,
        "mount points",
        actor=Actor.USER,
        general="the page has nothing but a placeholder behind the name",
    ),
    Case(
        "Troubleshooting Amazon ECS ContainerRuntimeError errors",
        "ContainerRuntimeError: failed to create container runtime task: rpc error",
        Cause.UNKNOWN,
        "support case",
        transient=True,
        actor=Actor.AWS,
        general="the page calls it an internal failure of the agent or containerd, whatever the words",
    ),
    *(
        Case(
            "Troubleshooting Amazon ECS ContainerRuntimeTimeoutError errors",
            f"{name}: Could not transition to running; timed out after waiting 1m: rpc error",
            Cause.UNKNOWN,
            "more CPU",
            transient=True,
            actor=Actor.AWS,
            general="the name and these words are all that the page has",
        )
        for name in ("ContainerRuntimeTimeoutError", "DockerTimeoutError")
    ),
    Case(
        "Troubleshooting Amazon ECS InternalError errors",
        "InternalError: something new",
        Cause.UNKNOWN,
        "support case",
        transient=True,
        actor=Actor.AWS,
        general="the page has no words behind the name",
    ),
    Case(
        "Amazon ECS stopped tasks error messages",
        "CannotCreateContainerError: API error (500): something new",
        Cause.UNKNOWN,
        "against this text",
        actor=Actor.USER,
        general="the page has nothing but a placeholder behind the name",
    ),
    Case(
        "CannotCreateContainerError: API error (500): devmapper",
        "CannotCreateContainerError: API error (500): devmapper: Thin Pool has 4350 free data blocks which is less "
        "than minimum required 4454 free data blocks. Create more free space in thin pool or use dm.min_free_space "
        "option to change behavior",
        Cause.TASK_DEFINITION,
        "ephemeral_storage_gib",
        actor=Actor.USER,
    ),
]
"""What a task says that failed to start."""
