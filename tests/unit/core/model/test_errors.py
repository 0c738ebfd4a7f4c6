"""`CallFailed`: what is known of a failed call."""

from __future__ import annotations

import pytest

from core.model.errors import CallFailed, DefinitionGone
from core.model.failure import Cause


@pytest.mark.parametrize("kind", [CallFailed, DefinitionGone])
def test_only_the_certainty_of_a_failed_call_changes(kind: type[CallFailed]) -> None:
    """Its kind, its texts and everything else that is known of it stay."""
    failed = kind(
        "RunTask", "Code", "text", cause=Cause.THROTTLED, remedy="wait", transient=True, uncertain=True, unreached=True
    )

    other = failed.but(uncertain=False)

    assert type(other) is kind
    assert str(other) == str(failed)
    assert vars(other) == {**vars(failed), "uncertain": False}
