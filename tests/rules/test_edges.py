"""The label's edges, one sentence each. Wrong rules in circulation are here too."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from monitoring.rules.assess import assess
from monitoring.rules.history import Count, Event, History
from monitoring.rules.protocols import PROTOCOLS
from tests.rules.telling import anc, event, judged, on, treated


def says(judgement, **expected):
    for name, value in expected.items():
        got = getattr(judgement, name)
        assert (str(got) if isinstance(got, date) else got) == value, (name, got, value)


# Phases


@pytest.mark.parametrize(
    ("day", "frequency", "due_in", "late_in"),
    [
        (180, "weekly", 7, 7),
        (181, "every_2_weeks", 14, 15),
        (364, "every_2_weeks", 14, 15),
        (365, "monthly", 28, 31),
        (3000, "monthly", 28, 31),
    ],
)
def test_the_phase_is_the_one_in_force_on_the_day_of_the_draw(day, frequency, due_in, late_in):
    said = judged(treated(anc(day, 2000)), day)
    drawn = on(day).date()
    assert said.frequency == said.phase == frequency
    assert (said.due_on, said.overdue_after) == (drawn + timedelta(days=due_in), drawn + timedelta(days=late_in))


def test_months_clamp_and_are_counted_from_the_start_and_never_chained():
    start = datetime(2025, 8, 31, 9, tzinfo=UTC)
    for drawn, frequency in ((date(2026, 2, 27), "weekly"), (date(2026, 2, 28), "every_2_weeks")):
        at = datetime(drawn.year, drawn.month, drawn.day, 12, tzinfo=UTC)
        told = (Event("first_dose", start), Count(at, Decimal(2000)))
        assert assess(History(events=told), PROTOCOLS["us-label-2025"], at).frequency == frequency


def test_a_late_test_is_overdue_only_after_its_window():
    told = treated(anc(400, 2000))
    assert not judged(told, 431).overdue
    assert judged(told, 432).overdue


# Confirming


def test_the_deadline_is_24_elapsed_hours_across_a_clock_change():
    drawn = datetime(2026, 3, 7, 15, tzinfo=UTC)
    told = (Event("first_dose", date(2026, 1, 1)), Count(drawn, Decimal(1400)))
    said = assess(History(time_zone="America/New_York", events=told), PROTOCOLS["us-label-2025"], drawn)
    assert (said.deadline, said.due_on) == (drawn + timedelta(hours=24), date(2026, 3, 8))


def test_h17_two_reports_of_one_draw_are_not_a_count_and_its_repeat():
    said = judged(treated(anc(100, 1400), anc(100, 1300)), 100)
    assert said.anc == "1300"
    assert "repeat_within_24h" in said.actions


def test_a_repeat_that_comes_later_than_24_hours_is_still_the_repeat():
    said = judged(treated(anc(100, 900), anc(103, 940)), 103)
    assert said.episode.confirmed is True
    assert said.deadline is None


def test_a_normal_repeat_of_a_moderate_count_leaves_the_path_in_full():
    said = judged(treated(anc(100, 900), anc(100, 1600, hours=20)), 101)
    assert (said.episode.confirmed, said.episode.tail_left, said.frequency) == (False, 4, "weekly")


# Paths and tails


def test_mild_continues_and_has_no_weekly_tail():
    path = treated(anc(400, 1200), anc(401, 1300))
    says(judged(path, 401), treatment="continue", frequency="three_times_weekly")
    says(judged([*path, anc(403, 1500)], 403), treatment="continue", frequency="monthly", episode=None)


def test_a_worse_count_moves_to_its_bands_path_and_the_worst_decides_about_the_tail():
    told = treated(anc(100, 1300), anc(101, 700), anc(102, 1200))
    says(judged(told, 102), frequency="three_times_weekly", treatment="may_resume")
    recovered = judged([*told, anc(104, 1500)], 104)
    assert (recovered.episode.worst_band, recovered.episode.tail_left) == ("moderate", 4)


def test_an_extra_draw_inside_a_week_is_no_weekly_result():
    told = treated(anc(400, 900), anc(401, 1600), anc(403, 1700), anc(404, 1700), anc(405, 1700), anc(406, 1700))
    assert judged(told, 406).episode.tail_left == 4
    assert judged([*told, anc(408, 1700)], 408).episode.tail_left == 3


def test_a_low_count_inside_the_tail_opens_an_episode_and_the_whole_tail_is_owed_again():
    told = treated(anc(400, 900), anc(401, 1600), anc(408, 1700), anc(415, 1450))
    broken = judged(told, 415)
    assert (broken.episode.worst_band, broken.deadline is not None, broken.treatment) == ("mild", True, "continue")
    assert "haematology_consult" not in broken.actions
    assert judged([*told, anc(416, 1500)], 416).episode.tail_left == 4


def test_moderate_is_held_below_1000_then_may_resume_and_continues_once_restarted():
    told = treated(anc(100, 870))
    assert judged(told, 100).treatment == "interrupt"
    told += [anc(101, 1000)]
    assert judged(told, 101).treatment == "may_resume"
    told += [event("restart", 101, hours=1)]
    assert judged(told, 101).treatment == "continue"
    told += [anc(102, 900)]
    assert judged(told, 102).treatment == "interrupt"
    assert judged([*told, anc(103, 1100)], 103).treatment == "continue"


# Severe and rechallenge


def severe(*more, start=100):
    return treated(anc(start, 450), anc(start + 1, 700), anc(start + 2, 1100), anc(start + 4, 1500), *more)


def test_severe_stops_until_approved_and_tests_end_at_recovery():
    says(judged(severe(), 104), treatment="stop", frequency="none", due_on=None, actions=("review_rechallenge",))
    assert judged(severe()[:-1], 103).frequency == "three_times_weekly"
    assert "review_rechallenge" not in judged(severe()[:-1], 103).actions
    says(judged(severe(event("last_dose", 100, hours=1)), 140), treatment="stop")


def test_an_approved_rechallenge_may_start_at_1500_and_begins_anew():
    approved = event("rechallenge_approved", 105)
    says(judged(severe(approved), 105), treatment="may_start", actions=())
    says(judged([*severe()[:-1], approved], 105), treatment="do_not_start")
    begun = judged(severe(approved, event("restart", 110)), 110)
    says(begun, treatment="continue", phase="weekly", episode=None, due_on=str(on(117).date()))


def test_an_approval_before_any_severe_path_counts_for_nothing():
    early = treated(event("rechallenge_approved", 50), anc(100, 450))
    assert judged(early, 100).treatment == "stop"


def test_the_label_of_2015_interrupts_and_lets_a_person_with_ben_restart_at_1000_or_baseline():
    assert judged(severe(), 104, protocol="us-label-2015").treatment == "interrupt"
    told = treated(anc(100, 400), anc(101, 700), anc(103, 1100), event("rechallenge_approved", 104))
    for protocol, treatment in (("us-label-2015", "may_start"), ("us-label-2025", "do_not_start")):
        assert judged(told, 104, protocol=protocol, population="ben", baseline=1200).treatment == treatment


# BEN


def test_ben_neutropenia_continues_consults_and_owes_the_tail():
    told = treated(anc(100, 900))
    says(judged(told, 100, population="ben"), treatment="continue", frequency="three_times_weekly")
    assert "haematology_consult" in judged(told, 100, population="ben").actions
    recovered = judged([*told, anc(102, 1000)], 102, population="ben")
    assert (recovered.frequency, recovered.episode.tail_left, recovered.actions) == ("weekly", 4, ())


def test_ben_severe_is_tested_until_the_persons_own_baseline():
    told = treated(anc(100, 400), anc(101, 500), anc(103, 1100))
    assert judged(told[:-1], 101, population="ben").frequency == "three_times_weekly"
    assert judged(told, 103, population="ben", baseline=1200).frequency == "three_times_weekly"
    assert judged(told, 103, population="ben").frequency == "none"


@pytest.mark.parametrize(
    ("baselines", "treatment", "actions"),
    [
        ((), "do_not_start", ("second_baseline_needed",)),
        ((anc(-3, 1100),), "do_not_start", ("second_baseline_needed",)),
        ((anc(-3, 1100), anc(-3, 1200, hours=2)), "do_not_start", ("second_baseline_needed",)),
        ((anc(-3, 1000), anc(-2, 1000)), "may_start", ()),
        ((anc(-4, 1100), anc(-3, 1100), anc(-2, 999)), "do_not_start", None),
        ((anc(-9, 1100), anc(-8, 1100)), "do_not_start", ("baseline_too_old",)),
        ((anc(-9, 1100), anc(-7, 1100)), "may_start", ()),
    ],
)
def test_a_person_with_ben_starts_after_two_baselines_on_different_dates(baselines, treatment, actions):
    said = judged(baselines, 0, population="ben")
    assert said.treatment == treatment
    assert actions is None or said.actions == actions


# Breaks


@pytest.mark.parametrize(("hours", "warned"), [(47, False), (48, True)])
def test_h29_48_hours_without_a_dose_ask_for_a_new_titration(hours, warned):
    told = treated(anc(95, 2000), event("last_dose", 100))
    assert ("retitrate_from_12_5_mg" in judged(told, 100, hours=hours).actions) is warned


@pytest.mark.parametrize(("hours", "warned"), [(-3, False), (16, True)])
def test_h29_two_dates_count_where_the_time_is_unknown(hours, warned):
    told = treated(anc(95, 2000), Event("last_dose", on(100).date()))
    assert ("retitrate_from_12_5_mg" in judged(told, 101, hours=hours).actions) is warned
    assert judged(told, 103).days_since_last_dose == 3


@pytest.mark.parametrize(
    ("gap", "treatment", "phase"), [(29, "continue", "monthly"), (30, "continue", "weekly"), (31, "continue", "weekly")]
)
def test_a_restart_after_30_days_begins_anew_and_before_that_goes_on(gap, treatment, phase):
    told = treated(anc(395, 2000), event("last_dose", 400), event("restart", 400 + gap))
    says(judged(told, 400 + gap), treatment=treatment, phase=phase)


def test_off_for_30_days_a_fresh_baseline_decides():
    told = treated(anc(395, 2000), event("last_dose", 400))
    assert judged(told, 429).treatment == "may_resume"
    assert judged(told, 430).treatment == "do_not_start"
    assert judged([*told, anc(428, 1500)], 430).treatment == "may_start"
    assert "baseline_too_old" in judged([*told, anc(422, 1500)], 430).actions


def test_of_two_last_doses_the_later_one_counts():
    told = treated(anc(395, 2000), event("last_dose", 400), event("last_dose", 405))
    assert judged(told, 434).treatment == "may_resume"


def test_after_a_stop_tests_go_on_until_one_normal_count_drawn_after_the_last_dose():
    told = treated(anc(399, 2000), event("last_dose", 400, stop=True))
    assert judged(told, 401).frequency == "monthly"
    says(judged([*told, anc(402, 1500)], 402), frequency="none", due_on=None)
    assert judged([*told, anc(402, 1499)], 402).frequency == "three_times_weekly"


# Fever and hospice


def test_a_fever_interrupts_until_a_count_drawn_after_it():
    told = treated(anc(100, 2000), event("fever", 102, celsius=Decimal("38.5")))
    fevered = judged(told, 104)
    says(fevered, treatment="interrupt", due_on=str(on(102).date()), overdue=True)
    assert fevered.actions == ("anc_now", "look_for_infection")
    says(judged([*told, anc(104, 1200)], 104), treatment="continue")


@pytest.mark.parametrize(("day", "asked"), [(114, True), (115, False)])
def test_a_fever_within_14_days_after_the_last_dose_asks_for_a_count_alone(day, asked):
    told = treated(anc(99, 2000), event("last_dose", 100), event("fever", day, celsius=Decimal("39.0")))
    said = judged(told, day)
    assert ("anc_now" in said.actions, "look_for_infection" in said.actions) == (asked, False)
    assert said.treatment == "may_resume"


def test_hospice_tests_every_six_months_while_the_count_is_normal():
    told = treated(anc(100, 2000), event("hospice_agreed", 110))
    says(judged(told, 110), frequency="every_6_months", phase="every_6_months", due_on="2025-10-11")
    assert judged([*told, anc(111, 900)], 111).frequency == "daily"


# Wrong rules in circulation


def test_wrong_rules_in_circulation_are_not_ours():
    assert judged(treated(anc(100, 1000)), 100).treatment == "continue"
    assert judged(treated(anc(100, "1499.6")), 100).band == "mild"
    assert judged(treated(anc(100, 700)), 100).band != judged(treated(anc(100, 400)), 100).band
    assert judged(treated(anc(100, 1200)), 100, population="ben").band == "normal"
    assert judged(treated(anc(100, 1600)), 100).treatment == "continue"
    said = judged(treated(anc(100, 2000)), 100)
    assert not any("REMS" in reason.text for reason in said.reasons)


def test_what_nobody_has_checked_in_the_label_says_so():
    told = treated(anc(100, 2000), event("fever", 102, celsius=Decimal("39.5")))
    assert any(reason.source.endswith("(not yet verified)") for reason in judged(told, 102).reasons)


# What an independent reading of the rules found


def test_a_moderate_episode_that_turns_severe_owes_no_weekly_tail():
    told = treated(anc(10, 900), anc(11, 400), anc(12, 450), anc(14, 1600))
    says(judged(told, 15), frequency="none", due_on=None, treatment="stop", actions=("review_rechallenge",))


def test_a_tail_broken_by_a_severe_count_is_not_owed_after_it():
    told = treated(anc(10, 900), anc(11, 1600), anc(18, 400), anc(19, 1600))
    says(judged(told, 20), frequency="none", due_on=None, treatment="stop")


def test_a_severe_episode_that_falls_again_after_recovery_is_tested_daily_and_asks_for_haematology_again():
    told = treated(anc(10, 400), anc(11, 450), anc(13, 1600), anc(20, 450))
    said = judged(told, 20)
    says(said, frequency="daily", treatment="stop", actions=("haematology_consult", "review_rechallenge"))


def test_a_low_count_after_the_tests_had_ended_is_followed_though_treatment_was_stopped():
    told = treated(anc(10, 400), event("last_dose", 10, stop=True), anc(11, 450), anc(13, 1600), anc(20, 450))
    says(judged(told, 20), frequency="daily", treatment="stop")


def test_a_second_fever_does_not_hide_that_the_count_for_the_first_is_overdue():
    fever = Decimal("38.5")
    told = treated(anc(10, 2000), event("fever", 12, celsius=fever), event("fever", 14, celsius=fever))
    says(judged(told, 14), overdue=True, due_on=str(on(12).date()))


def test_a_fever_on_treatment_still_asks_to_look_for_infection_after_a_fever_off_it():
    fever = Decimal("38.5")
    told = treated(event("fever", 12, celsius=fever), event("last_dose", 12, hours=1))
    told.append(event("fever", 13, celsius=fever))
    says(judged(told, 13), treatment="interrupt", actions=("anc_now", "look_for_infection"))


def test_after_30_days_off_an_unanswered_fever_reads_as_not_to_be_started():
    told = treated(event("fever", 12, celsius=Decimal("38.5")), event("last_dose", 12, hours=1))
    says(judged(told, 42), treatment="do_not_start")


def test_the_dose_is_built_up_anew_on_the_whole_day_of_such_a_restart():
    told = treated(event("last_dose", 10), event("restart", 12), event("last_dose", 12, hours=1))
    assert "retitrate_from_12_5_mg" in judged(told, 12).actions


def test_of_two_equal_counts_of_one_draw_the_one_with_white_cells_stands():
    told = treated(anc(10, 2000, wbc=Decimal(5000)), anc(10, 2000))
    assert judged(told, 10).wbc == "5000"
