"""Protocols of other shapes fit the vocabulary: two numbers, authorised steps, history-dependent intervals."""

from decimal import Decimal

import pytest

from monitoring.rules.assess import assess
from monitoring.rules.history import Count, History
from monitoring.rules.protocols.sketches import SKETCHES
from tests.rules.telling import anc, event, on, treated


def judged(key, events, day):
    return assess(History(events=tuple(events)), SKETCHES[key], on(day, 3))


def blood(day, anc_value, wbc):
    return Count(at=on(day), anc=Decimal(anc_value), wbc=None if wbc is None else Decimal(wbc))


@pytest.mark.parametrize(
    ("day", "frequency"), [(125, "weekly"), (126, "monthly"), (364, "every_12_weeks"), (728, "yearly")]
)
def test_the_eu_lengthens_its_intervals_after_a_clean_history(day, frequency):
    assert judged("eu-2025-09", treated(anc(day, 2500)), day).frequency == frequency


def test_the_eu_stays_monthly_for_whoever_was_once_below_normal():
    once_low = treated(anc(100, 1400), anc(107, 2500), anc(800, 2500))
    assert judged("eu-2025-09", once_low, 800).frequency == "monthly"


def test_the_eu_stops_for_good_and_ends_after_four_weekly_tests():
    low = treated(anc(200, 990))
    assert (judged("eu-2025-09", low, 200).treatment, judged("eu-2025-09", low, 200).frequency) == ("stop", "weekly")
    done = [*low, *(anc(200 + 7 * week, 2500) for week in (1, 2, 3, 4)), event("rechallenge_approved", 240)]
    said = judged("eu-2025-09", done, 241)
    assert (said.treatment, said.frequency) == ("stop", "none")


@pytest.mark.parametrize(("gap", "frequency"), [(3, "monthly"), (4, "weekly"), (27, "weekly")])
def test_the_eu_tests_weekly_after_a_break_of_more_than_three_days(gap, frequency):
    told = treated(anc(198, 2500), event("last_dose", 200), event("restart", 200 + gap))
    assert judged("eu-2025-09", told, 200 + gap).frequency == frequency


def test_the_eu_waives_the_break_after_two_clean_years():
    told = treated(anc(798, 2500), event("last_dose", 800), event("restart", 820))
    assert judged("eu-2025-09", told, 820).frequency == "yearly"


@pytest.mark.parametrize(
    ("anc_value", "wbc", "band"),
    [(2000, 3500, "green"), (1999, 9000, "amber"), (5000, 3499, "amber"), (5000, 2999, "red"), (1499, 9000, "red")],
)
def test_in_the_uk_the_worse_of_two_numbers_decides(anc_value, wbc, band):
    assert judged("uk-cpms", treated(blood(50, anc_value, wbc)), 50).band == band


def test_in_the_uk_a_count_without_white_cells_is_incomplete_and_never_green_but_may_be_red():
    told = [blood(-2, 5000, 8000), event("first_dose", 0), blood(7, 5000, 8000)]
    said = judged("uk-cpms", [*told, blood(14, 5000, None)], 14)
    assert (str(said.due_on), "count.incomplete" in [reason.rule for reason in said.reasons]) == ("2025-01-15", True)
    assert judged("uk-cpms", [*told, blood(14, 1400, None)], 14).band == "red"


def test_in_the_uk_a_step_down_waits_until_the_service_has_authorised_it():
    told = treated(blood(130, 5000, 8000))
    assert judged("uk-cpms", told, 130).frequency == "weekly"
    assert judged("uk-cpms", [*told, event("step_down_authorised", 127)], 130).frequency == "every_2_weeks"


def test_in_the_uk_red_is_tested_daily_until_two_greens_in_a_row():
    red = treated(blood(50, 1400, 8000), blood(51, 2500, 8000), blood(52, 1900, 8000), blood(53, 2500, 8000))
    said = judged("uk-cpms", red, 53)
    assert (said.treatment, said.frequency) == ("stop", "daily")
    said = judged("uk-cpms", [*red, blood(54, 2600, 8000)], 54)
    assert (said.treatment, said.frequency, "register_non_rechallenge" in said.actions) == ("stop", "none", True)


@pytest.mark.parametrize("key", SKETCHES)
def test_stopping_for_another_reason_owes_four_weekly_tests(key):
    stopped = treated(blood(40, 5000, 8000), event("last_dose", 42, stop=True))
    weekly = [blood(42 + 7 * week, 5000, 8000) for week in (1, 2, 3)]
    assert judged(key, [*stopped, *weekly], 70).frequency == "weekly"
    assert judged(key, [*stopped, *weekly, blood(70, 5000, 8000)], 71).frequency == "none"


@pytest.mark.parametrize("key", SKETCHES)
def test_what_was_not_read_in_its_primary_document_says_so(key):
    said = judged(key, treated(blood(40, 5000, 8000), event("last_dose", 42, stop=True)), 45)
    assert any("not yet verified" in reason.source for reason in said.reasons)
