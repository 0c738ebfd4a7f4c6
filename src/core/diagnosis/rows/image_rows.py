"""Rows for images that Fargate could not pull or cannot use.

Source: ECS Developer Guide, "CannotPullContainer task errors in Amazon ECS", unless a row says otherwise.
"""

from functools import partial
from typing import Final

from core.diagnosis.row import Actor, start_row, status
from core.diagnosis.rows.access_rows import RETRY_SLOWER, THROTTLING
from core.model.failure import Cause

_image = partial(start_row, cause=Cause.IMAGE_PULL_FAILED, actor=Actor.USER)

# Excludes "unable to pull secrets or registry auth", which begins texts about secrets as well.
_PULL: Final = (
    r"(cannotpull|\bpull(ing)?\b(?! secrets)|failed to (copy|resolve|do request)|\bregistry\b(?! auth)|manifest|"
    r"\becr\b)"
)
_NO_ANSWER: Final = (
    r"(connection issue|i/o timeout|deadline exceeded|request ?cancell?ed|context cancell?ed|tls handshake timeout|"
    r"connection (refused|reset)|network is unreachable|no route to host|send request failed|request send failed|"
    r"client\.timeout|awaiting headers|network configuration|unexpected eof|: eof|signal: killed)"
)
_ROUTE: Final = (
    "Give the task's subnet a route to the registry: a NAT gateway; or a public subnet with a public IP "
    "(AssignPublicIp); or, for ECR, the interface endpoints com.amazonaws.<region>.ecr.api and .ecr.dkr (TCP 443 from "
    "the task's security group) with a gateway endpoint for S3. TCP 443 must be let out of that security group."
)

THROTTLED_STARTS: Final = (
    # Docker Hub, and ECR Public's "toomanyrequests: Rate exceeded".
    _image(
        pattern=r"toomanyrequests|pull rate limit|429 too many requests",
        summary="The registry limits how often images may be pulled",
        remedy="Pull from a private ECR repository or through an ECR pull-through cache, or give the registry's "
        "credentials (`repository_credentials` of the start request); the limit also passes with time.",
        may_pass=True,
        actor=Actor.OPERATOR,
    ),
    # amazon-ecs-agent, on GetAuthorizationToken.
    _image(
        pattern=rf"{_PULL}.*{THROTTLING}",
        summary="AWS throttled the pull of the image",
        remedy=RETRY_SLOWER,
        actor=Actor.AWS,
    ),
    # If the text names the throttled part, another row names its cause. On CreateLogStream: moby #42088.
    start_row(
        pattern=THROTTLING,
        cause=Cause.THROTTLED,
        summary="AWS throttled a call that the start needs",
        remedy=RETRY_SLOWER,
        actor=Actor.AWS,
    ),
)

IMAGES: Final = (
    _image(
        pattern=r"descriptor (matching|for) platform|no match(ing manifest)? for (linux|windows|platform)|"
        r"no child with platform|(specified|detected|requested) platform|cannot be used on this platform",
        summary="The image does not exist for the task's CPU architecture",
        remedy="Build it for that platform (docker buildx build --platform linux/amd64,linux/arm64), or start the "
        "container with the `platform` that the image has (X86_64 or ARM64).",
    ),
    # containerd's words about an attestation that buildx pushes beside an image, a Helm chart, or another artifact.
    _image(
        pattern=r"stream processor|no processor for media.?type|mismatched image rootfs|"
        r"(unknown|unsupported|unexpected|unrecognized|unrecognised) (manifest |config )?media.?type|"
        r"media.?type.{0,40}no longer supported",
        summary="What the tag or digest names is no runnable image",
        remedy="Push an image under it: what is there holds an attestation or another artifact. With buildx: docker "
        "buildx build --provenance=false --sbom=false --push; of a digest, take the one of the image itself.",
    ),
    # amazon-ecs-developer-guide #42; containers-roadmap #384, #1598; sst #3542.
    _image(
        pattern=rf"({_PULL}|layer).*(no space left|not enough space)",
        summary="The image does not fit on the task's disk",
        remedy="Ask for more ephemeral storage (`ephemeral_storage_gib`, 21 to 200; 20 GiB is the default and also "
        "holds the unpacked image), or make the image smaller.",
    ),
    start_row(
        pattern=r"no space left on dev|free data blocks",
        cause=Cause.TASK_DEFINITION,
        summary="The task's disk is full",
        remedy="Ask for more ephemeral storage: `ephemeral_storage_gib`, 21 to 200 GiB.",
        actor=Actor.USER,
    ),
    _image(
        pattern=r"role has the permissions to pull|not authorized to perform: ecr|(ecr|registry).*access ?denied|"
        r"no basic auth credentials",
        summary="The execution role may not pull the image",
        remedy="Give the task EXECUTION role the policy AmazonECSTaskExecutionRolePolicy (ecr:GetAuthorizationToken, "
        "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer) and, for a repository of another account, a repository policy "
        "that lets it in. Check that the image exists.",
        actor=Actor.OPERATOR,
    ),
    # Before registries that do not answer: a name that does not exist is not transient.
    _image(
        pattern=rf"{_PULL}.*(no such host|server misbehaving)",
        summary="The registry's name does not resolve",
        remedy="Check the registry's host in the image name, and that DNS resolution is enabled in the VPC.",
    ),
    _image(
        pattern=r"x509:|certificate signed by|gave http response to https",
        summary="The registry's TLS certificate is not accepted",
        remedy="Use a registry with a certificate of a public authority: a Fargate task trusts no other, and pulls "
        "over TLS only.",
    ),
    _image(
        pattern=rf"{_PULL}.*{_NO_ANSWER}|request canceled while waiting for connection|^context cancell?ed",
        summary="The task could not reach the registry",
        remedy=_ROUTE,
        may_pass=True,
        actor=Actor.OPERATOR,
    ),
    _image(
        pattern=rf"{_PULL}.*({status('50[0234]')}|internal server error|bad gateway|service unavailable|"
        r"gateway timeout)",
        summary="The registry failed",
        remedy="Start the container again; if it repeats, look at the registry's own status.",
        actor=Actor.AWS,
    ),
    # The ECS page explains it: layers come from S3, and S3 is out of reach.
    _image(
        pattern=r"pull.*nil pointer dereference",
        summary="The image's layers could not be fetched from S3",
        remedy=_ROUTE,
        actor=Actor.OPERATOR,
    ),
    _image(
        pattern=r"pull access denied|insufficient_scope|authorization failed|failed to authorize|"
        rf"{_PULL}.*({status('40[13]')}|unauthorized|forbidden|denied)",
        summary="The registry refused the image: it is private, or there is no such repository",
        remedy="Check the image name; for a private registry give `repository_credentials` in the start request (the "
        "ARN of a secret in Secrets Manager that the task EXECUTION role may read), for ECR check the repository "
        "policy and that role.",
    ),
    _image(
        pattern=r"manifest unknown|name[ _]unknown|requested image not found|cannotpullimagemanifesterror|"
        rf"invalid reference format|{_PULL}.*(not found|does not exist)",
        summary="There is no such image or tag",
        remedy="Check registry, repository and tag of the image, and that it was pushed to the Region it is named in.",
    ),
    _image(
        pattern=r"cannotpull(ecr)?(container|image)|pull (command|image manifest)|ref pull|pulling image conf|"
        r"(ecr|pull) registry auth",
        summary="The image could not be pulled",
        remedy="Check that the image and tag exist, that the task execution role may pull it, and that the subnet has "
        "a route to the registry.",
    ),
)
