"""What the documents say of money: counted by rules that hold, and following what is in the template and the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.virtual.one_start import durations
from core.client import ReachClient
from core.control.background_run import RunReport
from core.ports import RevisionConflict
from docs import costs, counted, functions_in_memory, generate, measured
from docs.metered_store import MeteredStore, item_bytes
from docs.prices import ASSUMED, PRICES, WAIT_SECONDS
from handlers import telemetry
from handlers.app import App
from tests.factories import CONTAINER_ID, at, pending
from tests.template import load_template

ROOT = Path(__file__).parents[2]


@pytest.fixture
def forget() -> Iterator[Callable[[], None]]:
    """Called, what a test has changed is measured anew; what it measured is forgotten when it has ended."""
    yield measured.measured.cache_clear
    measured.measured.cache_clear()


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))]
)
def test_every_figure_of_money_is_computed(document: str) -> None:
    """A dollar stands in a generated part, or in the sentence on polling, which is compared with the computation."""
    text = re.sub(r"<!-- generated: .*?<!-- end: ", "", (ROOT / document).read_text(), flags=re.DOTALL)
    text = re.sub(r"```bash.*?```", "", text, flags=re.DOTALL)  # $0 of a shell or of awk is no money
    sentences = re.findall(r"A wait of\s+(\d+) s at this pace costs about (\d+) RRU, (\$[\d.]+\d)", text)
    assert len(re.findall(r"\$\d", text)) == len(sentences)
    assert set(sentences) <= {polling()}


def test_the_backends_client_says_what_the_documents_say() -> None:
    """Its docstring is where a Python backend reads of the cost."""
    found = re.search(
        r"a start of (\d+) s costs about (\d+) RRU, (\$[\d.]+\d)", str(ReachClient.wait_until_healthy.__doc__)
    )
    assert found is not None
    assert found.groups() == polling()
    assert "A wait of" in (ROOT / "docs" / "item.md").read_text()


def polling() -> tuple[str, str, str]:
    """Seconds, RRU, dollars."""
    reads = costs.wait_reads(WAIT_SECONDS)
    return str(WAIT_SECONDS), str(reads), f"${costs.Line('', reads, 'read').dollars:.7f}"


def test_a_tables_units_are_dynamodbs() -> None:
    """A read by 4 KB, a write by 1 KB and once for each index entry that comes or goes."""
    store = MeteredStore()
    store.load(CONTAINER_ID)
    assert (store.reads, store.writes) == (1, 0)  # a read that finds nothing is a read
    first = pending(watch="shard-1", check_at=at(60))
    store.save(first)
    assert store.writes == 1 + 1
    store.save(pending(revision=2, watch="shard-1", check_at=at(90)))
    assert store.writes == 2 + 1 + 2
    store.save(pending(revision=3, watch="shard-1", check_at=at(90)))
    assert store.writes == 5 + 1
    store.save(pending(revision=4, watch=None, check_at=None, image="i" * 1024))
    assert store.writes == 6 + 2 + 1
    assert list(store.due("shard-1", at(100))) == []
    assert store.reads == 1.5
    store.load(CONTAINER_ID, consistent=False)
    assert (store.reads, store.gets) == (2, 2)
    with pytest.raises(RevisionConflict):
        store.save(pending())
    assert store.writes == 9 + 2, "a write that is refused costs what the old item has"
    assert (store.puts, store.index_writes) == (5, 1 + 2 + 1)


def test_an_items_size_is_dynamodbs() -> None:
    """Names and texts count by the byte, numbers by their digits, maps and lists 3 more and 1 for each member."""
    assert item_bytes({"name": "héé", "ended": True}) == 4 + 5 + 5 + 1
    assert item_bytes({"n": 1234}) == 1 + 2 + 2
    assert item_bytes({"list": ["ab", "c"], "map": {"k": "v"}}) == (4 + 3 + 1 + 2 + 1 + 1) + (3 + 3 + 1 + 1 + 1)


def test_a_life_is_measured_whole(forget: Callable[[], None]) -> None:
    """Every function but the reconciler takes part, every state of a good life is entered, and nothing is left over."""
    before = (App.settings, App.store, App.ecs)
    first = measured.measured().life
    assert (App.settings, App.store, App.ecs) == before
    assert first.invocations == {
        "StartContainerFunction": 1,
        "TaskStateFunction": 4,
        "AgentHealthFunction": 1,
        "StopContainerFunction": 1,
    }
    entered = {value for name, *rest in first.metrics if name == "StateEntered" for value in rest if "state" in value}
    assert {one.removeprefix("state=") for one in entered} == {
        "pending",
        "task-running",
        "eni-resolved",
        "agent-healthy",
        "stopped",
    }
    forget()
    assert measured.measured().life == first


def test_lines_are_products_and_sums() -> None:
    """A line is its count times its price, and the last row of a table is the sum of the others."""
    for lines in (costs.standing(), costs.with_traffic(), costs.life(3600), costs.staying()):
        for line in lines:
            assert line.amount > 0
            assert line.dollars == line.amount * PRICES[line.price].dollars / PRICES[line.price].per
        _, [*_, (_, _, _, shown)] = costs.table(lines, "", 9)
        assert shown == f"**${sum(line.dollars for line in lines):.9f}**"


def test_a_longer_life_is_looked_at_more_often() -> None:
    """The reconciler's first look comes after half an interval at the earliest, then one in each interval."""
    writes, reads = costs.looks(3600)
    assert costs.looks(60)[0] == 0
    assert costs.looks(7200)[0] - writes == pytest.approx(4 / 3.5 * writes)
    assert reads > costs.looks(60)[1] > 0


