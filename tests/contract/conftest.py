"""The engines that the fakes are compared with.

moto, in this process, anew for each test, wherever it is right (`tests.moto_aws` says where it is not). And ministack,
a process of its own on loopback for one session: it alone has conditional writes that hold between threads.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config

from core.adapters.dynamodb import DynamoStore
from core.client import Reader
from core.ports import Store
from tests.contract.table import create_containers_table
from tests.fakes import MemoryStore
from tests.moto_aws import moto_aws, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

    Clients = Callable[[str], Any]
    """Makes a client of the service of that name."""

START_LIMIT = 60
"""Seconds in which ministack must answer; it takes about one."""

races: Final = pytest.mark.parametrize("clients", ["memory", "ministack"], indirect=True)
"""For tests of writers at the same time: moto loses their conditional writes."""


class ReadableStore(Reader, Store, Protocol):
    """What the functions need of a store, and what a backend's client does."""


class Table(Protocol):
    """A store under test, and the items below it as plain values."""

    @property
    def store(self) -> ReadableStore:
        """The store under test."""

    def item(self, container_id: str) -> dict[str, Any] | None:
        """The item as it lies in the table; None if there is none."""

    def put_item(self, item: Mapping[str, Any]) -> None:
        """Writes any item, without a condition: what another version or another program might have left."""


class MemoryTable:
    """The fake."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.item = self.store.item
        self.put_item = self.store.put_item


class DynamoTable:
    """A new table on the engine. Pages of three, so that every test of more than three due containers pages."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.name = f"containers-{uuid.uuid4().hex[:12]}"
        self.client = client
        create_containers_table(client, self.name)
        self.store = DynamoStore(self.name, client, page_size=3)

    def item(self, container_id: str) -> dict[str, Any] | None:
        """The item as it lies in the table, read by other code than the adapter's."""
        answer = self.client.get_item(
            TableName=self.name, Key={"container_id": {"S": container_id}}, ConsistentRead=True
        )
        found = answer.get("Item")
        return found and {name: TypeDeserializer().deserialize(value) for name, value in found.items()}

    def put_item(self, item: Mapping[str, Any]) -> None:
        """Writes any item, without a condition."""
        values = {name: TypeSerializer().serialize(value) for name, value in item.items()}
        self.client.put_item(TableName=self.name, Item=values)


def client_of(service: str, endpoint: str | None = None) -> Any:
    """A client of that endpoint, whatever the environment says about profiles, proxies and endpoints; moto has none."""
    return session().client(
        service,  # type: ignore[call-overload]  # the service is any of them
        endpoint_url=endpoint,
        config=Config(  # type: ignore[call-arg]  # the stubs lack ignore_configured_endpoint_urls
            max_pool_connections=32,
            proxies={},
            retries={"total_max_attempts": 1},
            ignore_configured_endpoint_urls=True,
        ),
    )


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a running ministack; ended by its pid."""
    directory = tmp_path_factory.mktemp("ministack")
    port = _free_port()
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "SERVICES": "cloudformation,dynamodb,ec2,ecs,elasticfilesystem,iam,logs,s3,s3files,sqs,ssm,sts",
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(directory),
    }
    log = directory / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, cwd=directory, stdout=output, stderr=output
        )
    try:
        _await_ready(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def moto() -> Iterator[None]:
    """An empty account in this process."""
    with moto_aws():
        yield


@pytest.fixture(params=["memory", "moto", "ministack"])
def clients(request: pytest.FixtureRequest) -> Clients | None:
    """The same tests run on the fake and on the engines: what makes clients of the engine, None for the fake."""
    return _clients(request)


@pytest.fixture
def table(clients: Clients | None) -> Table:
    """A store with nothing in it."""
    return MemoryTable() if clients is None else DynamoTable(clients("dynamodb"))


@pytest.fixture(params=["moto", "ministack"])
def dynamo(request: pytest.FixtureRequest) -> DynamoTable:
    """For what only the real adapter can show."""
    clients = _clients(request)
    assert clients is not None
    return DynamoTable(clients("dynamodb"))


def _clients(request: pytest.FixtureRequest) -> Clients | None:
    match request.param:
        case "memory":
            return None
        case "moto":
            request.getfixturevalue("moto")
            return client_of
        case _:
            return partial(client_of, endpoint=request.getfixturevalue("ministack"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Returns when the engine says that it is ready; fails with its log when it ends or takes too long."""
    limit = time.monotonic() + START_LIMIT
    while not _is_ready(port):
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            if time.monotonic() < limit:
                continue
        pytest.fail(f"ministack did not start on port {port}:\n{log.read_text()}")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
