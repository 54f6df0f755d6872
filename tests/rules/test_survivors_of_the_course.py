"""What mutation testing found that no other test held, in how a history is followed."""

from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monitoring.rules.assess import assess
from monitoring.rules.episode import Pause
from monitoring.rules.follow import follow
from monitoring.rules.history import Count, History
from monitoring.rules.protocol import Agreed, Floor, Rechallenge
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.schedule import _counted_from
from monitoring.rules.starting import rechallenge_ready
from monitoring.rules.supplying import basis_of
from tests.rules.telling import anc, event, judged, on, treated

WHITE = Decimal(8000)


def followed(*events, protocol="us-label-2025", table=None, population="ben", baseline=None, day=60):
    """The course of a history, where need be under a table that is made for the test."""
    rules = PROTOCOLS[protocol]
    rules = replace(rules, tables=rules.tables | {population: table}) if table else rules
    known = History(events=list(events), population=population, baseline_anc=baseline and Decimal(baseline))
    return follow(known, rules, on(day, 3))


@pytest.mark.parametrize(
    ("how", "count", "baseline", "ready"),
    [
        ("ignored", anc(50, 1300), 1200, False),
        ("ignored", anc(50, 1500), 1600, True),
        ("and", anc(50, 1500), 1600, False),
        ("and", anc(50, 1600), 1600, True),
        ("and", anc(50, 1600, bound="<"), 1600, False),
        ("or", anc(50, 1300), 1200, True),
        ("or", anc(50, 1200, bound="<"), 1200, False),
    ],
)
def test_a_rechallenge_asks_for_the_floor_and_for_the_persons_own_count_as_its_protocol_says(
    how, count, baseline, ready
):
    table = PROTOCOLS["us-label-2025"].tables["ben"]
    table = replace(table, rechallenge=Rechallenge(Floor(1500), baseline=how))
    assert rechallenge_ready(followed(event("first_dose", 0), count, table=table, baseline=baseline)) is ready


def test_no_rechallenge_is_ready_without_a_count():
    assert rechallenge_ready(followed(event("first_dose", 0))) is False


def test_a_low_count_in_the_weekly_tests_after_an_episode_opens_one_of_its_own_then():
    told = treated(anc(50, 900), anc(51, 1100), anc(52, 1600), anc(59, 1600), anc(66, 1200))
    episode = followed(*told, population="general", day=66).episode
    assert (episode.opened_at, bool(episode.repeat_of)) == (on(66), True)


def test_a_fever_counts_while_treatment_runs_and_where_its_degrees_are_known():
    hot, unknown = event("fever", -1, celsius=Decimal(39)), event("fever", 10)
    assert followed(anc(-2, 3000), hot, event("first_dose", 0), day=5).fever_on is None
    assert followed(*treated(unknown), day=11).fever_on is None
    assert followed(*treated(event("fever", 10, celsius=Decimal(39))), day=11).fever_on == on(10).date()


@pytest.mark.parametrize(("hours", "built_up"), [(47, False), (48, True)])
def test_a_restart_with_its_hour_is_counted_in_hours_from_a_last_dose_with_its_own(hours, built_up):
    told = treated(anc(99, 3000), event("last_dose", 100), event("restart", 100, hours=hours))
    assert followed(*told, day=103).retitrated_on == (on(102).date() if built_up else None)


@pytest.mark.parametrize(("first", "ended"), [(2, False), (7, True)])
def test_after_a_stop_a_weekly_result_is_a_week_after_the_last_dose_at_least(first, ended):
    told = treated(event("last_dose", 100, stop=True), *(anc(100 + first + 7 * week, 3000) for week in range(4)))
    said = judged(told, 100 + first + 21, protocol="eu-2025-09")
    assert (said.frequency == "none") is ended


def test_after_a_stop_the_tests_end_with_a_count_in_the_best_band_and_not_with_a_lower_one_that_ended_its_path():
    label = PROTOCOLS["us-label-2025"]
    best, mild, *rest = label.tables["general"].bands
    soon = replace(mild, path=tuple(replace(step, until=Floor(1200)) for step in mild.path), repeat_within_24h=False)
    easy = replace(
        label, tables=label.tables | {"general": replace(label.tables["general"], bands=(best, soon, *rest))}
    )
    for value, frequency in ((1300, "weekly"), (1500, "none")):
        told = treated(event("last_dose", 50, stop=True), anc(51, value))
        assert assess(History(events=told), easy, on(51, 3)).frequency == frequency


@pytest.mark.parametrize(("clean_weeks", "low", "as_new"), [(104, False, False), (103, False, True), (104, True, True)])
def test_in_the_eu_two_clean_years_outweigh_a_break_and_one_low_count_ends_that(clean_weeks, low, as_new):
    off = 7 * clean_weeks
    early = [anc(50, 1300), anc(52, 3000)] if low else []
    told = treated(*early, anc(off, 3000), event("last_dose", off), event("restart", off + 40), anc(off + 41, 3000))
    assert (judged(told, off + 41, protocol="eu-2025-09").frequency == "weekly") is as_new


@pytest.mark.parametrize(("hours", "long"), [(48, True), (49, False), (72, False)])
def test_two_dates_are_48_hours_and_no_more(hours, long):
    pause = Pause(since=on(10), on=on(10).date(), time_known=False, stop=False)
    assert pause.lasted(hours, on(12), on(12).date()) is long


@pytest.mark.parametrize("lower_first", [True, False])
def test_of_two_counts_at_one_moment_the_lower_white_cells_stand_whichever_came_first(lower_first):
    pair = [anc(60, 5000, wbc=Decimal(2500)), anc(60, 5000, wbc=WHITE)]
    said = judged(treated(*(pair if lower_first else pair[::-1])), 60, protocol="uk-cpms")
    assert (said.wbc, said.band) == ("2500", "red")


