"""The reason that stands beside an answer is the one that decided it, and an answer begins where a treatment begins."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monitoring.rules.breaks import break_until
from monitoring.rules.eligibility import after_the_last_tablet, eligibility, standing
from monitoring.rules.history import Event, History
from monitoring.rules.limits import with_limits
from monitoring.rules.open_break import open_break, would_be_waived
from monitoring.rules.planning import _before, at_discharge, for_days_away, weighed
from monitoring.rules.protocol import Floor, Source
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.supplying import SupplyPolicy, basis_of
from tests.rules.telling import anc, event, judged, on, treated

HOUSE, UTC, WHITE = SupplyPolicy(days={}), ZoneInfo("UTC"), Decimal(8000)
EU = PROTOCOLS["eu-2025-09"]


def asked(events, day, *, protocol="us-label-2025", **more):
    """The judgement, and the pharmacist's answer on it."""
    said = judged(events, day, protocol=protocol, **more)
    drawn = said.drawn_at and said.drawn_at.date()
    return said, eligibility(said, PROTOCOLS[protocol], day=on(day).date(), drawn_on=drawn, policy=HOUSE)


def texts(said):
    return {reason.rule: reason.text for reason in said.reasons}


REBEGUN = treated(anc(399, 2600), anc(400, 400), anc(401, 1600), anc(405, 2600), event("rechallenge_approved", 420))


def test_a_rechallenged_patient_gets_the_tablets_of_a_new_one():
    _, verdict = asked([*REBEGUN, anc(420, 2500)], 421)
    assert (verdict.answer, verdict.days) == ("may_supply", 7)
    _, long_off = asked(treated(event("last_dose", 410), anc(450, 5000)), 451)
    assert (long_off.answer, long_off.days) == ("prescriber_decides", 7)


def test_whoever_supplies_reads_that_a_count_was_taken_under_support():
    said, verdict = asked([*REBEGUN, anc(420, 2500, supported=True)], 421)
    (shown,) = [why for why in verdict.why if why.rule == "count.supported"]
    assert (shown.kind, shown.answer, shown.text) == ("informational", "may_supply", texts(said)["count.supported"])
    assert shown.source == next(reason.source for reason in said.reasons if reason.rule == "count.supported")


def test_a_count_without_its_white_cells_does_not_begin_the_days_of_a_supply():
    told = treated(event("step_down_authorised", 127), event("step_down_authorised", 365), anc(400, 5000, wbc=WHITE))
    said, verdict = asked([*told, anc(428, 2600)], 440, protocol="uk-cpms")
    assert (said.drawn_at, verdict.until) == (on(400), on(441).date())
    assert "count.incomplete" in [why.rule for why in verdict.why]


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([anc(50, 5000), event("fever", 51, celsius=Decimal(39))], "Fever on treatment"),
        ([anc(50, 900)], "in the band moderate"),
        ([anc(50, 900), event("fever", 51, celsius=Decimal(39))], "in the band moderate"),
    ],
)
def test_a_hold_names_what_holds(events, words):
    said, verdict = asked(treated(*events), 51)
    assert verdict.why[0].answer == "do_not_supply"
    assert words in verdict.why[0].text
    assert "Nothing in the history" not in verdict.why[0].text + " ".join(texts(said).values())


def test_nobody_is_called_recovered_whose_last_tests_count_whatever_they_show():
    weekly = [anc(50 + 7 * week, 400) for week in range(5)]
    for tests, rule, words in (
        (weekly[:1], "path.last_tests", "4 more results to come, whatever they show"),
        (weekly[:4], "path.last_tests", "1 more result to come"),
        (weekly, "path.stopped", "have been drawn, so tests end"),
    ):
        said, _ = asked(treated(*tests), 50 + 7 * len(tests) - 7, protocol="eu-2025-09")
        assert words in texts(said)[rule]
        assert not any("ecovered" in text for text in texts(said).values())


def test_tests_that_end_after_four_weeks_are_not_said_to_end_with_a_normal_count():
    four = [anc(107 + 7 * week, 3000) for week in range(4)]
    said, _ = asked(treated(event("last_dose", 100, stop=True), *four), 130, protocol="eu-2025-09")
    assert "stop.tail_ended" in texts(said)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (
            anc(50, 5000, wbc=Decimal(2200)),
            "ANC 5000 and WBC 2200 /uL, is in the band red: ANC below 1500 or WBC below 3000",
        ),
        (
            anc(50, 5000, wbc=Decimal(3200)),
            "amber: ANC 1500 or more and WBC 3000 or more, but ANC below 2000 or WBC below 3500",
        ),
        (anc(50, 5000, wbc=WHITE), "green: ANC 2000 or more and WBC 3500 or more."),
    ],
)
def test_where_white_cells_decide_both_numbers_are_shown_with_their_limits(count, words):
    assert words in judged(treated(count), 50, protocol="uk-cpms").reasons[0].text


def test_a_count_that_is_low_by_its_fall_is_not_explained_by_limits_that_it_keeps():
    told = treated(anc(50, 5000, wbc=WHITE), anc(60, 2400, wbc=WHITE))
    assert judged(told, 60, protocol="ca-2023").reasons[0].text.endswith("is in the band yellow.")


