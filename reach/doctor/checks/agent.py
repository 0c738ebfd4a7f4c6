"""The agent: its image's processor, its flavor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from core.launch.request import Platform
from core.model.agent import Injection
from core.model.state import State
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Agent
from reach.doctor.findings import Finding, Unknown, ok, wrong

_ARCHITECTURES: Final = {"amd64": Platform.X86_64, "arm64": Platform.ARM64}
"""As images spell them (OCI image specification, image index)."""


def agent_source(stack: Deployed, _: Agent) -> Iterator[Finding]:
    """The stack has a way for the agent to get into a container."""
    if stack.injection is Injection.INIT_CONTAINER and not stack.parameter("AgentImage"):
        yield wrong(
            "There is neither a file system with the agent nor an AgentImage, so the stack refuses every start.",
            "sam deploy --parameter-overrides with EfsFileSystemId=..., S3FilesFileSystemArn=... or AgentImage=...",
        )
    else:
        yield ok("{injection}", injection=str(stack.injection))


def agent_image(_: Deployed, agent: Agent) -> Iterator[Finding]:
    """AgentImage is in its repository, for the processor of the containers."""
    if not agent.image:
        return
    found = agent.manifest.value
    if found is None:
        yield wrong(
            "{image} is not in its repository, so no container starts.",
            "docker push {image}, or sam deploy --parameter-overrides AgentImage=... with one that aws ecr "
            "describe-images shows",
            image=agent.image,
        )
        return
    platforms = _platforms(json.loads(found["imageManifest"]))
    if not platforms:
        yield Unknown(f"the processor of {agent.image}: its manifest is for one, and does not say for which")
    elif agent.platform in platforms:
        yield ok("{image} for {platforms}", image=agent.image, platforms=[str(one) for one in platforms])
    else:
        yield wrong(
            "{image} is for {platforms}, and containers are {wanted}: they end as agent-wrong-architecture.",
            "docker buildx build --platform linux/amd64,linux/arm64 --push; or the other platform in the requests, and "
            "reach doctor --architecture",
            image=agent.image,
            platforms=[str(one) for one in platforms],
            wanted=str(agent.platform),
        )


def agent_flavor(stack: Deployed, agent: Agent) -> Iterator[Finding]:
    """The agents that run show their child, as agents of AgentFlavor do."""
    healthy = [one for one in agent.live.value if one.state is State.AGENT_HEALTHY]
    warned = [one for one in healthy if one.warning is not None]
    flavor = stack.parameter("AgentFlavor")
    if warned:
        yield wrong(
            "The agents of {count} of {healthy} healthy containers show no child ({container}), and AgentFlavor is "
            "{flavor}.",
            "reach why {container}; if the agent is the other one: sam deploy --parameter-overrides AgentFlavor=...",
            count=len(warned),
            healthy=len(healthy),
            container=warned[0].container_id[:12],
            flavor=flavor,
        )
    elif healthy:
        yield ok("{flavor}, as {healthy} healthy containers show", flavor=flavor, healthy=len(healthy))
    else:
        yield Unknown(f"whether the agent is of the flavor {flavor}: no container is healthy now. --canary starts one")


def _platforms(manifest: dict[str, Any]) -> list[Platform]:
    """Of an index. The manifest of one platform does not name it: its configuration does, which is a layer."""
    named = (one.get("platform", {}).get("architecture") for one in manifest.get("manifests", ()))
    return [_ARCHITECTURES[one] for one in named if one in _ARCHITECTURES]
