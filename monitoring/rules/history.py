"""A treatment's history as the rules see it: counts and events, in the order in which they happened."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from monitoring.rules.errors import InputError

Population = Literal["general", "ben"]
Bound = Literal["", "<", ">"]
EventKind = Literal[
    "first_dose",
    "last_dose",
    "restart",
    "rechallenge_approved",
    "hospice_agreed",
    "fever",
    "step_down_authorised",
]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

LOWEST_BEN_BASELINE = 1000
"""/uL. Below it a person with BEN could not have started (US label, section 2.2)."""


class Count(NamedTuple):
    """One blood count. `anc` and `wbc` are per microlitre, exact; `at` is when the blood was drawn."""

    at: datetime
    anc: Decimal | None
    anc_bound: Bound = ""
    wbc: Decimal | None = None
    wbc_bound: Bound = ""
    supported: bool = False
    id: str = ""
    flags: tuple[str, ...] = ()


class Event(NamedTuple):
    """Something that happened in the treatment. `at` is a plain date where the time of day is unknown."""

    kind: EventKind
    at: datetime | date
    stop: bool = False
    celsius: Decimal | None = None


Entry = tuple[datetime, Count | Event]
_INSTANT = itemgetter(0)


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of one treatment; `time_zone` is the clinic's, in which civil dates are taken."""

    time_zone: str = "UTC"
    population: Population = "general"
    baseline_anc: Decimal | None = None
    events: Iterable[Count | Event] = ()
    zone: ZoneInfo = field(init=False, repr=False, compare=False)
    timeline: tuple[Entry, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.baseline_anc is not None and self.baseline_anc < LOWEST_BEN_BASELINE:
            raise InputError(
                "baseline_anc",
                f"{self.baseline_anc} /uL is below {LOWEST_BEN_BASELINE} /uL, under which clozapine could not"
                " have been started; give the documented baseline per microlitre, or null",
            )
        zone = ZoneInfo(self.time_zone)
        object.__setattr__(self, "zone", zone)
        entries = [(instant_of(event.at, zone), event) for event in self.events]
        object.__setattr__(self, "timeline", _in_order(entries))


def instant_of(at: datetime | date, zone: ZoneInfo) -> datetime:
    """The UTC instant; a plain date begins at 00:00 in the clinic's zone."""
    if isinstance(at, datetime):
        return at.astimezone(UTC)
    return datetime(at.year, at.month, at.day, tzinfo=zone).astimezone(UTC)


_EVENT_RANK = {
    kind: rank
    for rank, kind in enumerate(
        (
            "first_dose",
            "step_down_authorised",
            "rechallenge_approved",
            "last_dose",
            "restart",
            "hospice_agreed",
            "fever",
        )
    )
}


_LOWER = (">", "", "<")


def _in_order(entries: list[Entry]) -> tuple[Entry, ...]:
    """By instant. Only where instants tie is the full order needed, and ties are rare."""
    entries.sort(key=_INSTANT)
    if any(earlier[0] == later[0] for earlier, later in pairwise(entries)):
        entries.sort(key=_total_order)
    return tuple(entries)


def _total_order(entry: Entry) -> tuple[Any, ...]:
    """Same instant: events before counts, and of counts the lowest last, so that it is the one that stands."""
    instant, item = entry
    if isinstance(item, Event):
        return instant, 0, _EVENT_RANK[item.kind], item.stop, item.celsius or 0
    anc = -item.anc if item.anc is not None else 0
    wbc = -item.wbc if item.wbc is not None else 0
    return instant, 1, anc, _LOWER.index(item.anc_bound), item.wbc is not None, wbc, item.supported, item.id
