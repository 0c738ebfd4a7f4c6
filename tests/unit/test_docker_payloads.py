"""The recorded payloads of `docker create` are whole, and hold nothing of the machine that recorded them."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.docker_payloads import commands
from tests.docker_payloads.record import HERE, Engine, packed

CLIENTS: Final = ("docker_cli", "docker_compose", "docker_py", "testcontainers")
RECORDED: Final[dict[str, list[dict[str, Any]]]] = {
    client: json.loads((HERE / f"{client}.json").read_text()) for client in CLIENTS
}
MEMBERS: Final = json.loads((HERE / "members.json").read_text())["types"]
FORBIDDEN: Final = {
    "a token": r"(?i)\bbearer |\bgh[opsu]_\w{20}|\bglpat-|\bA[KS]IA[0-9A-Z]{16}|\beyJ\w{10}|BEGIN [A-Z ]*PRIVATE KEY",
    "a home directory": r"(?<![\w.-])/(home|root|Users)/",
    "a temporary directory": r"(?<![\w.-])/(tmp|var/folders)/\w",
}


def documents() -> list[dict[str, Any]]:
    return [document for documents in RECORDED.values() for document in documents]


def strays(kind: str, value: Any, path: str) -> Iterator[str]:
    """The members that the API's definition does not have, at any depth."""
    if value is None:
        return
    if kind.startswith("["):
        for one in value:
            yield from strays(kind[1:-1], one, f"{path}[]")
    elif kind.startswith("{"):
        for name, one in value.items():
            yield from strays(kind[1:-1], one, f"{path}.{name}")
    elif kind in MEMBERS:
        for name, one in value.items():
            if name in MEMBERS[kind]:
                yield from strays(MEMBERS[kind][name]["type"], one, f"{path}.{name}")
            else:
                yield f"{path}.{name}"


def stray_members(document: dict[str, Any]) -> list[str]:
    return [*strays("Query", document["query"], "?"), *strays("Create", document["body"], "")]


@pytest.fixture(autouse=True)
def _inheritance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body is a ContainerConfig with two members more, and a HostConfig has those of Resources."""
    monkeypatch.setitem(MEMBERS, "Create", MEMBERS["ContainerConfig"] | MEMBERS["Body"])
    monkeypatch.setitem(MEMBERS, "HostConfig", MEMBERS["HostConfig"] | MEMBERS["Resources"])


def test_every_recorded_member_is_in_the_list() -> None:
    """But for one: with `network=` alone, docker-py names the network where the API has EndpointsConfig."""
    found = {(document["client"].split()[0], stray) for document in documents() for stray in stray_members(document)}
    assert found == {("docker-py", ".NetworkingConfig.shop")}


def test_every_member_is_known_in_a_range_of_versions() -> None:
    """`first` and `last` are versions, in this order, and `what` is one line."""
    for kind, members in MEMBERS.items():
        for name, member in members.items():
            first, last = (int(member[end].removeprefix("1.")) for end in ("first", "last"))
            assert first <= last <= 51, (kind, name)
            assert member["what"], (kind, name)
            assert "\n" not in member["what"], (kind, name)


def test_every_command_line_is_recorded_once() -> None:
    """Once for each client and API version, and none is left over from an older list."""
    keys = [(one["client"], one["api_version"], tuple(one["command"])) for one in documents()]
    assert len(set(keys)) == len(keys)
    listed = {
        "docker_cli": {tuple(shlex.split(line)) for line in commands.lines("docker_cli")},
        "docker_compose": {tuple(shlex.split(line)) for line in commands.COMPOSE},
        "docker_py": {(line,) for line in commands.lines("docker_py")},
        "testcontainers": {(line,) for line in commands.lines("testcontainers")},
    }
    assert {client: {tuple(one["command"]) for one in RECORDED[client]} for client in CLIENTS} == listed


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_recording_holds(what: str) -> None:
    text = "\n".join((HERE / f"{client}.json").read_text() for client in CLIENTS)
    assert not re.search(FORBIDDEN[what], text)


def test_no_recording_holds_the_name_of_a_host() -> None:
    """A client that fills in its own machine's name would say what the command line does not."""
    for document in documents():
        said = json.dumps([document["command"], document.get("compose_file")])
        for member in ("Hostname", "Domainname"):
            assert document["body"].get(member, "") in said, document["command"]


def test_the_stub_keeps_what_it_is_asked_to_create() -> None:
    """With the path and the query of the request."""
    engine = Engine()
    thread = threading.Thread(target=engine.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", engine.server_port, timeout=5)
        connection.request("POST", "/v1.51/containers/create?name=web", json.dumps({"Image": "alpine"}))
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["Warnings"]) == (201, [])
        connection.close()
    finally:
        engine.shutdown()
        thread.join()
        engine.server_close()
    sent = {"path": "/v1.51/containers/create", "query": {"name": "web"}, "body": {"Image": "alpine"}}
    assert engine.created == [sent]


def test_packing_changes_no_value() -> None:
    """A recording reads back as it was sent, in lines that fit a screen where its strings do."""
    for document in documents():
        assert json.loads(packed(document)) == document
        for line in packed(document).splitlines():
            assert len(line) <= 121 or line.count('": ') <= 1, line
