"""Records what clients send to Docker's `POST /containers/create`. A stub answers them: no Docker is needed.

    python -m tests.docker_payloads.record --docker /usr/bin/docker --python VENV/bin/python

writes the files `*.json` beside this one anew, for each client that is given.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlsplit

from tests.docker_payloads import commands

HERE: Final = Path(__file__).parent
NEWEST: Final = "1.51"
VERSIONS: Final = tuple(f"1.{minor}" for minor in range(51, 42, -1))
"""The API versions that the docker CLI is made to speak, from the newest to the oldest."""

CONTAINER: Final = "c0ffee" + "0" * 58
IMAGE: Final = "sha256:" + "1" * 64
PATIENCE: Final = 30.0
GRACE: Final = 3.0
"""Seconds that a client has to send its request, and then to end. What it does after the request is not recorded."""

WIDTH: Final = 120
TERMINAL: Final = (24, 80)
DIRECTORY: Final = "/srv/shop"
"""What recordings have in place of the directory that a client ran in."""

RANDOM: Final = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "00000000-0000-4000-8000-000000000000"),
    (re.compile(r"(?<=-run-)[0-9a-f]{12}\b"), "0" * 12),
    (re.compile(r'(?<=\.slug": ")[0-9a-f]{64}'), "0" * 64),
    (re.compile(r'(?<=config-hash": ")[0-9a-f]{64}'), "0" * 64),
)
"""What is new in each call: a session of testcontainers, a one-off container of Compose, a hash over the directory."""

DOCKER_PY: Final = """
import docker
from docker.types import DeviceRequest, EndpointConfig, LogConfig, Mount, Ulimit
client = docker.from_env()
"""
TESTCONTAINERS: Final = """
from testcontainers.core.container import DockerContainer, Reaper
from testcontainers.postgres import PostgresContainer
"""


_ANSWERS: Final[dict[str, Any]] = {
    "/_ping": "OK",
    "/version": {"Version": "28.5.2", "ApiVersion": NEWEST, "MinAPIVersion": "1.24", "Os": "linux"},
    "/info": {"OSType": "linux", "Architecture": "x86_64", "ServerVersion": "28.5.2"},
    "/volumes": {"Volumes": []},
}
_CONTAINER: Final = {
    "Id": CONTAINER,
    "Name": "/web",
    "State": {"Status": "exited", "Running": False, "ExitCode": 0},
    "Config": {"Image": "alpine", "Labels": {}, "Tty": False},
    "HostConfig": {},
    "NetworkSettings": {"Ports": {}, "Networks": {}},
}


class Engine(ThreadingHTTPServer):
    """As much of a Docker Engine as a client needs around a create, whose request it keeps."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.created: list[dict[str, Any]] = []
        self.asked = threading.Event()

    @property
    def address(self) -> str:
        """As DOCKER_HOST has it."""
        return f"tcp://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that goes away in the middle of an answer is no failure."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def do_GET(self) -> None:
        path = self._path()
        if re.fullmatch("/(networks|volumes)/.+", path):
            self._answer(404, {"message": "no such object"})
        elif re.fullmatch("/images/.+/json", path):
            self._answer(200, {"Id": IMAGE, "Os": "linux", "Architecture": "amd64", "Config": {}})
        elif re.fullmatch("/containers/.+/json", path):
            self._answer(200, _CONTAINER)
        else:
            self._answer(200, _ANSWERS.get(path, []))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        path, body = self._path(), self._body()
        if path == "/containers/create":
            whole = urlsplit(self.path)
            self.server.created.append({"path": whole.path, "query": dict(parse_qsl(whole.query)), "body": body})
            self._answer(201, {"Id": CONTAINER, "Warnings": []})
            return self.server.asked.set()
        if path.endswith("/attach"):
            return self._attach()
        if path.endswith("/wait"):
            return self._answer(200, {"StatusCode": 0})
        if path in {"/networks/create", "/volumes/create"}:
            return self._answer(201, {"Id": "2" * 64, "Name": (body or {}).get("Name"), "Driver": "local"})
        return self._answer(204)

    def do_DELETE(self) -> None:
        self._answer(204)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
        """Nothing: the recordings say what was asked."""

    def _path(self) -> str:
        """The path, without the version."""
        return re.sub(r"^/v1\.\d+(?=/)", "", urlsplit(self.path).path)

    def _body(self) -> Any:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            text = b""
            while size := int(self.rfile.readline(), 16):
                text += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return json.loads(text) if text else None

    def _answer(self, status: int, document: Any = None) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Api-Version", NEWEST)
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _attach(self) -> None:
        """A stream that ends at once."""
        self.send_response(101)
        self.send_header("Content-Type", "application/vnd.docker.raw-stream")
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "tcp")
        self.end_headers()
        self.close_connection = True


class Recorder:
    """Runs clients in a directory of their own, against one engine."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self._engine = engine
        self._home = directory
        self._place = directory / "shop"
        self._place.mkdir()
        for name, text in commands.FILES.items():
            (self._place / name).write_text(text)

    def write(self, name: str, text: str) -> None:
        """A file for the commands that follow."""
        (self._place / name).write_text(text)

    def record(self, words: Sequence[str], variables: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The one create that the command sends."""
        self._engine.created.clear()
        self._engine.asked.clear()
        with _terminal(wanted=_has_terminal(words)) as stream, tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                words,
                cwd=self._place,
                env=self._environment(variables or {}),
                stdin=stream or subprocess.DEVNULL,
                stdout=stream or output,
                stderr=output,
            )
            self._await(process)
            output.seek(0)
            said = output.read().decode()
        for cid in self._place.glob("*.cid"):
            cid.unlink()
        if len(self._engine.created) != 1:
            raise SystemExit(f"{shlex.join(words)}: sent {len(self._engine.created)} creates instead of one.\n{said}")
        return cast("dict[str, Any]", json.loads(self._settled(json.dumps(self._engine.created[0]))))

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(int(PATIENCE * 20)):
            if self._engine.asked.wait(0.05) or process.poll() is not None:
                break
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "DOCKER_HOST": self._engine.address,
            "DOCKER_CONFIG": str(self._home),
            "DOCKER_CLI_HINTS": "false",
            **commands.VARIABLES,
            **variables,
        }

    def _settled(self, text: str) -> str:
        for drawn, steady in RANDOM:
            text = drawn.sub(steady, text)
        return text.replace(str(self._place), DIRECTORY)


