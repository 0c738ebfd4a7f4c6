"""Labels as tags."""

from hypothesis import given
from hypothesis import strategies as st

from core.launch.ecs_rules import MAX_TAGS, tags_of
from local.fargate.rules import override_violations

RUN = {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}


@given(st.dictionaries(st.text(max_size=140), st.text(max_size=270), max_size=60))
def test_every_label_is_a_tag_or_named_as_left_out(labels: dict[str, str]) -> None:
    """No label is lost in silence or altered, and AWS takes the tags."""
    tags, left_out = tags_of(labels)
    assert {tag["key"]: tag["value"] for tag in tags} | {key: labels[key] for key in left_out} == labels
    assert override_violations({**RUN, "tags": tags}) == ()


def test_what_aws_does_not_allow_is_left_out() -> None:
    """Reserved prefixes, foreign characters and lengths: such a label stays with the caller."""
    labels = {"team": "Straße 1+2=3", "": "x", "k" * 129: "", "long": "v" * 257, "AWS:x": "", "y": "aws:z", "a": "b,c"}
    tags, left_out = tags_of(labels)
    assert tags == [{"key": "team", "value": "Straße 1+2=3"}]
    assert set(left_out) == set(labels) - {"team"}


def test_signs_of_workflow_engines_are_left_out_by_name() -> None:
    """A quotation mark and brackets, as users put them into labels: those two stay out, the third is a tag."""
    tags, left_out = tags_of({"flow": "Hello World: ' ", "step": "process[file_1]", "ok": "yes"})
    assert tags == [{"key": "ok", "value": "yes"}]
    assert set(left_out) == {"flow", "step"}


def test_the_first_fifty_by_name_become_tags() -> None:
    """More than AWS's fifty: which ones stay does not depend on the order they came in."""
    labels = {f"label-{number:03}": "" for number in range(MAX_TAGS + 5)}
    tags, left_out = tags_of(dict(reversed(labels.items())))
    assert [tag["key"] for tag in tags] == sorted(labels)[:MAX_TAGS]
    assert list(left_out) == sorted(labels)[MAX_TAGS:]
