"""What the agent's port answers to plain HTTP and to a handshake."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.unit.local.agent.running import TOKEN, RunningAgent, running_agent

RIGHT = {"Authorization": f"Bearer {TOKEN}"}


def test_health_needs_no_token(idle_agent: RunningAgent) -> None:
    """`/health` needs no token; without a child it answers `status` alone."""
    status, body = idle_agent.request("/health")

    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_health_names_the_child() -> None:
    """While the child runs, health carries its process id."""
    with running_agent("--", "sh", "-c", "echo $$; read line") as agent:
        pid = int(agent.read_line())

        assert agent.wait_until_healthy() == {"status": "ok", "pid": pid, "exited": False}


@pytest.mark.parametrize("path", ["/ws", "/"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer \xe9"},
    ],
)
def test_the_socket_needs_the_token(idle_agent: RunningAgent, path: str, headers: dict[str, str]) -> None:
    """A missing or wrong token is answered with 401, upgrade or not."""
    assert idle_agent.request(path, headers)[0] == 401


def test_a_handshake_with_a_wrong_token_fails(idle_agent: RunningAgent) -> None:
    """A WebSocket client with a wrong token gets 401 and no connection."""
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(f"ws://{idle_agent.address}/ws", additional_headers={"Authorization": "Bearer wrong"}, proxy=None),
    ):
        pass

    assert caught.value.response.status_code == 401


@pytest.mark.parametrize("path", ["/ws", "/"])
def test_a_plain_request_with_the_token_is_a_bad_request(idle_agent: RunningAgent, path: str) -> None:
    """The right token without an upgrade is answered with 400."""
    assert idle_agent.request(path, RIGHT)[0] == 400


@pytest.mark.parametrize("path", ["/ws", "/"])
def test_both_paths_upgrade(idle_agent: RunningAgent, path: str) -> None:
    """The socket is at /ws and at /."""
    with idle_agent.conversation(path) as talk:
        assert talk.send("exec", id="a", cmd=["true"]).receive() == {"type": "exit", "id": "a", "code": 0}


def test_other_paths_do_not_exist(idle_agent: RunningAgent) -> None:
    """There is nothing else on the port, token or not."""
    assert [idle_agent.request("/healthz", headers)[0] for headers in ({}, RIGHT)] == [404, 404]
