"""The record as its DynamoDB item, and back.

`ITEM` declares every attribute once: name, kind, when it is present, meaning and, where it has another name, the field.
Reading and writing, the table in docs/item.md and the records of the tests follow from it.

Attributes that this version does not know are a newer one's: each write keeps them, as long as the generation. While a
stack is updated, functions of both versions write the same items. An item of a newer schema, or with a word that this
version does not know, is not read, so it is not written over either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from core.model.agent import AgentFlavor, Injection
from core.model.capacity import Capacity
from core.model.errors import UnreadableRecord
from core.model.facts import ContainerSeen
from core.model.failure import Cause, ErrorCode, Failure
from core.model.families import DefinitionUse
from core.model.parts import (
    AgentWarning,
    Ask,
    Instant,
    Launch,
    Launching,
    Logs,
    Probe,
    Step,
    Stop,
    UnexplainedEnd,
    UnwantedTask,
)
from core.model.record import HISTORY_LIMIT, SCHEMA, Record
from core.model.state import ENDS, State, Trigger
from core.storage.attributes import (
    ALWAYS,
    BOOLEAN,
    FLAG,
    ID,
    INSTANT,
    INTEGER,
    SECONDS,
    STRINGS,
    TEXT,
    TEXTS,
    Kind,
    Map,
    Unusable,
    instants,
    list_of,
    map_of,
    word,
    word_but,
)

USE_ATTRIBUTES: Final = ("task_definition_arn", "state", "updated_at")
"""The attributes of an item that `definition_use` reads."""


def to_item(record: Record) -> dict[str, Any]:
    """The item of `record` in plain Python values, as boto3's `TypeSerializer` takes them. Absent is absent."""
    return ITEM.keep(ITEM.write(record), record.unknown)


def from_item(item: Mapping[str, Any]) -> Record:
    """The record of `item`, also as `TypeDeserializer` gives it, where every number is a `Decimal`.

    Raises `UnreadableRecord`, which names the attribute that is missing, of the wrong type, empty or of an unknown
    word; no value but an unknown word of an enumeration is shown.
    """
    try:
        record = ITEM.read(item)
    except Unusable as exc:
        container_id = item.get("container_id")
        named = container_id if isinstance(container_id, str) and container_id else "(without an id)"
        raise UnreadableRecord(named, str(exc).removeprefix(".")) from exc
    unknown = ITEM.unknown(item)
    return replace(record, unknown=unknown) if unknown else record


def definition_use(item: Mapping[str, Any]) -> DefinitionUse | None:
    """Reads an item, or the part of it that `USE_ATTRIBUTES` names; None when it names no definition. Never raises.

    More lenient than `from_item`: an item that this version cannot interpret still keeps its definition.
    """
    arn, state = item.get("task_definition_arn"), item.get("state")
    if not isinstance(arn, str):
        return None
    try:
        updated_at = INSTANT.read(item.get("updated_at"))
    except Unusable:
        updated_at = None
    return DefinitionUse(arn, isinstance(state, str) and state in ENDS, updated_at)


def _schema(value: Any) -> int:
    schema: int = INTEGER.read(value)
    if schema != SCHEMA:
        raise Unusable(f" is {schema}, and this version reads {SCHEMA}")
    return schema


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in words)


