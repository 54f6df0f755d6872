"""The protocols of other countries, a sentence for each of their rules."""

from decimal import Decimal

import pytest

from monitoring.rules.assess import assess
from monitoring.rules.history import Count, History
from monitoring.rules.protocols import PROTOCOLS
from tests.rules.telling import anc, event, on, treated

ABROAD = [key for key, protocol in PROTOCOLS.items() if protocol.country != "US"]


def judged(key, events, day, **told):
    return assess(History(events=tuple(events), **told), PROTOCOLS[key], on(day, 3))


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
    long = treated(anc(798, 2500), event("last_dose", 800))
    assert judged("eu-2025-09", long, 850).treatment == "may_resume"
    assert judged("eu-2025-09", [*long, event("restart", 900)], 900).phase == "yearly"


def test_the_eu_has_no_24_hour_repeat_and_tests_weekly_until_a_mild_count_is_normal():
    said = judged("eu-2025-09", treated(anc(200, 1400)), 200)
    assert (said.band, said.treatment, said.frequency, said.deadline) == ("mild", "continue", "weekly", None)
    assert judged("eu-2025-09", treated(anc(200, 1400), anc(207, 1500)), 207).frequency == "monthly"


def test_a_restart_does_not_undo_a_stop_for_good():
    told = treated(anc(200, 900), event("last_dose", 200), event("restart", 240))
    assert judged("eu-2025-09", told, 241).treatment == "stop"


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


@pytest.mark.parametrize(("anc_value", "wbc", "asks"), [(1400, 8000, False), (999, 8000, True), (1400, 1999, True)])
def test_in_the_uk_haematology_is_asked_at_once_only_when_red_is_deep(anc_value, wbc, asks):
    said = judged("uk-cpms", treated(blood(50, anc_value, wbc)), 50)
    assert ("haematology_consult" in said.actions) is asks


def test_in_the_uk_haematology_is_asked_for_red_with_fever():
    told = treated(blood(50, 1400, 8000), event("fever", 51, celsius=Decimal("38.5")))
    assert "haematology_consult" in judged("uk-cpms", told, 51).actions


@pytest.mark.parametrize(
    ("key", "hours", "weekly"),
    [("uk-cpms", 96, False), ("uk-cpms", 97, True), ("uk-dms", 72, False), ("uk-dms", 73, True), ("uk-ztas", 73, True)],
)
def test_in_the_uk_each_service_has_its_own_limit_for_weekly_tests_after_a_break(key, hours, weekly):
    stepped = treated(event("step_down_authorised", 127), blood(200, 5000, 8000), event("last_dose", 200))
    told = [*stepped, event("restart", 200, hours=hours), blood(206, 5000, 8000)]
    assert judged(key, told, 206).frequency == ("weekly" if weekly else "every_2_weeks")


@pytest.mark.parametrize(("days", "phase"), [(28, "every_2_weeks"), (29, "weekly")])
def test_in_the_uk_more_than_28_days_off_begin_as_new(days, phase):
    told = treated(event("step_down_authorised", 127), blood(200, 5000, 8000), event("last_dose", 200))
    assert judged("uk-cpms", [*told, event("restart", 200 + days)], 200 + days).phase == phase


def test_in_the_uk_ben_has_its_own_table_which_nobody_has_verified():
    said = judged("uk-cpms", treated(blood(50, 1500, 3000)), 50, population="ben")
    assert (said.band, "not yet verified" in said.reasons[0].source) == ("green", True)
    assert "not yet verified" not in judged("uk-cpms", treated(blood(50, 2500, 5000)), 50).reasons[0].source


@pytest.mark.parametrize(
    ("anc_value", "wbc", "band"),
    [(2001, 3501, "green"), (2000, 9000, "yellow"), (5000, 3500, "yellow"), (1500, 2000, "yellow"),
     (1499, 9000, "red"), (5000, 1999, "red")],
)  # fmt: skip
def test_in_canada_green_is_above_its_limits(anc_value, wbc, band):
    assert judged("ca-2023", treated(blood(50, anc_value, wbc)), 50).band == band


def test_in_canada_a_red_count_is_not_final_before_its_repeat():
    red = treated(blood(50, 1400, 8000))
    said = judged("ca-2023", red, 50)
    assert (said.treatment, said.actions, said.deadline) == ("interrupt", ("repeat_within_24h",), on(51))
    assert judged("ca-2023", [*red, blood(51, 5000, 8000)], 51).episode is None
    yellow = judged("ca-2023", [*red, blood(51, 1600, 8000)], 51)
    assert (yellow.treatment, yellow.frequency, yellow.episode.worst_band) == ("continue", "twice_weekly", "yellow")


