"""The proxy does to a call what its way says, as boto3's client sees it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.environment import CREDENTIALS, REGION
from tests.faults.proxy import EVERYBODY, Fault, Ledger, between
from tests.faults.ways import ONCE, WAYS, Call, Kind, Way
from tests.moto_aws import session

FUNCTION = "TaskState"
OWN, OTHER = "a" * 64, "b" * 64
ATTEMPTS = 2
WRITE = Call(FUNCTION, "dynamodb:PutItem", 1, conditional=True)
SEEN = {
    Kind.THROTTLED: "ProvisionedThroughputExceededException",
    Kind.FAILED: "InternalServerError",
    Kind.DENIED: "AccessDeniedException",
    Kind.CONFLICT: "ConditionalCheckFailedException",
    Kind.UNSENT: "ConnectionClosedError",
    Kind.UNANSWERED: "ConnectionClosedError",
}
REPEATED = {Kind.THROTTLED, Kind.FAILED, Kind.UNSENT, Kind.UNANSWERED}


class Table:
    """A function's client of a table behind the proxy. `effects`: how many requests have reached the table."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.effects = 0
        self.client: Any = None

    def write(self, container_id: str = OWN) -> str:
        """What became of a conditional write: the code of its error, or nothing."""
        item = {"container_id": {"S": container_id}}
        try:
            self.client.put_item(TableName="any", Item=item, ConditionExpression="attribute_not_exists(container_id)")
        except ClientError as refused:
            return str(refused.response["Error"]["Code"])
        except BotoCoreError as failed:
            return type(failed).__name__
        return ""


@pytest.fixture
def table() -> Iterator[Table]:
    """An upstream that takes everything."""
    table = Table(Ledger())

    class Upstream(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            table.effects += 1
            self.send_response_only(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Upstream))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        upstream = f"http://127.0.0.1:{server.server_port}"
        proxies = between((FUNCTION,), lambda _: upstream, table.ledger, lambda _: False)
        table.client = session().client(
            "dynamodb",
            endpoint_url=stack.enter_context(proxies)[FUNCTION],
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}),
        )
        stack.callback(table.client.close)
        table.ledger.follow(OWN)
        yield table


@pytest.mark.parametrize("way", [way for way in WAYS if way.calls == 1], ids=lambda way: way.name)
def test_a_call_fails_in_all_its_attempts(table: Table, way: Way) -> None:
    """The first one of this container: not another one's, and not the second."""
    fault = Fault(WRITE, way)
    table.ledger.follow(OWN, fault)
    assert table.write(OTHER) == ""
    assert table.write() == SEEN[way.kind]
    assert fault.met == (ATTEMPTS if way.kind in REPEATED else 1)
    assert table.effects == 1 + (ATTEMPTS if way.kind is Kind.UNANSWERED else 0)
    assert table.write() == ""


@pytest.mark.parametrize("way", ONCE, ids=lambda way: way.name)
def test_the_next_attempt_of_a_call_succeeds(table: Table, way: Way) -> None:
    """So the function does not notice; a request that only lost its answer takes effect twice."""
    table.ledger.follow(OWN, Fault(WRITE, way))
    assert table.write() == ""
    assert table.effects == (2 if way.kind is Kind.UNANSWERED else 1)
    assert table.ledger.repeated == {WRITE.action}


def test_some_calls_in_a_row_fail(table: Table) -> None:
    """As many as the way says, and no more."""
    way = next(way for way in WAYS if way.name == "conflict until given up")
    table.ledger.follow(OWN, Fault(WRITE, way))
    assert [table.write() for _ in range(way.calls + 1)] == [SEEN[Kind.CONFLICT]] * way.calls + [""]


def test_calls_are_known_by_their_container(table: Table) -> None:
    """In their order; those of nobody that is followed are everybody's."""
    table.write()
    table.write(OTHER)
    table.write()
    assert list(table.ledger.calls[OWN]) == [WRITE, Call(*WRITE.action, 2, conditional=True)]
    assert list(table.ledger.calls[EVERYBODY]) == [WRITE]
