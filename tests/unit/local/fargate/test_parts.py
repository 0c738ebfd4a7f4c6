from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.cloud.layout import ROOT
from local.fargate.client import LocalFargate
from local.fargate.faults import Faults, parse, route
from local.fargate.pace import FAST, Pace, Phase, parse_speed
from local.fargate.process.addresses import AddressPool
from local.fargate.process.view import Mount, View
from local.fargate.snapshot import iso
from local.fargate.state_directory import image_directory
from tests.unit.local.fargate.harness import container, definition, ecs_client, environment, request, until
from tests.unit.local.ports import free_port


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [(723_000, "29.723Z"), (980_000, "29.98Z"), (700_000, "29.7Z"), (0, "29Z"), (50_000, "29.05Z")],
)
def test_instants_lose_trailing_zeros(microsecond: int, text: str) -> None:
    """ECS prints milliseconds and cuts the zeros at their end, the point too."""
    assert iso(datetime(2022, 5, 3, 7, 29, 29, microsecond, UTC)) == "2022-05-03T07:29:" + text


def test_instants_are_utc() -> None:
    """An instant is printed in UTC, whatever the zone of the datetime."""
    zone = datetime.now(UTC).astimezone().tzinfo
    instant = datetime(2022, 5, 3, 7, 29, 29, tzinfo=UTC)
    assert iso(instant.astimezone(zone)) == iso(instant)
    assert iso(instant + timedelta(days=1)) == "2022-05-04T07:29:29Z"


def test_pools_on_one_machine_share_no_address() -> None:
    """Two pools hand out addresses of different blocks, never 127.0.0.1; a closed pool's block is free again."""
    first, second = AddressPool(), AddressPool()
    blocks = [pool.take().rpartition(".")[0] for pool in (first, second)]
    assert blocks[0] != blocks[1]
    assert "127.0.0" not in blocks
    first.close()
    third = AddressPool()
    assert third.take().rpartition(".")[0] == blocks[0]
    second.close()
    third.close()


def test_longest_unused_address_comes_first() -> None:
    """An address that was given back waits until all others were handed out."""
    pool = AddressPool()
    first = pool.take()
    pool.give_back(first)
    others = [pool.take() for _ in range(252)]
    assert first not in others
    assert pool.take() == first
    pool.close()


def test_real_tasks_take_20_to_60_seconds() -> None:
    """At speed `real` the start takes what captured tasks took; a seed makes it repeatable; `fast` divides it."""
    start = (Phase.CONNECT, Phase.ATTACH, Phase.PLACE, Phase.PULL, Phase.START)
    for seed in range(50):
        pace = Pace(1, seed)
        total = sum(pace.seconds(phase) for phase in start)
        assert 17 <= total <= 62
        fast = Pace(FAST, seed)
        assert sum(fast.seconds(phase) for phase in start) == pytest.approx(total * FAST)


def test_speeds() -> None:
    """A speed is fast, real, or a positive factor up to 10."""
    assert [parse_speed(text) for text in ("fast", "real", "0.5")] == [FAST, 1, 0.5]
    for text in ("0", "-1", "11", "nan", "quick"):
        with pytest.raises(ValueError, match=r"\w"):
            parse_speed(text)


def test_view_translates_mounts_then_image_then_host(tmp_path: Path) -> None:
    """The innermost mount wins over the image, the image over the host; arguments that are no paths stay."""
    image = image_directory(tmp_path, "repo/agent:1@sha256:0")
    assert image.name == "repo_agent_1_sha256_0"
    (image / "etc").mkdir(parents=True)
    (image / "etc/motd").touch()
    view = View((Mount("/a", tmp_path / "one", False), Mount("/a/b", tmp_path / "two", True)), image)
    assert view.arguments(["/a/x", "/a/b/x", "/ab", "/etc/motd", "/etc/passwd", "--flag=/a/x", "a"]) == (
        str(tmp_path / "one/x"), str(tmp_path / "two/x"), "/ab", str(image / "etc/motd"), "/etc/passwd",
        "--flag=/a/x", "a",
    )  # fmt: skip
    assert view.arguments(["/a/../etc/motd"]) == (str(image / "etc/motd"),)
    assert view.program("/a/b/agent", "/bin") == tmp_path / "two/agent"
    assert view.program("nothing-of-the-kind", "/bin") is None


def test_view_refuses_writes_to_read_only_mounts(tmp_path: Path) -> None:
    """The usual copying commands are refused when their target is in a read-only mount, and only then."""
    view = View((Mount("/ro", tmp_path, True), Mount("/rw", tmp_path, False)), None)
    assert "Read-only file system" in (view.refused_write(["/bin/cp", "/x", "/ro/x"]) or "")
    assert view.refused_write(["cp", "/ro/x", "/rw/x"]) is None
    assert view.refused_write(["cat", "/ro/x"]) is None


def test_event_routes_follow_their_seed() -> None:
    """The same seed loses and doubles the same events; a status filter neither affects nor counts the others."""

    def copies() -> list[int]:
        faults = Faults()
        faults.add(parse({"match": "a", "fault": "events", "drop": 0.3, "duplicate": 0.5, "seed": 4}))
        return [len(route(faults, ["abc"], "RUNNING").held) for _ in range(30)]

    assert copies() == copies()
    assert set(copies()) == {0, 1, 2}
    faults = Faults()
    faults.add(parse({"match": "", "fault": "events", "drop": 1, "last_status": "RUNNING", "times": 1}))
    seen = [len(route(faults, ["abc"], status).held) for status in ("PENDING", "RUNNING", "RUNNING")]
    assert seen == [1, 0, 1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_server(tmp_path: Path, number: signal.Signals) -> None:
    """However the server ends, so does every process of its tasks; its log holds no environment value."""
    port, note = free_port(), tmp_path / "pids"
    server = subprocess.Popen(
        [sys.executable, "-m", "local.fargate", "--port", str(port), "--state-dir", str(tmp_path), "--speed", "0.004"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stderr=subprocess.PIPE,
        text=True,
    )
    endpoint = f"http://127.0.0.1:{port}"
    local, ecs = LocalFargate(endpoint), ecs_client(endpoint)
    until(local.healthy)
    script = f"trap '' TERM; setsid sleep 600 & echo $$ $! > {note}; wait"
    ecs.register_task_definition(**definition(container("sh", "-c", script)))
    override = {"name": "main", "environment": environment(SOCKERLESS_AGENT_TOKEN="hush-hush")}
    ecs.run_task(**request("tests", overrides={"containerOverrides": [override]}))
    ecs.close()
    pids = until(lambda: note.read_text().split() if note.exists() else [], lambda found: len(found) == 2)
    until(lambda: local.tasks()[0]["pids"])
    server.send_signal(number)
    _, log = server.communicate(timeout=20)
    assert server.returncode == (0 if number is signal.SIGTERM else -9)
    until(lambda: [pid for pid in pids if _alive(pid)], lambda alive: not alive)
    assert "RunTask 200 ok" in log
    assert "hush-hush" not in log


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True
