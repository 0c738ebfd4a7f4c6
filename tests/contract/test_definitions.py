"""What ECS promises who retires definitions (`core.ports.Definitions`), on the fake and on moto.

Not on ministack: it takes `familyPrefix` of ListTaskDefinitions for how a name begins, where ECS means the whole name,
and it finds no families with the status ALL.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from core.adapters.ecs import BotoDefinitions
from tests.factories import CLUSTER
from tests.fakes import FakeDefinitions

if TYPE_CHECKING:
    from core.ports import Definitions
    from tests.contract.conftest import Clients


FAMILY = "sockerless-0123456789abcdef0123456789abcdef"

pytestmark = pytest.mark.parametrize("clients", ["memory", "moto"], indirect=True)


class Account(Protocol):
    """Definitions under test."""

    @property
    def definitions(self) -> Definitions:
        """The definitions under test."""

    def register(self, family: str, revision: int) -> str:
        """The ARN of a new revision, which is this one."""


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.definitions = FakeDefinitions()

    def register(self, family: str, revision: int) -> str:
        return self.definitions.add(family, datetime.now(UTC), revision)


class OnEngine:
    """An account of the engine."""

    def __init__(self, clients: Clients) -> None:
        self.ecs = clients("ecs")
        self.ecs.create_cluster(clusterName="default")
        self.definitions = BotoDefinitions(self.ecs, CLUSTER)

    def register(self, family: str, revision: int) -> str:
        answer = self.ecs.register_task_definition(
            family=family, cpu="256", memory="512", containerDefinitions=[{"name": "main", "image": "debian"}]
        )["taskDefinition"]
        assert answer["revision"] == revision
        return str(answer["taskDefinitionArn"])


@pytest.fixture
def account(clients: Clients | None) -> Account:
    """Definitions of others at most."""
    return InMemory() if clients is None else OnEngine(clients)


def test_families_are_found_by_how_they_begin(account: Account) -> None:
    """Also those of which nothing is ACTIVE any more: an earlier run may have ended before it deleted them."""
    account.register(f"{FAMILY}-a", 1)
    account.definitions.deregister(account.register(f"{FAMILY}-b", 1))
    account.register(f"other-{FAMILY}", 1)
    assert sorted(account.definitions.families(FAMILY)) == [f"{FAMILY}-a", f"{FAMILY}-b"]


def test_the_newest_has_its_instant(account: Account) -> None:
    """Of several revisions the last one, and when it was registered."""
    before = datetime.now(UTC) - timedelta(seconds=2)
    account.register(FAMILY, 1)
    second = account.register(FAMILY, 2)
    newest = account.definitions.newest(FAMILY)
    assert newest is not None
    assert newest.arn == second
    assert before <= newest.at <= datetime.now(UTC) + timedelta(seconds=1)


def test_of_nothing_active_there_is_no_newest(account: Account) -> None:
    """Neither of a family that is unknown, nor of one that has been deregistered; repeating that changes nothing."""
    assert account.definitions.newest(FAMILY) is None
    arn = account.register(FAMILY, 1)
    for _ in range(2):
        account.definitions.deregister(arn)
    assert account.definitions.newest(FAMILY) is None


def test_revisions_are_listed_by_status(account: Account) -> None:
    """Oldest first, of this family alone."""
    arns = [account.register(FAMILY, revision) for revision in (1, 2, 3)]
    account.register(f"{FAMILY}0", 1)
    account.definitions.deregister(arns[1])
    assert list(account.definitions.revisions(FAMILY, active=True)) == [arns[0], arns[2]]
    assert list(account.definitions.revisions(FAMILY, active=False)) == [arns[1]]


def test_what_is_deleted_is_listed_no_more(account: Account) -> None:
    """ECS names those that it did not delete: here none."""
    arn = account.register(FAMILY, 1)
    account.definitions.deregister(arn)
    assert list(account.definitions.delete([arn])) == []
    assert list(account.definitions.revisions(FAMILY, active=False)) == []


def test_a_family_without_tasks_has_none(account: Account) -> None:
    """It may go."""
    account.register(FAMILY, 1)
    assert not account.definitions.has_tasks(FAMILY)