def _has_terminal(words: Sequence[str]) -> bool:
    """Whether a person typed the command: without a terminal the CLI refuses -it. It sends the terminal's size."""
    return words[1] == "run" and "-it" in words


@contextmanager
def _terminal(*, wanted: bool) -> Iterator[int | None]:
    if not wanted:
        yield None
        return
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, TERMINAL)
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


def main() -> None:
    """Records with each client that is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docker", metavar="FILE", help="the docker CLI; it must know API " + NEWEST)
    parser.add_argument("--compose", metavar="FILE", help="the Compose plugin (docker-compose)")
    parser.add_argument("--python", metavar="FILE", help="a Python with docker and testcontainers")
    options = parser.parse_args()
    if not (options.docker or options.compose or options.python):
        parser.error("give at least one client: --docker, --compose, --python")
    engine = Engine()
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as directory:
        recorder = Recorder(engine, Path(directory))
        if options.docker:
            _write("docker_cli", _docker(recorder, options.docker))
        if options.compose:
            _write("docker_compose", _compose(recorder, options.compose))
        if options.python:
            _write("docker_py", _python(recorder, options.python, "docker_py", DOCKER_PY))
            _write("testcontainers", _python(recorder, options.python, "testcontainers", TESTCONTAINERS))
    engine.shutdown()


def _docker(recorder: Recorder, docker: str) -> Iterator[dict[str, Any]]:
    """Each command at the newest API version, and at each older one that changes the body."""
    client = "docker CLI " + _output(docker, "version", "--format", "{{.Client.Version}}")
    for line in commands.lines("docker_cli"):
        words = shlex.split(line)
        documents: list[dict[str, Any]] = []
        for version in VERSIONS:
            try:
                sent = recorder.record([docker, *words[1:]], {"DOCKER_API_VERSION": version})
            except SystemExit as refusal:
                if version == NEWEST:
                    raise
                print(f"API {version}: {refusal}", file=sys.stderr)  # noqa: T201 - for the person who records
                break
            if not documents or _meaning(sent) != _meaning(documents[-1]):
                documents.append(_document(words, client, sent))
            documents[-1]["oldest_api_version"] = version
        yield from documents


def _meaning(sent: Mapping[str, Any]) -> tuple[Any, ...]:
    """The request, without the order of what the CLI keeps in a map of Go: that order is another one in each run."""
    body = sent["body"]
    unordered = (sorted(body["Env"] or []), sorted(body["HostConfig"]["Binds"] or []))
    host_config = {**body["HostConfig"], "Binds": None}
    return sent["query"], {**body, "Env": None, "HostConfig": host_config}, unordered


def _compose(recorder: Recorder, compose: str) -> Iterator[dict[str, Any]]:
    client = "docker compose " + _output(compose, "version", "--short")
    for line, text in commands.COMPOSE.items():
        words = shlex.split(line)
        recorder.write(words[3] if words[2] == "--file" else "compose.yaml", text)
        yield {**_document(words, client, recorder.record([compose, *words[2:]])), "compose_file": text.splitlines()}


def _python(recorder: Recorder, python: str, name: str, prelude: str) -> Iterator[dict[str, Any]]:
    package = {"docker_py": "docker"}.get(name, name)
    version = _output(python, "-c", f"from importlib.metadata import version; print(version({package!r}))")
    for line in commands.lines(name):
        ryuk = "false" if "Reaper" in line else "true"
        sent = recorder.record([python, "-c", prelude + line], {"TESTCONTAINERS_RYUK_DISABLED": ryuk})
        yield _document([line], f"{name.replace('_', '-')} {version}", sent)


def _document(words: Sequence[str], client: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    version = sent["path"].split("/")[1].removeprefix("v")
    head = {"command": list(words), "client": client, "api_version": version, "oldest_api_version": version}
    return {**head, "method": "POST", **sent}


def _output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def _write(name: str, documents: Iterator[dict[str, Any]]) -> None:
    text = ",\n".join(packed(one) for one in documents)
    (HERE / f"{name}.json").write_text(f"[\n{text}\n]\n")


def packed(value: Any, depth: int = 0) -> str:
    """JSON with as many members in a line as fit, so that a payload can be read without scrolling."""
    flat = json.dumps(value, ensure_ascii=False)
    if (depth > 0 and depth + len(flat) <= WIDTH - 16) or not value or not isinstance(value, dict | list):
        return flat
    inside = depth + 2
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}: {packed(member, inside)}" for key, member in value.items()]
    else:
        members = [packed(member, inside) for member in value]
    lines = [""]
    for member in members:
        alone = depth == 0 and len(lines) == 2  # the command
        roomy = "\n" not in lines[-1] + member and inside + len(lines[-1]) + len(member) + 3 <= WIDTH
        if lines[-1] and roomy and not alone:
            lines[-1] += ", " + member
        else:
            lines.append(member)
    inner = (",\n" + " " * inside).join(lines[1:])
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{opening}\n{' ' * inside}{inner}\n{' ' * depth}{closing}"


if __name__ == "__main__":
    main()
