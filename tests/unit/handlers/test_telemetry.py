"""Lines of the functions' logs that are not about a settled fact."""

from __future__ import annotations

import pytest

from handlers import telemetry
from tests.factories import CONTAINER_ID, pending


def test_labels_that_are_no_tags_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """With the container and the labels' names, so that an operator can find them."""
    telemetry.Telemetry().labels_left_out(pending(), ("note",))
    [line] = [vars(record) for record in caplog.records]
    assert (line["levelname"], line["message"]) == ("WARNING", "labels left out")
    assert (line["container_id"], line["labels"]) == (CONTAINER_ID, ["note"])