_FAILURE: Final = Map(
    Failure,
    ("code", word(ErrorCode), ALWAYS, "the kind of failure"),
    ("cause", word(Cause), "where one is known", "the diagnosed cause"),
    ("message", TEXT, "unless empty", "what happened, and the facts"),
    ("remedy", TEXT, "unless empty", "what to do next"),
    ("transient", BOOLEAN, ALWAYS, "true when the same request may succeed later without a change"),
    message="",
    remedy="",
)
_LOGS: Final = Map(
    Logs,
    ("group", TEXT, ALWAYS, "the log group"),
    ("stream_prefix", TEXT, ALWAYS, "how the names of its streams begin"),
    ("stream", TEXT, "while `task_arn` is", "`<stream_prefix>/main/<task id>`; the container's start makes it"),
)
_PROBE: Final = Map(
    Probe,
    ("attempts", INTEGER, ALWAYS, "the prober's tries at the agent"),
    ("last_error", TEXT, "see below", "the last connection error, or what keeps the prober from a verdict"),
    ("deadline", INSTANT, ALWAYS, "when the prober gives up; renewed when it has passed without a verdict"),
    ("silent_at", INSTANT, "until DescribeTasks has answered", "the prober's verdict that the agent did not answer"),
    ("remedy", TEXT, "with `last_error`", "what to do next"),
)
_WARNING: Final = Map(
    AgentWarning, ("message", TEXT, ALWAYS, "what is wrong"), ("remedy", TEXT, ALWAYS, "what to do next")
)
_STOP: Final = Map(
    Stop,
    ("code", TEXT, "once ECS shows it", "ECS's stopCode"),
    ("reason", TEXT, "once ECS shows it", "ECS's text"),
    ("exit_code", INTEGER, "once ECS shows it", "in `stopped` that of the container's own process, in `failed` ECS's"),
    ("requested", FLAG, "when true", "the backend requested the end"),
    ("unconfirmed", FLAG, "when true", "StopTask may have failed, so it is called again until ECS shows the end"),
    ("reported", FLAG, "when true", "the agent reported the end and its `exit_code`, so ECS's is not taken"),
    ("expired", FLAG, "when true", "`max_lifetime` passed, so the task was stopped"),
    ("oom_killed", FLAG, "when true", "the container was killed for the memory it used"),
    ("cause", word(Cause), "`stopped`, where one is known", "a word of `error.cause`"),
)
_STEP: Final = Map(
    Step,
    ("at", INSTANT, ALWAYS, "when"),
    ("from", word(State), ALWAYS, "the state before", "origin"),
    ("to", word(State), ALWAYS, "the state after"),
    ("trigger", word(Trigger), ALWAYS, "what happened"),
)
_LAUNCH: Final = Map(
    Launch,
    ("at", INSTANT, ALWAYS, "when it was given up"),
    ("task_arn", TEXT, "unless ECS refused to start one", "its task, which never ran the container"),
    ("error", map_of(_FAILURE), ALWAYS, "why, with the members of `error`", "failure"),
)
_ASK: Final = Map(Ask, ("by", TEXT, ALWAYS, "the invocation"), ("at", INSTANT, ALWAYS, "since when"))
_LAUNCHING: Final = Map(
    Launching,
    ("asked", list_of(_ASK), "unless empty", "each start that asks ECS for the task"),
    ("request_hash", TEXT, "when known", "keyed hash of the start request. While a task may exist, another is refused"),
)
_UNWANTED_TASK: Final = Map(
    UnwantedTask, ("task_arn", TEXT, ALWAYS, "the task"), ("at", INSTANT, ALWAYS, "since when it is known")
)
_CONTAINER_SEEN: Final = Map(
    ContainerSeen,
    ("name", TEXT, "where ECS gives one", "the container"),
    ("last_status", TEXT, "where ECS gives one", "as ECS gave it"),
    ("exit_code", INTEGER, "once ECS shows it", "as ECS gave it"),
    ("reason", TEXT, "where ECS gives one", "as ECS gave it"),
    ("image", TEXT, "where ECS gives one", "as ECS gave it"),
    name="",
    last_status="",
)
_UNEXPLAINED_END: Final = Map(
    UnexplainedEnd,
    ("at", INSTANT, ALWAYS, "when the end became known"),
    ("container", TEXT, ALWAYS, "whose output is read"),
    ("containers", list_of(_CONTAINER_SEEN), "unless empty", "the containers of the task"),
    ("reason", TEXT, "where ECS gives one", "the task's"),
)

