"""Every parser by name, with what hypothesis draws for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz import documents, mutation, seeds, texts


@dataclass(frozen=True, slots=True)
class Target:
    """`inputs` are what hypothesis draws; `run` raises nothing for any of them. `binary`: they are bytes."""

    inputs: st.SearchStrategy[Any]
    run: Callable[[Any], None]
    binary: bool = False


TARGETS: Final = {
    "event": Target(mutation.documents(seeds.EVENT_SEEDS), documents.event),
    "description": Target(mutation.documents(seeds.TASK_SEEDS), documents.description),
    "answer": Target(mutation.documents(seeds.ANSWER_SEEDS), documents.answer),
    "start": Target(mutation.documents(seeds.START_SEEDS), documents.start_request),
    "docker": Target(mutation.documents(seeds.DOCKER_SEEDS), documents.start_request),
    "stop": Target(mutation.documents(seeds.STOP_SEEDS), documents.stop_request),
    "item": Target(mutation.documents(seeds.ITEM_SEEDS), documents.item),
    "message": Target(mutation.texts(seeds.MESSAGE_SEEDS), texts.message, binary=True),
    "health": Target(mutation.texts(seeds.HEALTH_SEEDS), texts.health, binary=True),
    "response": Target(mutation.responses(), texts.response, binary=True),
    "delivery": Target(mutation.texts(seeds.LINE_SEEDS), texts.delivery, binary=True),
    "scheduled": Target(mutation.documents(seeds.RECONCILE_SEEDS), documents.scheduled),
    "output": Target(mutation.texts(seeds.LINE_SEEDS), texts.output, binary=True),
    "recorded": Target(mutation.texts(seeds.EVENT_SEEDS), texts.recorded, binary=True),
}