def rules_of(said):
    return [reason.rule for reason in said.reasons]


@pytest.mark.parametrize(("protocol", "agreed"), [("us-label-2025", True), ("eu-2025-09", False)])
def test_hospice_monitoring_is_named_where_the_protocol_knows_it_and_nowhere_else(protocol, agreed):
    said = judged(treated(event("hospice_agreed", 10), anc(20, 3000)), 20, protocol=protocol)
    assert ("hospice" in rules_of(said), "phase" in rules_of(said)) == (agreed, not agreed)


@pytest.mark.parametrize(("drawn", "weekly"), [(241, True), (242, False)])
def test_extra_weekly_tests_end_with_their_sixth_week(drawn, weekly):
    told = treated(anc(199, 3000), event("last_dose", 196), event("restart", 200), anc(drawn, 3000))
    assert (judged(told, drawn, protocol="eu-2025-09").frequency == "weekly") is weekly


def test_a_count_below_the_own_baseline_has_not_reached_it_and_one_at_it_has():
    for bound, open_still in (("<", True), ("", False)):
        told = treated(anc(50, 400), anc(53, 1200, bound=bound))
        assert (followed(*told, baseline=1200, day=53).step() is not None) is open_still


def test_a_band_that_is_final_only_when_confirmed_owes_its_repeat_also_where_it_is_the_first_below_normal():
    table = PROTOCOLS["ca-2023"].tables["general"]
    green, red = table.bands[0], replace(table.bands[-1], repeat_within_24h=False)
    short = replace(table, bands=(green, red))
    told = treated(anc(50, 1000, wbc=WHITE))
    assert followed(*told, protocol="ca-2023", table=short, population="general", day=50).repeat_of


def test_nothing_is_scheduled_before_the_first_dose():
    with pytest.raises(ValueError, match=r"^nothing is scheduled before the first dose$"):
        _counted_from(followed(day=0))


def test_a_fall_is_told_with_its_days_and_a_count_without_an_anc_says_so():
    fallen = judged(treated(anc(50, 4000, wbc=WHITE), anc(60, 2400, wbc=WHITE)), 60, protocol="ca-2023")
    assert any("28 days" in reason.text for reason in fallen.reasons)
    white = Count(at=on(50), anc=None, wbc=Decimal(1800))
    assert "count, ANC not reported and WBC 1800" in judged(treated(white), 50, protocol="uk-cpms").reasons[0].text


@pytest.mark.parametrize(
    ("known", "zone", "day"),
    [(True, "UTC", 12), (True, "Pacific/Auckland", 12), (True, "America/Los_Angeles", 11), (False, "UTC", 13)],
)
def test_the_day_on_which_a_break_has_lasted_so_long_is_the_clinics_or_counted_in_whole_dates(known, zone, day):
    pause = Pause(since=on(10, -6), on=on(10).date(), time_known=known, stop=False)
    assert pause.lasts_on(48 if known else 49, ZoneInfo(zone)) == on(day).date()


def test_who_is_owed_no_test_is_read_by_the_phase_and_who_has_none_by_the_first():
    label = PROTOCOLS["us-label-2025"]
    ended = judged(treated(anc(400, 400), anc(402, 1600)), 402)
    assert (ended.frequency, basis_of(ended, label, None).frequency) == ("none", "monthly")
    assert basis_of(judged([anc(-2, 3000)], 0), label, None).frequency == "weekly"
    limits = replace(ended, limits_until=on(500).date())
    assert basis_of(limits, label, None).limits_until == on(500).date()


@pytest.mark.parametrize(("events", "severe"), [([], False), ([anc(50, 499)], True), ([anc(50, 500)], False)])
def test_only_a_count_in_the_worst_band_is_severe(events, severe):
    assert judged(treated(*events), 50).severe is severe


def test_a_judgement_carries_its_draw_its_limits_and_the_days_on_which_time_changes_it():
    assert judged([event("first_dose", 0)], 1).drawn_at is None
    off = treated(event("last_dose", 50, hours=14))
    assert [judged(off, day).changes_on for day in (79, 80)] == [on(80).date(), None]
    # 23:00 UTC and 48 hours: the day after in Berlin.
    assert judged(off, 51, zone="Europe/Berlin").answer_changes_on == on(53).date()
    label = PROTOCOLS["us-label-2025"]
    table = label.tables["general"]
    agreed = replace(label, tables=label.tables | {"general": replace(table, agreed=Agreed(on(99).date()))})
    agreed = replace(agreed, sources=agreed.sources | {"limits": agreed.sources["*"]})
    assert assess(History(events=treated(anc(50, 2000))), agreed, on(50, 3)).limits_until == on(99).date()


def test_a_fever_after_the_last_dose_leaves_the_tests_as_often_as_they_were():
    told = (event("last_dose", 50), event("fever", 52, celsius=Decimal(39)))
    often = replace(PROTOCOLS["us-label-2025"], fever=replace(PROTOCOLS["us-label-2025"].fever, frequency="daily"))
    for events, frequency in ((told, "weekly"), (told[1:], "daily")):
        assert assess(History(events=treated(anc(49, 3000), *events)), often, on(52, 3)).frequency == frequency


@pytest.mark.parametrize(("bound", "band"), [("", "green"), ("<", "amber"), (">", "green")])
def test_white_cells_reported_as_fewer_than_a_limit_have_not_reached_it(bound, band):
    count = anc(50, 5000, wbc=Decimal(3500))._replace(wbc_bound=bound)
    assert judged(treated(count), 50, protocol="uk-cpms").band == band
