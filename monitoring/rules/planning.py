"""Supply that is planned ahead: at discharge from hospital, and for days away, with the latest day for the sample.

It speaks of blood as it would be if the next count is as good as the latest one; the answer of the day itself decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from monitoring.rules.calendar import due, last_day_in_time, working_day
from monitoring.rules.eligibility import Why
from monitoring.rules.protocol import Protocol
from monitoring.rules.supplying import Basis, SupplyPolicy, last_day

DAY = timedelta(days=1)
LONGEST_AHEAD = 400
"""Days: nobody plans further, and it bounds the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A supply collected on a day that lies ahead. `days` counts that day."""

    collect_on: date
    back_on: date | None
    """The day on which the patient is back, which the tablets have to reach; null: a discharge."""
    days: int
    until: date | None
    """The last day that the tablets reach; null: none may be given on this blood."""
    enough: bool
    sample_from: date | None
    """Blood drawn before this day does not reach far enough; null: the latest count does."""
    sample_by: date | None
    """The latest open day for the next sample. Null: none is owed, or none would do."""
    says: tuple[str, ...]
    prescriber_decides: bool = False
    """The advice leaves it to the prescriber whether there is a supply at all."""


def weighed(planned: Planned, against: Sequence[Why]) -> Planned:
    """The plan as the advice lets it stand: none where nothing may be supplied, or what a prescriber decides first."""
    held = tuple(one.text for one in against if one.answer == "do_not_supply")
    if held:
        return _nothing(planned.collect_on, planned.back_on, held)
    asked = tuple(one.text for one in against if one.answer == "prescriber_decides")
    return replace(planned, prescriber_decides=bool(asked), says=(*asked, *planned.says))


def at_discharge(basis: Basis, protocol: Protocol, policy: SupplyPolicy, *, today: date, day: date) -> Planned:
    """What may be given along on the day of discharge, and the latest day for the sample, so that no gap follows."""
    until = _until(basis, protocol, policy, day)
    says = []
    if until is not None and policy.discharge_days is not None and (until - day).days >= policy.discharge_days:
        until = day + (policy.discharge_days - 1) * DAY
        says.append(f"This clinic gives at most {_counted(policy.discharge_days)} at discharge.")
    if until is None or until < day:
        return _nothing(day, None, (*says, "The latest count covers nothing on that day: take blood before it."))
    wanted = min(until, basis.overdue_after or until)
    by = max(working_day(wanted, policy.closed), today)
    days = (until - day).days + 1
    says.append(f"{_counted(days)}, until {until}. {_sample_for_discharge(by, wanted, day=day, today=today)}")
    return Planned(
        collect_on=day, back_on=None, days=days, until=until, enough=True, sample_from=None, sample_by=by,
        says=tuple(says),
    )  # fmt: skip


def _sample_for_discharge(by: date, wanted: date, *, day: date, today: date) -> str:
    """The latest day for the sample, in words; and why, where that is before the discharge."""
    if wanted < today:
        return f"The test is overdue, it was in time until {wanted}: take blood now."
    text = f"Take blood by {by}, so that the next supply follows without a gap."
    if by >= day:
        return text
    between = "the test is due by then." if wanted < day else "no blood is taken here between the two."
    return f"{text} That is before the discharge: {between}"


def _counted(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'}"


def for_days_away(
    basis: Basis, protocol: Protocol, policy: SupplyPolicy, *, today: date, leaves_on: date, back_on: date
) -> Planned:
    """Tablets from the day of leaving to the day back, and when blood has to be drawn for them to reach that far.

    Raises ValueError for days that are not in order, or too far ahead.
    """
    if not today <= leaves_on <= back_on:
        raise ValueError("give a day of leaving that is not past, and a day back that is not before it")
    if (back_on - today).days > LONGEST_AHEAD:
        raise ValueError(f"{back_on} is more than {LONGEST_AHEAD} days ahead; look at the year")
    until, late = _until(basis, protocol, policy, leaves_on), basis.overdue_after
    by = max(working_day(late, policy.closed), today) if late else None
    in_time = late is None or by is None or late >= back_on <= by
    if until is None or until < back_on or not in_time:
        return _with_new_blood(basis, protocol, policy, today, leaves_on, back_on)
    wanted = (back_on - leaves_on).days + 1
    return Planned(
        collect_on=leaves_on, back_on=back_on, days=wanted, until=back_on, enough=True, sample_from=None,
        sample_by=by, says=(f"The latest count reaches: {_counted(wanted)}, until {back_on}.",),
    )  # fmt: skip


def _with_new_blood(
    basis: Basis, protocol: Protocol, policy: SupplyPolicy, today: date, leaves_on: date, back_on: date
) -> Planned:
    """Every open day from today to the one before leaving is tried for the draw: the result is wanted by then."""
    drawn = {day: _drawn(basis, protocol, day) for day in _open_days(today, leaves_on, policy)}
    if not drawn:
        return _without_an_open_day(basis, protocol, policy, leaves_on, back_on)
    tried = {day: _until(then, protocol, policy, leaves_on) for day, then in drawn.items()}
    far = [day for day, until in tried.items() if until is not None and until >= back_on]
    good = [day for day in far if (drawn[day].overdue_after or back_on) >= back_on] or far
    if good:
        next_test = drawn[good[-1]].overdue_after
        says = [*_before(basis, good[0], today), *_meanwhile(next_test, back_on)]
        return _in_time(good[0], good[-1], leaves_on, back_on, says)
    reached = max((until for until in tried.values() if until is not None), default=None)
    if reached is None or reached < leaves_on:
        return _nothing(leaves_on, back_on, ("No blood drawn before that day would cover it.",))
    by = max(day for day, until in tried.items() if until == reached)
    text = f"Tests are too close together: blood drawn by {by} covers"
    return _not_so_far(text, reached, leaves_on, back_on, sample_by=by)


def _in_time(since: date, by: date, leaves_on: date, back_on: date, says: list[str]) -> Planned:
    """New blood, drawn within these days, reaches to the day back."""
    days = (back_on - leaves_on).days + 1
    when, reach = f"on {by}" if since == by else f"from {since} to {by}", "reaches" if days == 1 else "reach"
    text = f"Take blood {when}; {_counted(days)} of tablets then {reach} until {back_on}."
    return Planned(
        collect_on=leaves_on, back_on=back_on, days=days, until=back_on, enough=True, sample_from=since, sample_by=by,
        says=(text, *says),
    )  # fmt: skip


def _before(basis: Basis, since: date, today: date) -> list[str]:
    """A test that is owed before that blood, or that it answers."""
    late = basis.overdue_after
    if late is None or late >= since:
        return []
    if late < today:
        return [f"The test that was in time until {late} is overdue: this blood is that test."]
    return [f"The test that is in time until {late} comes before that one."]


def _meanwhile(late: date | None, back_on: date) -> list[str]:
    """A test that falls due before they are back."""
    if late is None or late >= back_on:
        return []
    return [f"The next test, in time until {late}, falls due while they are away: plan it where they stay."]


def _without_an_open_day(
    basis: Basis, protocol: Protocol, policy: SupplyPolicy, leaves_on: date, back_on: date
) -> Planned:
    """No blood is taken before they leave: what the latest count still covers."""
    until, text = _until(basis, protocol, policy, leaves_on), f"No blood is taken here before {leaves_on}"
    if until is None or until < leaves_on:
        return _nothing(leaves_on, back_on, (f"{text}, and the latest count covers nothing then.",))
    if until < back_on:
        return _not_so_far(f"{text}: the latest count covers", until, leaves_on, back_on, sample_by=None)
    days = (back_on - leaves_on).days + 1
    says = [f"The latest count reaches: {_counted(days)}, until {back_on}.", f"{text}."]
    return Planned(
        collect_on=leaves_on, back_on=back_on, days=days, until=back_on, enough=True, sample_from=None, sample_by=None,
        says=(*says, *_meanwhile(basis.overdue_after, back_on)),
    )  # fmt: skip


def _not_so_far(text: str, reached: date, leaves_on: date, back_on: date, *, sample_by: date | None) -> Planned:
    """The tablets end before the day back."""
    days, short = (reached - leaves_on).days + 1, (back_on - reached).days
    says = (
        f"{text} {_counted(days)}, until {reached}.",
        f"Not covered: {_counted(short)}.",
        "Plan a test and a supply where the patient stays.",
    )
    return Planned(
        collect_on=leaves_on, back_on=back_on, days=days, until=reached, enough=False, sample_from=None,
        sample_by=sample_by, says=says,
    )  # fmt: skip


def _open_days(today: date, leaves_on: date, policy: SupplyPolicy) -> list[date]:
    last = max((leaves_on - today).days - 1, 0)
    days = (today + number * DAY for number in range(last + 1))
    return [day for day in days if working_day(day, policy.closed) == day]


def _drawn(basis: Basis, protocol: Protocol, day: date) -> Basis:
    """The same tests, with blood drawn on that day."""
    window = protocol.windows.get(basis.frequency)
    if window is None:
        return replace(basis, drawn_on=day)
    return replace(basis, drawn_on=day, due_on=due(window, day), overdue_after=last_day_in_time(window, day))


def _until(basis: Basis, protocol: Protocol, policy: SupplyPolicy, day: date) -> date | None:
    reached = last_day(basis, protocol, policy, day)
    return min(reached.until, basis.limits_until or reached.until) if reached else None


def _nothing(day: date, back_on: date | None, says: tuple[str, ...]) -> Planned:
    return Planned(
        collect_on=day, back_on=back_on, days=0, until=None, enough=False, sample_from=None, sample_by=None, says=says
    )
