from __future__ import annotations

import pytest

from core.model.families import family_in, family_of, family_stem, is_family_of, revision_in
from tests.factories import CLUSTER

OURS = family_of("sockerless", CLUSTER, {"cpu": "256"})


def test_a_family_is_the_stack_and_the_content() -> None:
    """Prefix, 8 hex digits of the cluster, 24 of the content; a member's place in the document does not matter."""
    stem = family_stem("sockerless", CLUSTER)
    assert OURS.startswith(stem)
    assert (len(stem), len(OURS)) == (len("sockerless-") + 8, len("sockerless-") + 32)
    assert family_of("sockerless", CLUSTER, {"a": 1, "b": 2}) == family_of("sockerless", CLUSTER, {"b": 2, "a": 1})
    assert family_of("sockerless", CLUSTER, {"cpu": "512"}) != OURS


@pytest.mark.parametrize(
    "other",
    [
        family_of("sockerless", f"{CLUSTER}-2", {"cpu": "256"}),
        family_of("sockerless-dev", CLUSTER, {"cpu": "256"}),
        family_of("other", CLUSTER, {"cpu": "256"}),
        OURS[:-1],
        f"{OURS}0",
        f"{OURS[:-1]}g",
        f"{OURS[:-1]}A",
        f"{OURS[:-1]}\n",
        "sockerless-web",
        family_stem("sockerless", CLUSTER),
    ],
)
def test_no_other_stacks_and_no_users_family_is_ours(other: str) -> None:
    """Neither another cluster's with the same prefix, nor a prefix that begins like ours, nor a name by hand."""
    stem = family_stem("sockerless", CLUSTER)
    assert is_family_of(stem, OURS)
    assert not is_family_of(stem, other)


def test_the_parts_of_an_arn() -> None:
    """The family and the revision of a definition's ARN; one without a revision is refused."""
    arn = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{OURS}:12"
    assert (family_in(arn), revision_in(arn)) == (OURS, 12)
    with pytest.raises(ValueError, match="invalid literal"):
        revision_in(arn.removesuffix(":12"))
