"""How the text of a setting is read, and what its value is held to."""

from __future__ import annotations

import pytest

from core.launch.settings import Settings
from core.model.errors import ConfigurationError


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("PROBE_INTERVAL_SECONDS", "0", "must be more than 0"),
        ("PROBE_INTERVAL_SECONDS", "soon", "must be a number"),
        ("PROBE_INTERVAL_SECONDS", "inf", "must be a number"),
        ("EARLY_PROBE", "perhaps", "must be true or false"),
        ("AGENT_PORT", "9111.5", "must be a whole number"),
        ("AGENT_PORT", "0", "must be at least 1"),
        ("AGENT_PORT", "65536", "must be at most 65535"),
        ("CAPACITY", "spots", "must be one of on-demand, spot, spot-first"),
        ("TASK_ROLE_ARN", "role", "must be the whole ARN of an IAM role"),
        ("TABLE_NAME", "", "is not set"),
    ],
)
def test_a_wrong_text_is_named_with_what_is_wrong(variable: str, text: str, says: str) -> None:
    """The name of the variable, and what it has to be."""
    with pytest.raises(ConfigurationError, match=f"{variable} {says}"):
        Settings.from_env({"TABLE_NAME": "containers", variable: text})


@pytest.mark.parametrize(
    ("text", "read"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("no", False)]
)
def test_a_flag_has_the_usual_words(text: str, read: bool) -> None:
    """CloudFormation's true and false, in any case, and what people write."""
    assert Settings.from_env({"TABLE_NAME": "containers", "EARLY_PROBE": text}).early_probe is read


def test_every_wrong_setting_is_named() -> None:
    """At once, so that one deployment mends them."""
    with pytest.raises(ConfigurationError, match=r"AGENT_PORT must .*; WATCH_SHARDS must"):
        Settings.from_env({"TABLE_NAME": "containers", "AGENT_PORT": "x", "WATCH_SHARDS": "0"})