def test_in_canada_a_confirmed_red_stops_for_good_with_four_weekly_tests():
    red = treated(blood(50, 1400, 8000), blood(51, 1300, 8000))
    said = judged("ca-2023", red, 51)
    assert (said.treatment, said.frequency, said.actions) == ("stop", "weekly", ("register_non_rechallenge",))
    done = [*red, *(blood(51 + 7 * week, 5000, 8000) for week in (1, 2, 3, 4))]
    assert (judged("ca-2023", done, 80).treatment, judged("ca-2023", done, 80).frequency) == ("stop", "none")


def test_in_canada_a_red_inside_a_yellow_episode_is_repeated_too_and_falls_back_to_yellow():
    told = treated(blood(50, 1600, 8000), blood(53, 1400, 8000))
    assert judged("ca-2023", told, 53).deadline == on(54)
    back = judged("ca-2023", [*told, blood(54, 5000, 8000)], 54)
    assert (back.treatment, back.episode) == ("continue", None)


@pytest.mark.parametrize(
    ("day", "anc_value", "wbc", "band"),
    [(78, 2499, 8000, "yellow"), (79, 2499, 8000, "green"), (60, 2500, 8000, "green"), (60, 5000, 3999, "yellow"),
     (60, 5000, 4000, "green")],
)  # fmt: skip
def test_in_canada_a_fall_within_28_days_is_yellow(day, anc_value, wbc, band):
    told = treated(blood(50, 5000, 8000), blood(day, anc_value, wbc))
    said = judged("ca-2023", told, day)
    assert said.band == band
    assert (said.frequency == "twice_weekly") is (band == "yellow")


def test_in_canada_fever_is_tested_at_once_and_twice_weekly_and_treatment_goes_on():
    told = treated(blood(50, 5000, 8000), event("fever", 52, celsius=Decimal("38.5")))
    said = judged("ca-2023", told, 52)
    assert (said.treatment, said.frequency, said.due_on) == ("continue", "twice_weekly", on(52).date())


@pytest.mark.parametrize(("day", "frequency"), [(125, "weekly"), (126, "every_4_weeks")])
def test_australia_tests_every_four_weeks_from_week_18(day, frequency):
    assert judged("au-2021", treated(blood(day, 5000, 8000)), day).frequency == frequency


@pytest.mark.parametrize("key", ABROAD)
def test_stopping_for_another_reason_owes_four_weekly_tests(key):
    stopped = treated(blood(40, 5000, 8000), event("last_dose", 42, stop=True))
    weekly = [blood(42 + 7 * week, 5000, 8000) for week in (1, 2, 3)]
    assert judged(key, [*stopped, *weekly], 70).frequency == "weekly"
    assert judged(key, [*stopped, *weekly, blood(70, 5000, 8000)], 71).frequency == "none"


UNREAD = (
    ("eu-2025-09", [blood(40, 5000, 8000), event("last_dose", 42, stop=True)], "stop.tail"),
    ("eu-2025-09", [event("last_dose", 10)], "break.as_new"),
    ("eu-2025-09", [blood(40, 1400, 8000)], "path.step"),
    ("uk-cpms", [event("fever", 44, celsius=Decimal("38.5"))], "fever.interrupt"),
    ("uk-ztas", [event("last_dose", 30), event("restart", 34)], "break.extra_weekly"),
    ("ca-2023", [blood(40, 5000, 8000)], "phase"),
    ("au-2021", [blood(40, 5000, 8000)], "phase"),
)


@pytest.mark.parametrize(("key", "events", "rule"), UNREAD)
def test_what_was_not_read_in_its_primary_document_says_so(key, events, rule):
    cited = {reason.rule: reason.source for reason in judged(key, treated(*events), 45).reasons}
    assert "not yet verified" in cited[rule]


def test_what_was_read_does_not_say_so():
    cited = {reason.rule: reason.source for reason in judged("uk-dms", UNREAD_IN_ZTAS, 45).reasons}
    assert "not yet verified" not in cited["break.extra_weekly"]


UNREAD_IN_ZTAS = treated(blood(-3, 5000, 8000), event("last_dose", 30), event("restart", 34))
