"""How far a supply may reach: by the frequency of the tests, from the draw or the supply, and past the next test."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from monitoring.rules.judgement import Judgement
from monitoring.rules.protocol import Frequency, Protocol, Supply
from monitoring.rules.reasons import IN_WORDS

BEGINS = ("may_start", "do_not_start")


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyPolicy:
    """What a clinic may set: fewer days than the protocol's at a frequency, and how far past the test they reach."""

    days: Mapping[Frequency, int]
    """At a frequency; never more than the protocol's own."""
    margin_days: int = 3
    discharge_days: int | None = None
    """At most so many at discharge from hospital; null: as any other supply."""
    needs_enrolment: bool = False
    closed: Collection[date] = ()
    """Days ahead, besides weekends, on which the clinic takes no blood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a supply rests on: how often tests are taken, the latest draw, and when the next test is due and late."""

    frequency: Frequency
    drawn_on: date | None
    due_on: date | None
    overdue_after: date | None
    limits_until: date | None = None
    """The last day of limits that were agreed for this person: no tablets reach past it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The last day, and the rules that put it there, each in a sentence."""

    until: date
    because: tuple[tuple[str, str], ...]
    by_draw: bool = False
    """The days count from the draw: an overdue test does not end them."""


def basis_of(judgement: Judgement, protocol: Protocol, drawn_on: date | None) -> Basis:
    """What the judgement says of tests. Where none are owed, the phase tells how often they were taken.

    Whoever is to begin, for the first time or anew, begins with the protocol's first phase.
    """
    first = protocol.phases[0].frequency
    frequency = judgement.frequency if judgement.frequency != "none" else judgement.phase or first
    return Basis(
        frequency=first if judgement.treatment in BEGINS else frequency,
        drawn_on=drawn_on,
        due_on=judgement.due_on,
        overdue_after=judgement.overdue_after,
        limits_until=judgement.limits_until,
    )


def last_day(
    basis: Basis,
    protocol: Protocol,
    policy: SupplyPolicy,
    day: date,
    *,
    begins: date | None = None,
    since_draw: timedelta | None = None,
) -> Reached | None:
    """The last day that tablets collected on `day` may reach; null: nothing limits it. It may lie before that day.

    `begins`: the day on which taking them begins, where tablets at home are taken first.
    """
    supply = protocol.supply or Supply({})
    allowed = {name: min(days, policy.days.get(name, days)) for name, days in supply.days.items()}
    listed = basis.frequency in allowed
    limits = [*_past_the_test(basis, supply, policy)] if not (supply.from_draw and listed) else []
    if supply.from_draw and basis.drawn_on is not None and allowed:
        days = allowed.get(basis.frequency, min(allowed.values()))
        text = f"{_every(basis)}: at most {days} days, counted from the draw on {basis.drawn_on}."
        limits.append((basis.drawn_on + timedelta(days=days - 1), "days", text))
    elif allowed:
        # A frequency that is not listed is a short one, such as three times a week: the next test limits it.
        late = days_late(basis, supply, day, since_draw)
        limits.append(_from_supply(basis, supply, allowed, begins or day, late))
    if not limits:
        return None
    until, rule, text = min(limits, key=lambda limit: limit[0])
    rule = f"supply.{basis.frequency if rule == 'days' else rule}"
    return Reached(until=until, because=((rule, text),), by_draw=supply.from_draw and listed)


def days_late(basis: Basis, supply: Supply, day: date, since_draw: timedelta | None) -> int:
    """Days since the draw, where the supply is collected later after it than the protocol lets pass; else 0."""
    if supply.late_collection_hours is None or basis.drawn_on is None:
        return 0
    days = (day - basis.drawn_on).days
    elapsed = timedelta(days=days) if since_draw is None else since_draw
    return days if elapsed > timedelta(hours=supply.late_collection_hours) else 0


Limit = tuple[date, str, str]
"""The last day, the rule, and its sentence."""


def _from_supply(basis: Basis, supply: Supply, allowed: Mapping[Frequency, int], begins: date, late: int) -> Limit:
    days = allowed.get(basis.frequency, max(allowed.values()))
    text = f"{_every(basis)}: at most {days} days at a time."
    if late:
        hours = supply.late_collection_hours
        text = f"{_every(basis)}: {days} days less {late}, because more than {hours} hours have passed since the draw."
    return begins + timedelta(days=days - late - 1), "late_collection" if late else "days", text


def _past_the_test(basis: Basis, supply: Supply, policy: SupplyPolicy) -> list[Limit]:
    if basis.due_on is None:
        return []
    ends = max(basis.due_on, basis.overdue_after or basis.due_on)
    margin = timedelta(days=policy.margin_days)
    words = f"The next test is in time until {ends}"
    found: Mapping[str, tuple[date, str]] = {
        "margin": (ends + margin, f"{words}, and this clinic supplies {policy.margin_days} days past that."),
        "window": (ends, f"{words}: no supply reaches past that."),
        "due": (basis.due_on, f"The next test is due on {basis.due_on}: no supply reaches past that."),
    }
    until, text = found[supply.reaches]
    return [(until, "next_test", text)]


def _every(basis: Basis) -> str:
    return f"Tests {IN_WORDS[basis.frequency]}"