@pytest.mark.parametrize(
    ("events", "days", "asks", "words"),
    [
        ([anc(50, 400)], 0, False, "Treatment is stopped"),
        ([anc(50, 5000), event("fever", 51, celsius=Decimal(39))], 0, False, "Fever on treatment"),
        ([anc(50, 5000), event("last_dose", 49)], 7, True, "from 12.5 mg"),
        ([anc(50, 5000)], 7, False, "7 days, until"),
    ],
)
def test_no_supply_is_planned_against_the_advice(events, days, asks, words):
    label = PROTOCOLS["us-label-2025"]
    said = judged(treated(*events), 51)
    day, basis = on(51).date(), basis_of(said, label, on(50).date())
    plan = weighed(at_discharge(basis, label, HOUSE, today=day, day=day), standing(said, label))
    assert (plan.days, plan.prescriber_decides) == (days, asks)
    assert words in plan.says[0]


def test_a_plan_that_is_held_keeps_its_days():
    label = PROTOCOLS["us-label-2025"]
    said = judged(treated(anc(50, 400)), 51)
    basis, today = basis_of(said, label, on(50).date()), on(51).date()
    plan = for_days_away(basis, label, HOUSE, today=today, leaves_on=on(52).date(), back_on=on(54).date())
    held = weighed(plan, standing(said, label))
    assert (held.collect_on, held.back_on, held.until, held.enough) == (on(52).date(), on(54).date(), None, False)


@pytest.mark.parametrize(("late", "words"), [(50, "is overdue"), (51, "comes before"), (53, "")])
def test_a_test_that_is_owed_before_new_blood_is_overdue_from_the_day_after(late, words):
    basis = replace(
        basis_of(judged(treated(anc(44, 5000)), 51), PROTOCOLS["us-label-2025"], None), overdue_after=on(late).date()
    )
    said = _before(basis, on(53).date(), on(51).date())
    assert words in " ".join(said)
    assert bool(said) is bool(words)


def test_no_plan_reaches_past_the_last_day_of_agreed_limits():
    label = PROTOCOLS["us-label-2025"]
    floors = [Floor(1400), Floor(1000), Floor(500)]
    agreed = with_limits(label, "general", floors, until=on(404).date(), source=Source("Signed"))
    said = judged(treated(anc(400, 5000)), 400)
    basis = replace(basis_of(said, agreed, on(400).date()), limits_until=on(404).date())
    assert at_discharge(basis, agreed, HOUSE, today=on(400).date(), day=on(400).date()).until == on(404).date()
    assert {agreed.source(rule).title for rule in ("start.below_floor", "path.may_resume", "band.mild")} == {"Signed"}


CLEAN = (anc(727, 3000), event("last_dose", 728))


def test_a_break_that_a_clean_history_outweighs_is_told_so():
    for day, rule in ((755, "break.may_resume"), (756, "break.waived"), (763, "break.waived")):
        assert "tests go on" in texts(judged(treated(*CLEAN), day, protocol="eu-2025-09"))[rule]
    pause = open_break(History(events=treated(*CLEAN)), EU, on(763))
    assert (pause.waived, pause.as_new) == (True, False)
    low = History(events=treated(anc(50, 1300), anc(52, 3000), *CLEAN))
    assert (open_break(low, EU, on(763)).waived, open_break(low, EU, on(763)).as_new) == (False, True)


@pytest.mark.parametrize(("day", "waived"), [(727, False), (728, True)])
def test_a_break_would_be_outweighed_from_two_clean_years_on(day, waived):
    history, last = History(events=treated(anc(700, 3000))), Event("last_dose", on(day))
    assert would_be_waived(history, EU, last, on(730)) is waived
    assert not would_be_waived(history, PROTOCOLS["us-label-2025"], last, on(730))


@pytest.mark.parametrize(("zone", "waived"), [("America/New_York", True), ("UTC", True)])
def test_the_day_of_a_last_dose_without_its_time_is_the_clinics_own(zone, waived):
    history = History(time_zone=zone, events=treated(anc(700, 3000)))
    assert would_be_waived(history, EU, Event("last_dose", on(728).date()), on(730)) is waived


@pytest.mark.parametrize(
    ("days", "waived", "extra_weekly", "as_new"),
    [
        (3, False, False, False),
        (4, False, True, False),
        (27, False, True, False),
        (28, False, False, True),
        (28, True, False, False),
    ],
)
def test_a_break_says_whether_it_owes_weekly_tests(days, waived, extra_weekly, as_new):
    found = break_until(Event("last_dose", on(10)), on(10 + days), EU, UTC, waived=waived)
    assert (found.extra_weekly, found.as_new, found.waived) == (extra_weekly, as_new, waived)


def test_the_last_milestone_of_a_gap_says_what_may_outweigh_it():
    assert "unless 104 weeks without a low count" in after_the_last_tablet(EU, date(2026, 3, 2))[-1].text
    us = after_the_last_tablet(PROTOCOLS["us-label-2025"], date(2026, 3, 2))[-1].text
    assert us.endswith("weekly tests.")
