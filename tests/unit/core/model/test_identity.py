"""The names that tie a task to its container."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.identity import Ref, client_token, parse_started_by, started_by, token_parameter
from local.fargate.rules import override_violations

CONTAINER = "0123456789abcdef" * 4
PREFIXES = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
IDS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


@given(PREFIXES, IDS, st.integers(min_value=1, max_value=10**18 - 1))
def test_started_by_can_be_read_back(prefix: str, container_id: str, generation: int) -> None:
    """What is written into startedBy is what is read out of it, and ECS takes it."""
    text = started_by(prefix, Ref(container_id, generation))
    assert parse_started_by(prefix, text) == (container_id, generation)
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    run = {"launchType": "FARGATE", "startedBy": text, "networkConfiguration": network}
    assert override_violations(run) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ecs-svc/9223370526465180742",
        f"other/{CONTAINER}/1",
        f"sockerless/{CONTAINER}",
        f"sockerless/{CONTAINER}/0",
        f"sockerless/{CONTAINER}/01",
        f"sockerless/{CONTAINER}/-1",
        f"sockerless/{CONTAINER}/\N{ARABIC-INDIC DIGIT ONE}",
        f"sockerless/{CONTAINER}/1\n",
        f"sockerless/{CONTAINER}/1/2",
        f"sockerless/{CONTAINER.upper()}/1",
        f"sockerless/{CONTAINER[1:]}/1",
    ],
)
def test_a_foreign_started_by_is_nobodys(text: str) -> None:
    """Only exactly our form names a container; any other task is foreign."""
    assert parse_started_by("sockerless", text) is None


def test_a_client_token_is_one_per_launch() -> None:
    """A retry of one launch repeats the token; another generation, attempt or stack has another one."""
    launch = ("sockerless", Ref(CONTAINER, 1), 1)
    others = {
        client_token("sockerless", Ref(CONTAINER, 1), 2),
        client_token("sockerless", Ref(CONTAINER, 2), 1),
        client_token("sockerless2", Ref(CONTAINER, 1), 1),
        client_token("sockerless", Ref(CONTAINER[::-1], 1), 1),
    }
    assert client_token(*launch) == client_token(*launch)
    assert len(others | {client_token(*launch)}) == 5
    assert len(client_token(*launch)) == 64


def test_the_token_parameter_names_the_generation() -> None:
    """Every generation has its own parameter, so that its end deletes no other."""
    assert token_parameter("sockerless", Ref(CONTAINER, 3)) == f"/sockerless/{CONTAINER}/3/token"
