"""What ECS promises who starts tasks (`core.ports.Ecs`), on the fake and on moto.

Not on ministack, which needs a container engine for it. What moto gets wrong is in no test here: client tokens, missing
tasks, a stop of an unknown one (`tests.moto_aws`). The local Fargate has tests of those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.adapters.ecs import BotoEcs
from core.model.errors import DefinitionGone
from tests.factories import CLUSTER
from tests.fakes import FakeEcs

if TYPE_CHECKING:
    from core.ports import Ecs, Launched
    from tests.contract.conftest import Clients

FAMILY = "sockerless-0123456789abcdef0123456789abcdef"


class Account:
    """An ECS under test, and where its tasks run."""

    def __init__(self, clients: Clients | None) -> None:
        self.ecs: Ecs
        self.network: dict[str, Any] = {"subnets": ["subnet-00000001"], "securityGroups": ["sg-00000001"]}
        if clients is None:
            self.ecs = FakeEcs()
            return
        client, ec2 = clients("ecs"), clients("ec2")
        client.create_cluster(clusterName="default")
        self.network = {
            "subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]],
            "securityGroups": [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]],
        }
        self.ecs = BotoEcs(client)

    def register(self) -> None:
        """As `core.launch.definition` asks for it, in little: no container has a memory of its own."""
        self.ecs.register(
            {
                "family": FAMILY,
                "requiresCompatibilities": ["FARGATE"],
                "networkMode": "awsvpc",
                "cpu": "256",
                "memory": "512",
                "containerDefinitions": [{"name": "init", "image": "agent:1"}, {"name": "main", "image": "debian"}],
            }
        )

    def run(self, container: str = "a", **changes: Any) -> Launched:
        """One task of that container."""
        return self.ecs.run(
            {
                "taskDefinition": FAMILY,
                "cluster": CLUSTER,
                "launchType": "FARGATE",
                "count": 1,
                "startedBy": started_by(container),
                "clientToken": container,
                "networkConfiguration": {"awsvpcConfiguration": self.network},
                "overrides": {
                    "containerOverrides": [{"name": "main", "environment": [{"name": "OWN", "value": container}]}]
                },
                **changes,
            }
        )


@pytest.fixture
def account(clients: Clients | None) -> Account:
    """A cluster without tasks."""
    return Account(clients)


pytestmark = pytest.mark.parametrize("clients", ["memory", "moto"], indirect=True)


def started_by(container: str) -> str:
    return f"sockerless/{container * 64}/1"


def test_a_family_without_a_definition_is_gone(account: Account) -> None:
    """The start registers it then, and the same request runs."""
    with pytest.raises(DefinitionGone):
        account.run()
    account.register()
    launched = account.run()
    assert launched.task_definition_arn.endswith(f":task-definition/{FAMILY}:1")
    assert launched.cluster_arn == CLUSTER


def test_a_family_is_its_newest_revision(account: Account) -> None:
    """Registered twice at once by two starts: either is right, and the newer one is taken."""
    for _ in range(2):
        account.register()
    assert account.run().task_definition_arn.endswith(f"{FAMILY}:2")


def test_a_task_is_found_by_who_started_it(account: Account) -> None:
    """And no other; without one there is none."""
    account.register()
    one, other = account.run("a"), account.run("b")
    assert account.ecs.find(CLUSTER, started_by("a")) == (one.task_arn,)
    assert account.ecs.find(CLUSTER, started_by("b")) == (other.task_arn,)
    assert account.ecs.find(CLUSTER, started_by("c")) == ()
    assert account.ecs.find(CLUSTER, started_by("a"), stopped=True) == ()


def test_a_description_shows_what_was_asked_for(account: Account) -> None:
    """Whose task it is, its definition, its overrides and its tags: all that the record is built from."""
    account.register()
    launched, _ = account.run("a", tags=[{"key": "team", "value": "blue"}]), account.run("b")
    answer = account.ecs.describe(CLUSTER, [launched.task_arn])
    assert (answer.missing, answer.refused) == ((), ())
    [task] = answer.tasks
    assert task["taskArn"] == launched.task_arn
    assert task["startedBy"] == started_by("a")
    assert task["taskDefinitionArn"] == launched.task_definition_arn
    assert task["desiredStatus"] == "RUNNING"
    assert task["tags"] == [{"key": "team", "value": "blue"}]
    [main] = [one for one in task["overrides"]["containerOverrides"] if one["name"] == "main"]
    assert main["environment"] == [{"name": "OWN", "value": "a"}]
    assert {"version", "createdAt"} <= task.keys()


def test_a_task_that_was_stopped_runs_no_more(account: Account) -> None:
    """It is not listed among the running ones, and still found by who started it."""
    account.register()
    one, other = account.run("a"), account.run("b")
    assert set(account.ecs.running(CLUSTER).task_arns) == {one.task_arn, other.task_arn}
    assert account.ecs.stop(CLUSTER, one.task_arn, "asked for")
    assert account.ecs.running(CLUSTER).task_arns == (other.task_arn,)
    assert account.ecs.find(CLUSTER, started_by("a")) == ()
    assert account.ecs.find(CLUSTER, started_by("a"), stopped=True) == (one.task_arn,)
    [task] = account.ecs.describe(CLUSTER, [one.task_arn]).tasks
    assert task["desiredStatus"] == "STOPPED"
