"""Lines of the functions' logs that are not about a settled fact."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

import pytest

from core.model.parts import AgentWarning
from core.model.record import Settled
from handlers import telemetry
from tests.factories import CONTAINER_ID, pending
from tests.records import healthy


def test_labels_that_are_no_tags_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """With the container and the labels' names, so that an operator can find them."""
    telemetry.Telemetry().labels_left_out(pending(), ("note",))
    [line] = [vars(record) for record in caplog.records]
    assert (line["levelname"], line["message"]) == ("WARNING", "labels left out")
    assert (line["container_id"], line["labels"]) == (CONTAINER_ID, ["note"])


def test_an_agent_without_a_child_is_a_warning_and_a_count(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, when the container becomes healthy: its command does not run."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SockerlessReach")
    record = healthy(warning=AgentWarning("It shows no child process.", "Check AgentFlavor."))
    telemetry.Telemetry().settled(Settled(record, record.history[-1:]))
    telemetry.Telemetry().settled(Settled(record, ignored="it holds nothing new"))
    [line] = [vars(one) for one in caplog.records if one.levelname == "WARNING"]
    assert (line["message"], line["why"]) == ("agent without child", "It shows no child process.")
    assert capsys.readouterr().out.count('"AgentsWithoutChild":[1.0]') == 1


def test_a_line_does_not_say_what_its_log_group_says() -> None:
    """Each byte is paid for: of an invocation's context only what tells it from others is in every line."""

    @dataclass
    class Context:
        function_name: str = "start"
        memory_limit_in_mb: int = 512
        invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:start"
        aws_request_id: str = "8f507cfc"

    telemetry.logger.inject_lambda_context(lambda _event, _context: None)({}, Context())
    record = logging.makeLogRecord({"msg": "fact settled", "levelname": "INFO", "container_id": CONTAINER_ID})
    line = json.loads(telemetry.logger.registered_formatter.format(record))
    assert line.keys() == {
        "level",
        "message",
        "timestamp",
        "service",
        "cold_start",
        "function_request_id",
        "container_id",
    }
