"""Rows for images that could not be pulled, and for AWS calls of the start that were throttled.

Source: ECS Developer Guide, "CannotPullContainer task errors in Amazon ECS", unless a row says otherwise.
"""

from __future__ import annotations

from typing import Final

from core.diagnosis.model import Actor, Row
from core.errors import Cause

_PULL: Final = r"(cannotpull|can.?t pull|\bpull|failed to (copy|resolve|do request)|registry|manifest|/v2/|\becr\b)"
_NO_ANSWER: Final = (
    r"(connection issue|i/o timeout|deadline exceeded|request ?cancell?ed|context cancell?ed|tls handshake timeout|"
    r"connection (refused|reset)|network is unreachable|no route to host|send failed|client\.timeout|"
    r"awaiting headers|network configuration|unexpected eof|: eof)"
)
_ROUTE: Final = (
    "Give the task's subnet a route to the registry: a NAT gateway; or a public subnet with a public IP "
    "(AssignPublicIp); or, for ECR, the interface endpoints com.amazonaws.<region>.ecr.api and .ecr.dkr (TCP 443 from "
    "the task's security group) with a gateway endpoint for S3. TCP 443 must be let out of that security group."
)

RATE_LIMITS: Final = (
    # Docker Hub, and ECR Public's "toomanyrequests: Rate exceeded".
    Row(
        patterns=(r"toomanyrequests", r"pull rate limit", r"429 too many requests"),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The registry limits how often images may be pulled",
        remedy="Pull from a private ECR repository or through an ECR pull-through cache, or give the registry's "
        "credentials (repositoryCredentials); the limit also passes with time.",
        transient=True,
        start_failed=True,
    ),
    # amazon-ecs-agent, on GetAuthorizationToken; moby #42088, on CreateLogStream.
    Row(
        patterns=(r"throttlingexception", r"\brate exceeded", r"requestlimitexceeded", r"errorcode: throttling"),
        cause=Cause.THROTTLED,
        summary="AWS throttled a call that the start needs",
        remedy="Start the container again in a moment. If it repeats, start fewer containers at once or have the "
        "quota of the named call raised.",
        transient=True,
        actor=Actor.AWS,
        start_failed=True,
    ),
)

IMAGES: Final = (
    Row(
        patterns=(r"descriptor matching platform", r"no match(ing manifest)? for (linux|windows|platform)"),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The image does not exist for the task's CPU architecture",
        remedy="Build it for that platform (docker buildx build --platform linux/amd64,linux/arm64), or start the "
        "container with the platform that the image has (X86_64 or ARM64).",
        actor=Actor.USER,
        start_failed=True,
    ),
    # amazon-ecs-developer-guide #42; containers-roadmap #384, #1598; sst #3542.
    Row(
        patterns=(rf"({_PULL}|layer).*(no space left|not enough space)",),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The image does not fit on the task's disk",
        remedy="Ask for more ephemeral storage (21 to 200 GiB; 20 is the default and also holds the unpacked image), "
        "or make the image smaller.",
        actor=Actor.USER,
        start_failed=True,
    ),
    Row(
        patterns=(r"no space left on device",),
        cause=Cause.TASK_DEFINITION,
        summary="The task's disk is full",
        remedy="Ask for more ephemeral storage: 21 to 200 GiB.",
        actor=Actor.USER,
        start_failed=True,
    ),
    Row(
        patterns=(
            r"role has the permissions to pull",
            r"not authorized to perform: ecr",
            r"(ecr|registry).*access ?denied",
            r"no basic auth credentials",
        ),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The execution role may not pull the image",
        remedy="Give the task EXECUTION role the policy AmazonECSTaskExecutionRolePolicy (ecr:GetAuthorizationToken, "
        "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer) and, for a repository of another account, a repository policy "
        "that lets it in. Check that the image exists.",
        start_failed=True,
    ),
    # Before the addresses that do not answer: a name that does not exist never will.
    Row(
        patterns=(rf"{_PULL}.*(no such host|server misbehaving)",),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The registry's name does not resolve",
        remedy="Check the registry's host in the image name, and that DNS resolution is enabled in the VPC.",
        actor=Actor.USER,
        start_failed=True,
    ),
    Row(
        patterns=(
            rf"{_PULL}.*{_NO_ANSWER}",
            r"request canceled while waiting for connection",
            r"^context cancell?ed",
        ),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The task could not reach the registry",
        remedy=_ROUTE,
        transient=True,
        start_failed=True,
    ),
    Row(
        patterns=(rf"{_PULL}.*(\b50[0234]\b|internal server error|bad gateway|service unavailable|gateway timeout)",),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The registry failed",
        remedy="Start the container again; if it repeats, look at the registry's own status.",
        transient=True,
        actor=Actor.AWS,
        start_failed=True,
    ),
    # The page's reading of it: layers come from S3, and S3 is out of reach.
    Row(
        patterns=(r"pull.*nil pointer dereference",),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The image's layers could not be fetched from S3",
        remedy=_ROUTE,
        start_failed=True,
    ),
    Row(
        patterns=(
            r"pull access denied",
            r"insufficient_scope",
            r"authorization failed",
            r"failed to authorize",
            rf"{_PULL}.*(\b40[13]\b|unauthorized|forbidden|denied)",
        ),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The registry refused the image: it is private, or there is no such repository",
        remedy="Check the image name; for a private registry give repositoryCredentials, for ECR check the repository "
        "policy and the task execution role.",
        actor=Actor.USER,
        start_failed=True,
    ),
    Row(
        patterns=(
            r"manifest unknown",
            r"name[ _]unknown",
            r"requested image not found",
            r"cannotpullimagemanifesterror",
            r"invalid reference format",
            rf"{_PULL}.*(not found|does not exist)",
        ),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="There is no such image or tag",
        remedy="Check registry, repository and tag of the image, and that it was pushed to the Region it is named in.",
        actor=Actor.USER,
        start_failed=True,
    ),
    Row(
        patterns=(
            r"cannotpull(ecr)?(container|image)",
            r"pull (command|image manifest)|ref pull",
            r"pulling image conf",
            r"(ecr|pull) registry auth",
        ),
        cause=Cause.IMAGE_PULL_FAILED,
        summary="The image could not be pulled",
        remedy="Check that the image and tag exist, that the task execution role may pull it, and that the subnet has "
        "a route to the registry.",
        actor=Actor.USER,
        start_failed=True,
    ),
)
