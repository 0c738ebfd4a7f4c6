from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto.awslambda.models import LambdaFunction

from tests.unit.reach.doctor.answers import Answers


@pytest.fixture
def answers(account: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """A healthy account on moto, with AWS's answers where moto has none. Its functions answer without a container."""
    monkeypatch.setattr(LambdaFunction, "_invoke_lambda", lambda _self, event=None: ("{}", False, ""))
    answers = Answers()
    answers.account.make()
    Answers.current = answers
    yield answers
    Answers.current = None