ITEM: Final = Map(
    Record,
    ("container_id", ID, ALWAYS, "the key: 64 lowercase hex characters"),
    ("schema", Kind("N", _schema, int), ALWAYS, f"{SCHEMA}"),
    ("state", word(State), ALWAYS, _listed(State)),
    ("generation", INTEGER, ALWAYS, "1 for the first start of this container, +1 for every later one"),
    ("revision", INTEGER, ALWAYS, "+1 with every write, also across generations"),
    ("task_version", INTEGER, ALWAYS, "`version` of the ECS task, of the newest event that changed more than it; or 0"),
    ("cluster_arn", TEXT, "from the start on", "the cluster"),
    ("task_arn", TEXT, "from the task's first event on", "as ECS gave it"),
    ("task_definition_arn", TEXT, "from the task's first event on", "as ECS gave it"),
    ("image", TEXT, "from the start on", "as requested"),
    ("injection", word(Injection), "from the start on", _listed(Injection)),
    ("entrypoint", STRINGS, "unless empty", "as requested, before the agent was put in front"),
    ("cmd", STRINGS, "unless empty", "as requested, before the agent was put in front"),
    ("keep_alive", BOOLEAN, ALWAYS, "the command only kept the container alive, so the agent runs no child"),
    ("agent_flavor", word_but(AgentFlavor.SPEC), "unless `spec`", _listed(AgentFlavor)),
    ("capacity", word_but(Capacity.ON_DEMAND), "unless `on-demand`", f"as requested: {_listed(Capacity)}"),
    ("capacity_provider", TEXT, "where ECS shows one", "as ECS gave it: `FARGATE`, `FARGATE_SPOT`"),
    ("labels", TEXTS, "unless empty", "as requested, whatever AWS takes of them as tags"),
    ("logs", map_of(_LOGS), "where a log group is configured", "the main container's output in CloudWatch Logs"),
    ("agent_address", TEXT, "`eni-resolved` to the end", "host:port, [IPv6]:port. Trust it in `agent-healthy` only"),
    ("early_address", TEXT, "`pending`, with `EarlyProbe`", "what ECS shows before the task runs. For the prober only"),
    ("agent_token", TEXT, "until the end", "the bearer token of this generation"),
    ("created_at", INSTANT, ALWAYS, "when this generation was recorded"),
    ("updated_at", INSTANT, ALWAYS, "the last write"),
    ("timings", instants(Instant), "growing", f"{_listed(Instant)}: ECS's own, but `resolved`, `healthy` and `exited`"),
    ("probe", map_of(_PROBE), "from `eni-resolved` on", "what the prober knows of the agent"),
    ("warning", map_of(_WARNING), "where there is one", "the agent answers, and something is wrong all the same"),
    ("error", map_of(_FAILURE), "`failed`", "why the container failed"),
    ("stop", map_of(_STOP), "once the end is in sight", "how the task ended"),
    ("history", list_of(_STEP), "after the first transition", f"the newest {HISTORY_LIMIT} transitions"),
    ("launches", list_of(_LAUNCH), "after a launch was given up", "earlier launches of this generation, all failed"),
    ("launching", map_of(_LAUNCHING), "until a task of the current launch is known", "the starts that call RunTask"),
    ("unwanted_tasks", list_of(_UNWANTED_TASK), "seldom", "other tasks of this container, to be stopped"),
    (
        "unexplained",
        map_of(_UNEXPLAINED_END),
        "seconds, where only the output explains the end",
        "what ECS showed of it. Address and token are gone; `stopped` or `failed` follows when the output is read",
    ),
    ("health_timeout", SECONDS, "when the request named it", "seconds, instead of the stack's"),
    ("start_timeout", SECONDS, "when the request named it", "seconds, instead of the stack's"),
    ("security_groups", STRINGS, "when the request named some", "beside the stack's; another launch has them too"),
    ("max_lifetime", SECONDS, "when the request or the stack named it", "seconds from `timings.started` to the stop"),
    ("token_parameter", TEXT, "`ssm` delivery", "the SecureString with the token, until it is deleted"),
    ("watch", TEXT, "while work is left", "shard of the reconciler: key of the sparse index `watch-index`"),
    ("check_at", INSTANT, "while work is left", "when the reconciler checks next: key of `watch-index`"),
    ("expires_at", INTEGER, "`failed`, `stopped`", "time to live, epoch seconds. Treat an item past it as gone"),
)
