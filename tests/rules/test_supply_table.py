"""Worked supplies, one a line, to be read beside the protocols. Days are counted from the first dose (day 0).

`drawn` and `asked` are days; `hours` is how long after nine o'clock of the day asked. `until` is the last day that
the tablets reach, `days` how many that is, the day of supply counted.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from monitoring.rules.eligibility import eligibility
from monitoring.rules.planning import at_discharge, for_days_away
from monitoring.rules.protocol import Supply
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.supplying import SupplyPolicy, basis_of, last_day
from tests.rules.telling import anc, event, judged, on

DEFAULT = SupplyPolicy(days={})
OF_28 = SupplyPolicy(days={"monthly": 28})
NO_MARGIN = SupplyPolicy(days={}, margin_days=0)
WIDE = SupplyPolicy(days={"monthly": 60, "weekly": 30})
STEPS = [event("step_down_authorised", 126), event("step_down_authorised", 364)]


def told(drawn, value=5000):
    """Clean until the latest draw, with white cells for the protocols that need them."""
    white = Decimal(8000)
    return [anc(-2, 5000, wbc=white), event("first_dose", 0), *STEPS, anc(drawn, value, wbc=white)]


def verdict(protocol, drawn, asked, *, hours=0, policy=DEFAULT, value=5000, **more):
    said = judged(told(drawn, value), asked, protocol=protocol, hours=hours)
    return eligibility(
        said, PROTOCOLS[protocol], day=on(asked).date(), drawn_on=on(drawn).date(), policy=policy,
        since_draw=on(asked, hours) - on(drawn), **more,
    )  # fmt: skip


US, EU, AU, CA = "us-label-2025", "eu-2025-09", "au-2021", "ca-2023"
SUPPLIES = [
    # protocol    tests           drawn asked policy     days until  which rule decides
    (US,         "every week",       50,  50, DEFAULT,    7,   56, "supply.weekly"),
    (US,         "every week",       50,  53, DEFAULT,    7,   59, "supply.weekly"),
    (US,         "every week",       50,  57, DEFAULT,    4,   60, "supply.next_test"),  # window's end + 3 days
    (US,         "every week",       50,  57, NO_MARGIN,  1,   57, "supply.next_test"),
    (US,         "every 2 weeks",   200, 200, DEFAULT,   14,  213, "supply.every_2_weeks"),
    (US,         "every 2 weeks",   200, 206, DEFAULT,   13,  218, "supply.next_test"),
    (US,         "every month",     400, 400, DEFAULT,   30,  429, "supply.monthly"),
    (US,         "every month",     400, 400, OF_28,     28,  427, "supply.monthly"),
    (US,         "every month",     400, 400, WIDE,      30,  429, "supply.monthly"),  # a clinic never gives more
    (US,         "every month",     400, 430, DEFAULT,    5,  434, "supply.next_test"),
    ("uk-cpms",  "every week",       50,  50, DEFAULT,   10,   59, "supply.weekly"),
    ("uk-cpms",  "every week",       50,  57, DEFAULT,    3,   59, "supply.weekly"),
    ("uk-cpms",  "every week",       50,  59, DEFAULT,    1,   59, "supply.weekly"),  # overdue, and still covered
    ("uk-ztas",  "every week",       50,  50, DEFAULT,   14,   63, "supply.weekly"),
    ("uk-ztas",  "every week",       50,  60, DEFAULT,    4,   63, "supply.weekly"),
    ("uk-dms",   "every week",       50,  52, DEFAULT,    8,   59, "supply.weekly"),
    ("uk-cpms",  "every 2 weeks",   200, 200, DEFAULT,   21,  220, "supply.every_2_weeks"),
    ("uk-cpms",  "every 4 weeks",   400, 400, DEFAULT,   42,  441, "supply.every_4_weeks"),
    ("uk-cpms",  "every 4 weeks",   400, 441, DEFAULT,    1,  441, "supply.every_4_weeks"),
    (EU,         "every week",       50,  50, DEFAULT,    7,   56, "supply.weekly"),
    (EU,         "every month",     200, 200, DEFAULT,   28,  227, "supply.monthly"),
    (EU,         "every month",     200, 210, DEFAULT,   22,  231, "supply.next_test"),  # to the window's end
    (CA,         "every 4 weeks",   400, 403, DEFAULT,   26,  428, "supply.next_test"),
    (AU,         "every 4 weeks",   200, 200, DEFAULT,   28,  227, "supply.every_4_weeks"),
    (AU,         "every 4 weeks",   200, 201, DEFAULT,   28,  228, "supply.next_test"),  # the due day is the last
    (AU,         "every 4 weeks",   200, 202, DEFAULT,   27,  228, "supply.next_test"),  # 48 hours: not late
    (AU,         "every 4 weeks",   200, 203, DEFAULT,   25,  227, "supply.late_collection"),  # 28 less 3
    (AU,         "every 4 weeks",   200, 210, DEFAULT,   18,  227, "supply.late_collection"),  # 28 less 10
    (AU,         "every week",       50,  54, DEFAULT,    3,   56, "supply.late_collection"),  # 7 less 4
]  # fmt: skip


@pytest.mark.parametrize(("protocol", "tests", "drawn", "asked", "policy", "days", "until", "rule"), SUPPLIES)
def test_h22_a_supply_reaches_as_far_as_its_protocol_and_its_clinic_say(
    protocol, tests, drawn, asked, policy, days, until, rule
):
    said = verdict(protocol, drawn, asked, policy=policy)
    assert (said.answer, said.days, said.until) == ("may_supply", days, on(until).date())
    reason = next(one for one in said.why if one.rule.startswith("supply.") and one.rule != "supply.overdue")
    assert (reason.rule, tests in reason.text or rule == "supply.next_test") == (rule, True)


@pytest.mark.parametrize(
    ("protocol", "drawn", "asked", "rule"),
    [
        ("uk-cpms", 50, 60, "supply.used_up"),
        ("uk-ztas", 50, 64, "supply.used_up"),
        ("uk-cpms", 400, 442, "supply.used_up"),
        (AU, 200, 229, "supply.overdue"),
        (US, 50, 58, "supply.overdue"),
    ],
)
def test_beyond_it_the_prescriber_decides(protocol, drawn, asked, rule):
    said = verdict(protocol, drawn, asked)
    assert said.answer == "prescriber_decides"
    assert rule in [one.rule for one in said.why if one.answer == "prescriber_decides"]


@pytest.mark.parametrize(("hours", "days"), [(0, 27), (1, 26)])
def test_late_begins_48_hours_after_the_draw_to_the_hour(hours, days):
    assert verdict(AU, 200, 202, hours=hours).days == days


def test_without_the_hour_late_is_counted_in_days():
    basis = basis_of(judged(told(200), 203, protocol=AU), PROTOCOLS[AU], on(200).date())
    assert last_day(basis, PROTOCOLS[AU], DEFAULT, on(202).date()).until == on(228).date()
    assert last_day(basis, PROTOCOLS[AU], DEFAULT, on(203).date()).until == on(227).date()


def test_in_the_uk_amber_is_supplied_to_the_next_test_and_the_clinics_margin():
    said = verdict("uk-cpms", 200, 200, value=1600)
    assert (said.days, said.until) == (8, on(200 + 4 + 3).date())
    assert "not yet verified" in next(one.source for one in said.why if one.rule == "supply.next_test")


@pytest.mark.parametrize(
    ("protocol", "asked", "verified"),
    [("uk-cpms", 50, True), ("uk-cpms", 200, False), ("uk-cpms", 400, False), (AU, 200, False), (EU, 200, False)],
)
def test_what_nobody_has_checked_says_so(protocol, asked, verified):
    said = verdict(protocol, asked, asked)
    source = next(one.source for one in said.why if one.rule.startswith("supply."))
    assert ("not yet verified" not in source) is verified


def test_a_protocol_without_supply_is_limited_by_the_next_test_alone():
    bare = replace(PROTOCOLS[US], supply=None)
    basis = basis_of(judged(told(50), 50), PROTOCOLS[US], on(50).date())
    assert last_day(basis, bare, DEFAULT, on(50).date()).until == on(60).date()
    assert last_day(replace(basis, due_on=None), bare, DEFAULT, on(50).date()) is None
    from_draw = replace(PROTOCOLS[US], supply=Supply({"weekly": 10}, from_draw=True))
    assert last_day(replace(basis, drawn_on=None), from_draw, DEFAULT, on(50).date()).until == on(59).date()


# Discharge and days away

DISCHARGES = [
    # protocol    drawn leaves policy                                   days until sample by
    (US,             50,  52, DEFAULT,                                     7,   58,  57),
    (US,            200, 202, DEFAULT,                                    14,  215, 215),
    (US,            400, 402, DEFAULT,                                    30,  431, 429),  # day 431 is a Sunday
    (US,            400, 402, SupplyPolicy(days={}, discharge_days=7),     7,  408, 408),
    ("uk-cpms",      50,  52, DEFAULT,                                     8,   59,  57),
    (AU,            200, 202, DEFAULT,                                    27,  228, 226),
    (US,             50,  61, DEFAULT,                                     0, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("protocol", "drawn", "leaves", "policy", "days", "until", "sample_by"), DISCHARGES)
def test_at_discharge_the_days_and_the_latest_day_for_the_next_sample(
    protocol, drawn, leaves, policy, days, until, sample_by
):
    basis = basis_of(judged(told(drawn), drawn, protocol=protocol), PROTOCOLS[protocol], on(drawn).date())
    plan = at_discharge(basis, PROTOCOLS[protocol], policy, today=day(drawn), day=day(leaves))
    assert (plan.days, plan.until, plan.sample_by) == (days, day(until), day(sample_by))
    assert plan.enough is (days > 0)
    assert plan.sample_by is None or plan.sample_by.weekday() < 5


def day(number):
    return None if number is None else on(number).date()


AWAY = [
    # protocol  drawn today leaves back   days  until  blood from  to     enough
    (US,           50,  52,    53,   57,    5,    57,   None,       57,   True),   # this blood reaches
    (US,           50,  52,    56,   60,    5,    60,     54,       55,   True),   # a test falls due meanwhile
    (US,           50,  52,    56,   66,    7,    62,   None,       55,   False),  # at most 7 days with weekly tests
    (US,          400, 402,   410,  425,   16,   425,   None,      430,   True),
    (US,          400, 402,   420,  449,   30,   449,    418,      419,   True),   # no test falls due meanwhile
    (US,          400, 402,   420,  450,   30,   449,   None,      419,   False),
    ("uk-cpms",   400, 402,   420,  455,   36,   455,    414,      419,   True),   # 42 days from the draw
    (AU,          200, 202,   220,  245,   26,   245,    218,      219,   True),   # no day past the test due then
    ("uk-cpms",    50,  52,    61,   70,    7,    67,   None,       58,   False),  # no blood is taken on a Sunday
    (US,           50,  52,    53,   58,    6,    58,   None,     None,   True),   # no open day is left before leaving
]  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "drawn", "today", "leaves", "back", "days", "until", "sample_from", "sample_by", "enough"), AWAY
)
def test_for_days_away_between_which_days_blood_is_drawn(
    protocol, drawn, today, leaves, back, days, until, sample_from, sample_by, enough
):
    basis = basis_of(judged(told(drawn), today, protocol=protocol), PROTOCOLS[protocol], on(drawn).date())
    plan = for_days_away(
        basis, PROTOCOLS[protocol], DEFAULT, today=day(today), leaves_on=day(leaves), back_on=day(back)
    )
    assert (plan.days, plan.until, plan.enough) == (days, day(until), enough)
    assert plan.sample_from == day(sample_from)
    assert plan.sample_by == (day(sample_by) and weekday(day(sample_by)))


@pytest.mark.parametrize(
    ("closed", "sample_by"),
    [([], 57), ([57], 56), ([57, 56], 55), ([58], 57), ([54, 55, 56, 57], 51)],
    ids=["open", "that day", "two days", "a later day", "over a weekend"],
)
def test_h22_a_closed_day_brings_the_sample_forward_and_never_back(closed, sample_by):
    basis = basis_of(judged(told(50), 52), PROTOCOLS[US], day(50))
    policy = SupplyPolicy(days={}, closed=frozenset(map(day, closed)))
    plan = at_discharge(basis, PROTOCOLS[US], policy, today=day(51), day=day(52))
    assert plan.sample_by == day(sample_by)
    assert ("before the discharge" in plan.says[0]) is (sample_by < 52)


def weekday(found):
    """Brought forward from a weekend."""
    return found - timedelta(days=max(found.weekday() - 4, 0))


@pytest.mark.parametrize(
    ("leaves", "back", "said"), [(51, 60, "in order|not past"), (60, 59, "not before"), (60, 999, "year")]
)
def test_days_that_cannot_be_are_refused(leaves, back, said):
    basis = basis_of(judged(told(50), 52), PROTOCOLS[US], day(50))
    with pytest.raises(ValueError, match=said):
        for_days_away(basis, PROTOCOLS[US], DEFAULT, today=day(52), leaves_on=day(leaves), back_on=day(back))


AT_HOME = [
    # protocol  drawn asked at home until  days  until
    (US,           50,  54,           56,    4,    60),  # 7 more would reach past the next test and its margin
    (US,           50,  54,           60,    0,  None),
    (US,           50,  54,           49,    7,    60),
    (US,          400, 405,          429,    5,   434),
    ("uk-cpms",    50,  54,           55,    4,    59),
    ("uk-cpms",    50,  54,           59,    0,  None),
    (AU,          200, 205,          210,   18,   228),
]  # fmt: skip


@pytest.mark.parametrize(("protocol", "drawn", "asked", "home", "days", "until"), AT_HOME)
def test_tablets_at_home_are_taken_first_and_the_supply_reaches_no_further_for_it(
    protocol, drawn, asked, home, days, until
):
    said = verdict(protocol, drawn, asked, tablets_until=day(home))
    assert (said.days, said.until) == (days, day(until))
    assert ("supply.at_home" in [one.rule for one in said.why]) is (days == 0)
    assert said.answer == ("may_supply" if days else "prescriber_decides")


# The gap


@pytest.mark.parametrize(("ended", "warned"), [(51, False), (50, False), (49, False), (48, True), (30, True)])
def test_h29_tablets_that_ended_48_hours_ago_are_asked_about_before_the_old_dose_is_given(ended, warned):
    said = verdict(US, 50, 50, tablets_until=day(ended))
    found = [one for one in said.why if one.rule == "break.tablets_over"]
    assert (bool(found), said.answer, said.tablets_until) == (warned, "may_supply", day(ended))


def test_h29_every_verdict_carries_the_days_since_the_last_dose():
    white = Decimal(8000)
    off = [*told(50), event("last_dose", 50)]
    said = judged(off, 53)
    found = eligibility(said, PROTOCOLS[US], day=day(53), drawn_on=day(50), policy=DEFAULT, tablets_until=day(45))
    assert (found.days_since_last_dose, white) == (3, white)
    assert [one.rule for one in found.why if one.rule.startswith("break.")] == ["break.retitrate", "break.days"]
