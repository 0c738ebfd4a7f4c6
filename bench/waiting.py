"""The backend's wait for agents, in virtual time: `core.client` on items that change by a simulated clock.

A start takes 40 s, as many as others of its image have taken on the average. Read units are counted by the size of the
item; each call takes its published time (`bench.virtual.hops`), and an eventually consistent read may be behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from random import Random
from typing import Any, Final

from bench.quantiles import quantile
from bench.rows import CannotMeasure, Result, Row, Say, at_most
from bench.virtual import hops
from bench.virtual.hops import Hop
from core.client import Loaded, Reachable, ReachClient
from core.model.parts import Instant
from core.model.record import Record
from core.storage.item import to_item
from docs.metered_store import item_bytes
from tests.factories import START, pending
from tests.records import healthy, resolved

UNITS: Final = 60.0
DELAY: Final = 0.05
START_SECONDS: Final = 40.0
SPREAD: Final = 0.15
"""Of the logarithm of the time that starts of one image take, assumed: of 40 s, two in three are within 34 to 46 s."""
SPREADS: Final = (0.08, 0.15, 0.3)
EARLIER: Final = 5
"""Starts of the image that the client has waited for before."""
ALONE: Final = 400
"""Waits for one container that are lived, each by a client of its own."""
CROWDS: Final = (100, 10_000)
ANSWER: Final = (hops.SEND, hops.MESSAGE, hops.PROBER_CPU, hops.BATCH_GET, hops.HEALTH, hops.HEALTH, hops.PUT)
"""From the address in the item to the agent's answer in it, where the agent listens by then."""
PATIENCE: Final = 700.0
SHARES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(slots=True)
class _Clock:
    """`core.ports.Clock`, which only sleeping and calls move."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def random(self) -> float:
        return 0.5


@dataclass(frozen=True, slots=True)
class _Life:
    """The records of one container, each with the second from which on it is the item."""

    records: tuple[tuple[float, Record], ...]

    @property
    def answered(self) -> float:
        return self.records[-1][0]

    def at(self, seconds: float) -> Record | None:
        return next((record for begun, record in reversed(self.records) if begun <= seconds), None)


@dataclass(slots=True)
class _Table:
    """`core.client.Reader`. `units` are RRU, `calls` the requests."""

    clock: _Clock
    chance: Random
    lives: dict[str, _Life] = field(default_factory=dict)
    units: float = 0.0
    calls: int = 0

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """GetItem."""
        return self._read([container_id], hops.GET, consistent=consistent).records.get(container_id)

    def load_some(self, container_ids: Iterable[str], *, consistent: bool) -> Loaded:
        """BatchGetItem."""
        return self._read(list(container_ids), hops.BATCH_GET, consistent=consistent)

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """No wait does this."""
        raise NotImplementedError(tuple(container_ids))

    def scheduled(self) -> Iterable[str]:
        """No wait does this."""
        raise NotImplementedError

    def load_all(self) -> Loaded:
        """No wait does this."""
        raise NotImplementedError

    def _read(self, ids: list[str], hop: Hop, *, consistent: bool) -> Loaded:
        half = hop.draw(self.chance) / 2
        self.clock.sleep(half)
        behind = 0.0 if consistent else hops.REPLICA.draw(self.chance)
        found = {one: record for one in ids if (record := self.lives[one].at(self.clock.seconds - behind))}
        self.clock.sleep(half)
        self.calls += 1
        self.units += sum(ceil(_bytes(record) / 4096) * (1 if consistent else 0.5) for record in found.values())
        return Loaded(found)


@dataclass
class Waits:
    """What came of some waits: seconds from each answer in its item to the backend knowing it, and RRU of each."""

    delays: list[float] = field(default_factory=list)
    units: list[float] = field(default_factory=list)
    calls: int = 0


def alone(spread: float, earlier: int, waits: int | None = None) -> Waits:
    """Waits for one container whose start takes 40 s, each after so many earlier ones by the same client."""
    found = Waits()
    for number in range(waits or ALONE):
        chance = Random(f"alone/{spread}/{earlier}/{number}")  # noqa: S311 - repeatable, not secret
        client, table = _client(chance)
        _teach(client, table, spread, earlier)
        before, calls = table.units, table.calls
        life = _start(table, "alone", START_SECONDS)
        client.wait_until_healthy("alone", PATIENCE, generation=1)
        found.delays.append(table.clock.seconds - life.answered)
        found.units.append(table.units - before)
        found.calls += table.calls - calls
    return found


def together(waiters: int, spread: float = SPREAD) -> Waits:
    """One wait for so many containers that were started at once."""
    client, table = _client(Random(f"together/{waiters}"))  # noqa: S311 - repeatable, not secret
    _teach(client, table, spread, EARLIER)
    before, calls = table.units, table.calls
    lives = {f"{number:064x}": 0.0 for number in range(waiters)}
    for name in lives:
        lives[name] = _start(table, name, _duration(table.chance, spread)).answered
    found = Waits()
    for name, outcome in client.wait_many(dict.fromkeys(lives, 1), PATIENCE):
        if not isinstance(outcome, Reachable):
            raise CannotMeasure(str(outcome))
        found.delays.append(table.clock.seconds - lives[name])
    found.units = [(table.units - before) / waiters]
    found.calls = table.calls - calls
    return found


def measure(say: Say) -> Result:
    """Nothing depends on the machine but how long it takes: half a minute."""
    kinds: dict[str, Callable[[], Waits]] = {
        f"1, the image known, spread {spread:g}": lambda spread=spread: alone(spread, EARLIER)  # type: ignore[misc]
        for spread in SPREADS
    }
    kinds["1, the image not known"] = lambda: alone(SPREAD, 0)
    kinds |= {f"{crowd:,} at once": lambda crowd=crowd: together(crowd) for crowd in CROWDS}  # type: ignore[misc]
    found = {}
    for name, wait in kinds.items():
        found[name] = wait()
        say(f"{name}: {_told(found[name])}")
    chosen = [f"1, the image known, spread {SPREAD:g}", *(f"{crowd:,} at once" for crowd in CROWDS)]
    rows = [row for name in chosen for row in _rows(name, found[name])]
    return Result(tuple(rows), {"waits": [_document(name, one) for name, one in found.items()]})


def _rows(name: str, waits: Waits) -> Iterable[Row]:
    what = f"the backend's wait for a start of 40 s: {name.removesuffix(f', spread {SPREAD:g}')}"
    mean, delay = sum(waits.units) / len(waits.units), quantile(waits.delays, SHARES["p50"])
    yield at_most(
        UNITS,
        "read units",
        mean,
        point="4",
        what=what,
        measured=f"{mean:.1f} RRU",
        why=f"starts of one image whose times spread more than by {SPREAD:g} are looked for longer",
    )
    call = dict(hops.BATCH_GET.quantiles)[SHARES["p50"]]
    yield at_most(
        DELAY * 1000,
        "ms of delay, p50",
        delay * 1000,
        point="4",
        what=what,
        measured=f"{delay * 1000:.0f} ms",
        why=f"a call reads 100 items in {call:g} ms (p50), so one client reads {100_000 / call:,.0f} a second, and "
        "these are awaited within the same seconds",
    )


def _document(name: str, waits: Waits) -> Mapping[str, Any]:
    return {
        "waiters": name,
        "units": round(sum(waits.units) / len(waits.units), 1),
        "calls": round(waits.calls / len(waits.delays), 1),
        **{share: round(quantile(waits.delays, of) * 1000, 1) for share, of in SHARES.items()},
    }


def _told(waits: Waits) -> str:
    return f"{sum(waits.units) / len(waits.units):.1f} RRU, {quantile(waits.delays, SHARES['p50']) * 1000:.0f} ms (p50)"


def _client(chance: Random) -> tuple[ReachClient, _Table]:
    clock = _Clock()
    table = _Table(clock, chance)
    return ReachClient(table, clock), table


def _teach(client: ReachClient, table: _Table, spread: float, earlier: int) -> None:
    for _ in range(earlier):
        _start(table, "earlier", _duration(table.chance, spread))
        client.wait_until_healthy("earlier", PATIENCE, generation=1)


def _duration(chance: Random, spread: float) -> float:
    return START_SECONDS * chance.lognormvariate(0, spread)


def _start(table: _Table, name: str, seconds: float) -> _Life:
    """A container that is started now, and whose agent has answered so many seconds later."""
    begun = table.clock.seconds
    answered = begun + seconds
    known = answered - sum(hop.draw(table.chance) for hop in ANSWER)
    now = {"container_id": name, "created_at": table.clock.now()}
    instants = {
        Instant.RESOLVED: START + timedelta(seconds=known),
        Instant.HEALTHY: START + timedelta(seconds=answered),
    }
    records = (
        (begun, pending(**now)),
        (known, replace(resolved(**now), timings={Instant.RESOLVED: instants[Instant.RESOLVED]})),
        (answered, replace(healthy(**now), timings=instants)),
    )
    life = table.lives[name] = _Life(records)
    return life


_SIZES: Final[dict[str, int]] = {}


def _bytes(record: Record) -> int:
    """Items of one state are as large in all lives here."""
    if record.state not in _SIZES:
        _SIZES[record.state] = item_bytes(to_item(record))
    return _SIZES[record.state]
