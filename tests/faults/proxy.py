"""Stands between each function and its AWS: knows every call, and lets those fail that it is asked to.

Each function has a port of its own, by which the proxy knows it. A call is one `amz-sdk-invocation-id`, whatever number
of attempts the SDK makes. Whose call it is, the container's id in the request says, or a name that was learnt from an
earlier call: its task's or its definition's. Nothing of a request is kept or logged but these names.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.faults.ways import Call, Kind, Way, answer

EVERYBODY: Final = ""
"""The container of a call that names none, such as the Query of all that is due."""
_IDS: Final = re.compile(rb"[0-9a-f]{64}|[0-9a-f]{32}")
"""Of containers, and of tasks."""
_FAMILY: Final = re.compile(rb'"(?:definition/|family": ?")([^"/]+)"')
"""In the item of a registration, and in RegisterTaskDefinition."""
_TASKS: Final = re.compile(rb":task/[^\"]*/([0-9a-f]{32})\"")
_NOT_FORWARDED: Final = frozenset({"connection", "transfer-encoding", "content-length"})

_Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""


@dataclass(slots=True)
class Fault:
    """A call that is to fail, the one of its ordinal. `met`: how many requests of it have failed."""

    call: Call
    way: Way
    met: int = 0

    def meets(self, call: Call, attempt: int) -> bool:
        """Whether this attempt of this call fails."""
        mine = (call.action == self.call.action) and call.conditional >= (self.way.kind is Kind.CONFLICT)
        first, attempts = self.call.ordinal, self.way.attempts
        return mine and 0 <= call.ordinal - first < self.way.calls and (attempts is None or attempt <= attempts)

    def __str__(self) -> str:
        return f"{self.call.function} {self.call.operation} #{self.call.ordinal} {self.way.name}"


@dataclass(slots=True)
class Ledger:
    """What was called for which container, and what is to fail. For several threads."""

    calls: defaultdict[str, dict[Call, None]] = field(default_factory=lambda: defaultdict(dict))
    """In the order of their first requests."""
    _faults: defaultdict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    made: set[tuple[str, str]] = field(default_factory=set)
    """What each function has ever done, with whatever end."""
    repeated: set[tuple[str, str]] = field(default_factory=set)
    """What the SDK makes again when it fails."""
    _names: dict[bytes, str] = field(default_factory=dict)
    _known: dict[tuple[str, str], Call] = field(default_factory=dict)
    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, container_id: str, *faults: Fault) -> None:
        """From now on its calls are known, and those of the faults fail. For `EVERYBODY` the count begins anew."""
        with self._lock:
            self._names[container_id.encode()] = container_id
            self._faults[container_id] = list(faults)
            self.calls.pop(container_id, None)
            for key in [one for one in self._counts if one[0] == container_id]:
                del self._counts[key]

    def forget(self) -> None:
        """All containers: from now on every call is `EVERYBODY`'s."""
        with self._lock:
            self._names.clear()

    def arrived(self, function: str, request: Request) -> Kind | None:
        """Notes the request; what is to become of it."""
        with self._lock:
            owners = self._owners(request.body) or {EVERYBODY}
            if request.operation == "ecs:RunTask":
                self._learn(owners, json.loads(request.body)["taskDefinition"].encode())
            verdict = None
            for owner in owners:
                call = self._call(owner, function, request)
                for fault in self._faults[owner]:
                    if verdict is None and fault.meets(call, request.attempt):
                        fault.met += 1
                        verdict = fault.way.kind
            return verdict

    def answered(self, request: Request, body: bytes) -> None:
        """Learns the tasks of the container that was asked for alone."""
        if request.operation in ("ecs:RunTask", "ecs:ListTasks"):
            with self._lock:
                self._learn(self._owners(request.body), *_TASKS.findall(body))

    def _owners(self, body: bytes) -> set[str]:
        ids = {self._names[name] for name in _IDS.findall(body) if name in self._names}
        return ids or {self._names[name] for name in _FAMILY.findall(body) if name in self._names}

    def _learn(self, owners: set[str], *names: bytes) -> None:
        if len(owners) == 1:
            self._names |= dict.fromkeys(names, *owners)

    def _call(self, owner: str, function: str, request: Request) -> Call:
        key = (owner, request.id)
        if request.attempt > 1:
            self.repeated.add((function, request.operation))
        if key not in self._known:
            self._counts[owner, function, request.operation] += 1
            ordinal = self._counts[owner, function, request.operation]
            call = Call(function, request.operation, ordinal, request.conditional)
            self._known[key] = call
            self.made.add(call.action)
            self.calls[owner][call] = None
        return self._known[key]


