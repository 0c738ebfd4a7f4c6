"""The agent's image, and the agents that run."""

from __future__ import annotations

from typing import Final

from core.model.agent import Injection
from core.model.errors import CallFailed
from core.model.record import Record
from reach.doctor.asking import Aws, denied
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Agent, Given
from reach.doctor.knowledge import Document, NotAsked, NotKnown, fact
from reach.doctor.reads import CONTAINERS, IMAGE
from reach.doctor.rules.ecr import ecr_image

_MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def gather(aws: Aws, stack: Deployed, given: Given) -> Agent:
    """Asks about AgentImage, where it is what brings the agent, and for the live containers."""
    image = stack.parameter("AgentImage") if stack.injection is Injection.INIT_CONTAINER else ""
    return Agent(
        image=image,
        manifest=fact(lambda: _manifest(aws, stack, image)),
        live=fact(lambda: _live(aws, stack)),
        platform=given.platform,
    )


def _manifest(aws: Aws, stack: Deployed, image: str) -> Document | None:
    found = ecr_image(image)
    if found is None:
        raise NotKnown(NotAsked(f"the processor of {image}: only ECR is asked"))
    if found.region != stack.region:
        raise NotKnown(NotAsked(f"the processor of {image}: it is in {found.region}"))
    answer = aws.ask(
        IMAGE,
        registryId=found.account,
        repositoryName=found.repository,
        imageIds=[found.id],
        acceptedMediaTypes=list(_MANIFESTS),
    )
    return answer["images"][0] if answer and answer["images"] else None


def _live(aws: Aws, stack: Deployed) -> list[Record]:
    """The records of the containers that have not ended."""
    from core.adapters.clients import reach_client  # noqa: PLC0415 - brings boto3

    table = stack.outputs.get("ContainersTableName")
    if not table:
        raise NotKnown(NotAsked("the stack has no output ContainersTableName"))
    try:
        return list(reach_client(table, aws.client("dynamodb")).list().records.values())
    except CallFailed as failed:
        raise NotKnown(denied(failed.code, failed.message, CONTAINERS[0])) from failed
