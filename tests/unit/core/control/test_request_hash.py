"""A start may be repeated across an update: the same request is the same one to every version."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import Field

from core.control.claim import _request_hash
from core.launch import parse
from core.launch.binds import EfsBind
from core.launch.documents import Array
from core.launch.limits import Limits
from core.launch.parse import parse_start_request
from core.launch.request import StartRequest
from core.model.errors import Refused
from core.model.parts import Launching
from core.storage.item import to_item
from tests.factories import event, pending
from tests.unit.core.control.test_start_and_stop import Died
from tests.unit.core.launch.requests import DOCUMENTS
from tests.world import World

DOCUMENT = {**event("start-container"), "generation": 1}


class NewerLimits(Limits):
    """With a member more."""

    gpus: int = 0


class NewerBind(EfsBind):
    """With a member more."""

    owner: str | None = None


class Newer(StartRequest):
    """A version with members more, also in what its members hold."""

    shared_memory_mib: int | None = None
    sysctls: dict[str, str] = Field(default_factory=dict)
    limits: NewerLimits = NewerLimits()
    efs_binds: Array[NewerBind] = ()


@given(document=DOCUMENTS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])
def test_a_member_more_changes_no_hash(document: dict[str, Any]) -> None:
    """What a request does not set is not in it."""
    request = parse_start_request(document)
    assert _request_hash(Newer.model_validate(request.model_dump()), pending()) == _request_hash(request, pending())


def died_before_run_task(world: World) -> None:
    """A start whose record is claimed, and no more."""
    world.ecs.refusals["run"] = [Died()]
    with pytest.raises(Died):
        world.start(DOCUMENT, "older")
    world.clock.advance(5)


def test_a_start_is_repeated_by_a_newer_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the request of then it goes on; with another one it is refused."""
    world = World()
    died_before_run_task(world)
    monkeypatch.setattr(parse, "StartRequest", Newer)
    with pytest.raises(Refused, match="with another request"):
        world.start({**DOCUMENT, "shared_memory_mib": 64})
    assert world.start(DOCUMENT).task_arn is not None


def test_the_hash_of_versions_that_hashed_the_defaults_is_known() -> None:
    """A start that one of them began may be repeated."""
    world = World()
    died_before_run_task(world)
    record = world.record()
    request = parse_start_request(DOCUMENT).model_dump(mode="json", exclude={"generation"})
    key = (record.agent_token or "").encode()
    older = hmac.new(key, json.dumps(request, sort_keys=True).encode(), sha256).hexdigest()
    world.store.put_item(to_item(replace(record, launching=Launching(record.asked, older))))
    assert world.start(DOCUMENT).task_arn is not None
