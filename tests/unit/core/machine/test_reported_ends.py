"""Ends that people reported, from ECS's document to the record: what is failed, and what is launched again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from core.machine.apply import apply
from core.machine.task_documents import observe_event
from core.model.facts import TaskObserved
from core.model.failure import Cause
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from tests.factories import at, event, pending

PULL = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
AUTH = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve ecr registry auth: service call has been retried 5 time(s): RequestError: send request failed caused "
    "by: Post "
)


@dataclass(frozen=True, slots=True)
class Report:
    """What differs from `events/task-failed-image-pull.json`, and what the record says; `again`: launched again."""

    what: str
    detail: dict[str, Any]
    cause: Cause
    says: str
    remedy: str
    again: bool = False
    container: dict[str, Any] = field(default_factory=lambda: {"reason": None})


REPORTS = [
    Report(
        "a tag that looks like a status",
        {"stoppedReason": f"{PULL}docker.io/team/app:500: docker.io/team/app:500: not found"},
        Cause.IMAGE_PULL_FAILED,
        "There is no such image or tag",
        "tag",
    ),
    Report(
        "an image without a registry, named as Docker names it",
        {"stoppedReason": "CannotPullContainerError: manifest for i-o-timeout:503 not found"},
        Cause.IMAGE_PULL_FAILED,
        "There is no such image or tag",
        "tag",
        container={"reason": None, "image": "i-o-timeout:503"},
    ),
    Report(
        "a private registry",
        {
            "stoppedReason": f"{PULL}registry.example.com/team/app:1: unexpected status code [manifests 1]: 401 "
            "Unauthorized"
        },
        Cause.IMAGE_PULL_FAILED,
        "The registry refused the image",
        "`repository_credentials`",
    ),
    Report(
        "no variant for the architecture",
        {"stoppedReason": None},
        Cause.IMAGE_PULL_FAILED,
        "does not exist for the task's CPU architecture",
        "--platform",
        container={"reason": "CannotPullContainerError: failed to find a descriptor for platform {linux/amd64}"},
    ),
    Report(
        "an attestation for an image",
        {
            "stoppedReason": "CannotPullContainerError: ref pull has been retried 1 time(s): failed to unpack image on "
            f"snapshotter overlayfs: failed to extract layer sha256:{'c0' * 32}: failed to get stream processor for "
            "application/vnd.in-toto+json: no processor for media-type: unknown"
        },
        Cause.IMAGE_PULL_FAILED,
        "no runnable image",
        "--provenance=false",
    ),
    Report(
        "a container that ended before it was seen",
        {"stoppedReason": None},
        Cause.OUT_OF_MEMORY,
        "memory is too small",
        "`limits.memory_mib`",
        container={"reason": "CannotStartContainerError: failed to get container status: container exited"},
    ),
    *(
        Report(
            f"no route to ECR, {what}",
            {"stoppedReason": f"{AUTH}{rest}"},
            Cause.IMAGE_PULL_FAILED,
            "could not reach the registry",
            "NAT gateway",
            again=True,
        )
        for what, rest in (
            ("cut by ECS", "https://api.ecr...."),
            (
                "whole",
                '"https://api.ecr.eu-central-1.amazonaws.com/": dial tcp 10.9.9.9:443: i/o timeout. Please check.',
            ),
        )
    ),
    Report(
        "a termination notice for a task that never started",
        {"stopCode": "TerminationNotice", "stoppedReason": None},
        Cause.UNKNOWN,
        "a termination notice, and does not say why",
        "neither that the task ran on Spot",
        again=True,
    ),
    Report(
        "the same on Spot",
        {"stopCode": "TerminationNotice", "stoppedReason": None, "capacityProviderName": "FARGATE_SPOT"},
        Cause.SPOT_INTERRUPTION,
        "Spot took its capacity back",
        "FARGATE_SPOT",
        again=True,
    ),
]


def ended(report: Report, policy: Policy) -> Record:
    document = event("task-failed-image-pull")
    document["detail"] |= report.detail
    document["detail"]["containers"][0] |= report.container
    fact = observe_event(document, prefix="sockerless", at=at(100))
    assert isinstance(fact, TaskObserved)
    after = apply(pending(), fact, policy)
    assert isinstance(after, Record)
    return after


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.what)
def test_a_reported_end_is_told_as_it_was(report: Report) -> None:
    """The item has the cause, the text and the remedy when no launch follows."""
    after = ended(report, Policy(launch_attempts=1))
    assert after.state is State.FAILED
    assert after.error is not None
    assert (after.error.cause, after.error.transient) == (report.cause, report.again)
    assert report.says in after.error.message
    assert report.remedy in after.error.remedy


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.what)
def test_only_what_may_pass_is_launched_again(report: Report) -> None:
    """`transient` decides: an image tag 500 is no server error, the cut text of a missing route is still one."""
    after = ended(report, Policy(launch_attempts=2))
    assert (after.state is State.PENDING) == report.again
