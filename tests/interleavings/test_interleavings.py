from __future__ import annotations

import pytest

from tests.exploration.faults import Fault
from tests.interleavings.__main__ import mutated
from tests.interleavings.mutations import MUTATIONS, Mutation
from tests.interleavings.scene import Scene
from tests.interleavings.scenes import SCENES
from tests.interleavings.search import Searched, search
from tests.interleavings.state import Left
from tests.interleavings.task import Fate


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_no_interleaving_breaks_a_rule(scene: Scene, searched: list[Searched]) -> None:
    """Every interleaving of the scene, to its depth, and every rest that follows from it, keeps every rule."""
    found = search(scene, depth=scene.depth)
    searched.append(found)
    assert not found.broken, "\n\n".join(map(str, found.broken))
    assert found.whole or found.depth == scene.depth
    assert found.states > 100


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_without_a_safeguard_a_rule_breaks(mutation: Mutation) -> None:
    """Each safeguard, removed from the code in memory: some interleaving shows what it is for."""
    assert mutated(mutation).broken, f"no rule sees that {mutation.without}"


def test_scenes_have_everything_that_may_go_wrong() -> None:
    """Every request, delivery, fault, death, lag, skew, deployment and fate is in some scene."""
    for name in set(Left._fields):
        assert any(getattr(scene.left, name) for scene in SCENES), name
    assert {fate for scene in SCENES for fate in (scene.first, *scene.fates)} == set(Fate)
    # What is denied is denied for good: the random lives have that.
    assert {fault for scene in SCENES for fault in scene.ways} == set(Fault) - {Fault.DENIED}
    for trouble in ("lags", "dies", "loses", "doubles", "young", "recycles", "stranger", "agrees"):
        assert any(getattr(scene, trouble) for scene in SCENES), trouble
    assert {skew for scene in SCENES for skew in scene.skews} == {-1, 0, 1}
    assert max(scene.containers for scene in SCENES) == 2


def test_a_search_repeats_itself() -> None:
    """The same scene has the same states and steps each time, so its numbers can be compared."""
    scene = SCENES[0]
    first, again = (search(scene, depth=5) for _ in range(2))
    assert (first.states, first.transitions, first.runs) == (again.states, again.transitions, again.runs)


def test_a_way_to_a_broken_rule_is_told() -> None:
    """A find names the rule, the steps that lead to it from the first state, and how the world went on."""
    found = mutated(MUTATIONS[0]).broken[0]
    assert found.rule == "version"
    assert str(found).startswith("version: task_version goes back from")
    assert any("event arrives" in label for label in found.path)