def test_a_million_lives_are_a_million_times_one() -> None:
    """The sums stand below their components, and the polling start, which AWS charges nothing for, below them."""
    head, [*lines, sums, polling] = costs.lives()
    assert len(head) == 2 + len(costs.LIVES)
    assert len(lines) == len(costs.life(60))
    assert sums[2:] == tuple(f"**${1e6 * costs.total(costs.life(seconds)):.2f}**" for seconds in costs.LIVES.values())
    assert polling[2:] == ("32 DescribeTasks a life: $0.00", "740 DescribeTasks a life: $0.00")


def test_a_function_is_billed_for_as_long_as_it_runs_in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that takes twice as long costs twice its time."""
    time = {line.what: line for line in costs.life(60)}["Lambda time, the prober's waiting in it"]
    longer = {name: 2 * seconds for name, seconds in durations().items()}
    assumed = {name: 2 * seconds for name, seconds in ASSUMED.items()}
    monkeypatch.setattr(costs, "durations", lambda: longer)
    monkeypatch.setattr(costs, "ASSUMED", assumed)
    again = {line.what: line for line in costs.life(60)}[time.what]
    assert again.amount == pytest.approx(2 * time.amount)


def test_an_alarm_and_a_schedule_more_are_paid_for(forget: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever adds one to the template sees it in the sum. An alarm on an expression pays for each metric in it."""
    before = {line.what: line for line in costs.standing()}
    template = load_template()
    expression = [{"MetricStat": {}}, {"MetricStat": {}}, {"Expression": "a / b"}]
    template["Resources"]["One"] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": expression}}
    events = template["Resources"]["ReconcileFunction"]["Properties"]["Events"]
    events["EveryDay"] = {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(24 hours)"}}
    monkeypatch.setattr(counted, "template", lambda: template)
    monkeypatch.setattr(functions_in_memory, "template", lambda: template)
    forget()
    after = {line.what: line for line in costs.standing()}

    alarms, runs = "alarms, by the metrics that they look at", "runs of the schedules"
    assert after[alarms].amount == before[alarms].amount + 2
    assert after[runs].amount == before[runs].amount + 30


def test_a_metric_more_is_paid_for(forget: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever counts something new in a run of the reconciler sees it in the table, by name."""
    before, reconciled = costs.standing()[0], telemetry.reconciled

    def more(report: RunReport) -> None:
        reconciled(report)
        telemetry.count("Another", 0)

    monkeypatch.setattr(telemetry, "reconciled", more)
    forget()
    after = costs.standing()[0]
    assert "`Another`" in after.what
    assert after.amount == before.amount + 1


def test_metrics_of_trouble_are_named() -> None:
    """What neither an idle stack nor a good life sends is told of, too."""
    trouble = costs.unhappy_metrics()
    assert {"Conflicts", "Failed", "StaleEvents"} <= set(trouble)
    assert not {"StateEntered", "OldestDueSeconds"} & set(trouble)
    assert all(f"`{name}`" in costs.facts() for name in trouble)


def test_the_page_is_the_computation() -> None:
    """The parts of the page that are about money are written by docs.costs alone."""
    assert {"cost-facts", "standing-cost", "life-cost", "prices"} <= set(generate.PARTS["docs/operations.md"])


def test_a_rate_that_is_not_understood_is_no_zero() -> None:
    """A schedule that cannot be counted stops `make docs`."""
    assert counted.runs_a_month("rate(15 minutes)") == 2920
    with pytest.raises(ValueError, match="cron"):
        counted.runs_a_month("cron(0 * * * ? *)")
