"""Random histories for property tests: edge-loving counts, gaps, fevers, approvals, in any zone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import available_timezones

from hypothesis import strategies as st

from monitoring.rules.history import Count, Event, History

START = datetime(2024, 2, 20, 9, tzinfo=UTC)
EDGES = (0, 400, 499, 500, 501, 999, 1000, 1001, 1200, 1499, 1500, 1501, 2400, 4000)
ZONES = sorted(available_timezones() - {"localtime"})

FEW_ZONES = st.sampled_from(["UTC", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe"])
values = st.one_of(st.sampled_from(EDGES).map(Decimal), st.decimals(0, 9000, places=2))
moments = st.integers(0, 24 * 400).map(lambda hours: START + timedelta(hours=hours))


@st.composite
def counts(draw):
    """One count; now and then an upper or lower bound, or taken under support."""
    return Count(
        at=draw(moments),
        anc=draw(values),
        anc_bound=draw(st.sampled_from(["", "", "", "<", ">"])),
        supported=draw(st.booleans()),
    )


@st.composite
def events(draw):
    """Anything but a count, sometimes with its date alone."""
    kind = draw(
        st.sampled_from(
            ["last_dose", "restart", "last_dose", "restart", "rechallenge_approved", "hospice_agreed", "fever"]
        )
    )
    at = draw(moments)
    celsius = Decimal(draw(st.sampled_from(["38.4", "38.5", "39.1"]))) if kind == "fever" else None
    stop = kind == "last_dose" and draw(st.booleans())
    return Event(kind=kind, at=at.date() if draw(st.booleans()) else at, stop=stop, celsius=celsius)


@st.composite
def histories(draw, *, zones=None, fever=True):
    """A treated patient's history, in no particular order."""
    zone = draw(FEW_ZONES if zones is None else zones)
    told = draw(st.lists(counts(), max_size=14)) + draw(st.lists(events(), max_size=4))
    if not fever:
        told = [item for item in told if not (isinstance(item, Event) and item.kind == "fever")]
    begun = [Event("first_dose", START + timedelta(days=draw(st.integers(0, 40))))] if draw(st.booleans()) else []
    population = draw(st.sampled_from(["general", "general", "ben"]))
    baseline = draw(st.sampled_from([None, Decimal(1000), Decimal(1250)])) if population == "ben" else None
    return History(
        time_zone=zone, population=population, baseline_anc=baseline, events=tuple(draw(st.permutations(told + begun)))
    )