@dataclass(frozen=True, slots=True)
class Request:
    """One attempt of one call."""

    id: str
    operation: str
    attempt: int
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, headers: Any, body: bytes) -> Request:
        """By what the SDK says of it: the credential's scope, the target of the JSON protocols, its own headers."""
        service = headers["Authorization"].partition("Credential=")[2].split("/")[3]
        tries = dict(part.strip().split("=") for part in headers["amz-sdk-request"].split(";"))
        operation = f"{service}:{headers['X-Amz-Target'].rpartition('.')[2]}"
        return cls(headers["amz-sdk-invocation-id"], operation, int(tries["attempt"]), body)

    @property
    def service(self) -> str:
        return self.operation.partition(":")[0]

    @property
    def conditional(self) -> bool:
        return b'"ConditionExpression"' in self.body


@contextlib.contextmanager
def between(
    functions: tuple[str, ...], upstreams: Callable[[str], str], ledger: Ledger, outrun: Callable[[Any], bool]
) -> Iterator[dict[str, str]]:
    """The endpoint for each function. `upstreams` gives the endpoint of a service.

    `outrun` gets the document of a conditional write and writes first; False if there is nothing to write to.
    """
    handlers = {name: _handler(_Desk(name, upstreams, ledger, outrun)) for name in functions}
    servers = {name: ThreadingHTTPServer(("127.0.0.1", 0), handler) for name, handler in handlers.items()}
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers.values()]
    for thread in threads:
        thread.start()
    try:
        yield {name: f"http://127.0.0.1:{server.server_port}" for name, server in servers.items()}
    finally:
        for server, thread in zip(servers.values(), threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


@dataclass(frozen=True, slots=True)
class _Desk:
    """What one function's requests are answered with."""

    function: str
    upstreams: Callable[[str], str]
    ledger: Ledger
    outrun: Callable[[Any], bool]

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> _Answer | None:
        """None for no answer at all."""
        request = Request.of(headers, body)
        kind = self.ledger.arrived(self.function, request)
        if kind is Kind.UNSENT:
            return None
        # A conflict is AWS's own answer, if there is an item that another writer can have changed.
        own = kind is Kind.CONFLICT and self.outrun(json.loads(body))
        if kind not in (None, Kind.UNANSWERED) and not own:
            status, said = answer(request.service, kind)
            return status, {"Content-Type": "application/x-amz-json-1.1"}, said
        forwarded = self._forwarded(request, path, headers)
        return None if kind is Kind.UNANSWERED else forwarded

    def _forwarded(self, request: Request, path: str, headers: Mapping[str, str]) -> _Answer:
        connection = http.client.HTTPConnection(self.upstreams(request.service).partition("//")[2], timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", path, request.body, dict(headers.items()))
            response = connection.getresponse()
            said = response.read()
        self.ledger.answered(request, said)
        return response.status, dict(response.getheaders()), said


def _handler(desk: _Desk) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            # The headers are a mapping, but for their type.
            if (answered := desk.answer(self.path, self.headers, body)) is None:  # type: ignore[arg-type]
                self.close_connection = True
                with contextlib.suppress(OSError):  # the client may have gone first
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, headers, said = answered
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _NOT_FORWARDED:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    return Handler
