"""Calls of AWS that come to nothing on this machine, or on the way from it."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from core.diagnosis.rows.request_rows import NO_ANSWER
from core.model.errors import CallFailed
from reach.app import main
from reach.commands import record
from reach.exits import text_of
from reach.options import Patience, aws_client
from reach.recording.sources import LONGEST_POLL
from reach.stack import functions
from reach.stack.outputs import VARIABLES
from tests.factories import CONTAINER_ID
from tests.template import load_template
from tests.unit.local.ports import free_port
from tests.unit.reach.commands.test_containers import Shell, refused

CALLS = {
    "cloudformation": (["ps"], {}),
    "dynamodb": (["ps", "--all"], dict.fromkeys(VARIABLES.values(), "x")),
    "one item": (["inspect", CONTAINER_ID], dict.fromkeys(VARIABLES.values(), "x")),
    "lambda": (["stop", CONTAINER_ID], dict.fromkeys(VARIABLES.values(), "x")),
    "s3 and ecs": (["stage-agent", "--list"], {}),
}


@pytest.fixture(params=CALLS)
def command(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> list[str]:
    """One whose first call is of another protocol."""
    arguments, variables = CALLS[request.param]
    for name, value in variables.items():
        environment.setenv(name, value)
    return arguments


@pytest.fixture(params=["<html>Log in</html>", '{"status": "ok"}', "[]", '"x"', "", "<a/>"])
def stranger(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that answers everything with 200, at the endpoint of AWS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param.encode())

        do_GET = do_POST  # noqa: N815 - http.server's name

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        environment.setenv("AWS_ENDPOINT_URL", url)
        yield url
        server.shutdown()


def test_an_answer_that_is_not_aws_s_is_4(stranger: str, command: list[str], capsys: Shell) -> None:
    """A login page, or another server: the error names the endpoint, and no line of ours."""
    shown = refused(capsys, 4, *command)
    assert f"what answers at {stranger} is not" in shown
    assert "What to do: check AWS_ENDPOINT_URL" in shown


def test_no_laptop_cloud_is_4(command: list[str], environment: pytest.MonkeyPatch, capsys: Shell) -> None:
    """`. .local/env` of a cloud that is down is the usual reason of an endpoint on loopback."""
    environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port('127.0.0.1')}")
    environment.setattr(functions, "PAUSES", ())
    assert "What to do: make up, then . .local/env" in refused(capsys, 4, *command)


@pytest.mark.parametrize("code", NO_ANSWER.codes.split())
def test_no_answer_is_the_operator_s_to_mend(code: str) -> None:
    """What a Lambda function would need is no help here."""
    failed = CallFailed(
        "Scan", code, 'endpoint URL: "https://dynamodb.us-east-1.amazonaws.com/"', remedy="a NAT gateway"
    )
    assert "What to do: check the network, the proxy (HTTPS_PROXY) and --region" in text_of(failed)


@pytest.mark.parametrize("error", [EndpointConnectionError, ReadTimeoutError])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_is_known_by_botocore_s_text(error: Any, host: str) -> None:
    """In each of its spellings, and not as a part of another name."""
    for name, local in ((host, True), (f"{host}.example", False)):
        said = text_of(CallFailed("Scan", error.__name__, str(error(endpoint_url=f"http://{name}:4566/"))))
        assert ("make up" in said) is local


@pytest.mark.parametrize(
    ("variables", "given", "found"),
    [
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-1"),
        ({"AWS_REGION": "eu-west-1", "AWS_PROFILE": "there"}, None, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2", "AWS_PROFILE": "there"}, None, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1"}, "eu-west-3", "eu-west-3"),
        ({"AWS_REGION": "", "AWS_PROFILE": "there"}, None, "eu-north-1"),
    ],
)
def test_the_region(
    environment: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], given: str | None, found: str
) -> None:
    """--region, AWS_REGION, AWS_DEFAULT_REGION, the profile: the order of the AWS CLI."""
    (tmp_path / "config").write_text("[profile there]\nregion = eu-north-1\n")
    environment.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    environment.delenv("AWS_DEFAULT_REGION")
    for name, value in variables.items():
        environment.setenv(name, value)
    assert aws_client("sqs", profile=None, region=given).meta.region_name == found


@pytest.mark.parametrize("given", [[], ["--profile", "nope"], ["--region", "not a region"]], ids=" ".join)
def test_a_configuration_that_is_not_there_is_2(
    environment: pytest.MonkeyPatch, capsys: Shell, given: list[str]
) -> None:
    """The error says each way to give one."""
    environment.delenv("AWS_DEFAULT_REGION")
    shown = refused(capsys, 2, "ps", *given)
    assert ". What to do: give --region NAME or --profile NAME, set AWS_REGION or AWS_PROFILE, or run" in shown
    assert ".." not in shown


def test_a_call_is_not_awaited_for_minutes(environment: pytest.MonkeyPatch) -> None:
    """botocore's own time-outs make five minutes of silence."""
    config = aws_client("dynamodb", profile=None, region=None).meta.config
    assert (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"] <= 60


def test_a_call_that_takes_long_is_awaited(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The functions to the end of their run, a queue to the end of its poll."""
    template = load_template()["Resources"]
    timeouts = [template[f"{one}ContainerFunction"]["Properties"]["Timeout"] for one in ("Start", "Stop")]
    assert max(timeouts) < functions.SECONDS

    asked: list[Patience] = []
    environment.setattr(record, "aws_client", lambda _, patience, **__: asked.append(patience))
    environment.setattr(record, "run", lambda *_, **__: None)
    assert main(["events", "record", "--out", str(tmp_path), "--queue", "https://queue"]) == 0
    assert asked[0].read > LONGEST_POLL
