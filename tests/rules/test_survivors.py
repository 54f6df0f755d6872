"""What mutation testing found that no other test held."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monitoring.rules.assess import assess
from monitoring.rules.ben import worth_assessing
from monitoring.rules.eligibility import eligibility
from monitoring.rules.errors import InputError
from monitoring.rules.history import Count, Event, History
from monitoring.rules.judgement import cautious
from monitoring.rules.limits import with_limits
from monitoring.rules.overrides import Level, level
from monitoring.rules.protocol import Floor, Source, Tail
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.slips import DoubtError, Neighbour, Question, Typed, loosened_from, questions
from monitoring.rules.supplying import SupplyPolicy
from monitoring.rules.units import read_count
from monitoring.rules.wire import answer, read_history
from tests.rules.telling import anc, event, judged, on, treated

WHITE = Decimal(8000)


def test_of_two_judgements_the_more_restrictive_stands_and_of_two_alike_the_sooner():
    fine, held = judged(treated(anc(10, 2000)), 10), judged(treated(anc(10, 900)), 10)
    assert cautious(fine, held) is held
    assert cautious(held, fine) is held
    sooner = replace(fine, overdue_after=date(2025, 1, 2))
    assert cautious(fine, sooner) is sooner
    assert cautious(replace(fine, overdue_after=None), sooner) is sooner


@pytest.mark.parametrize(
    ("before", "after", "band"), [(3999, 2499, "yellow"), (3998, 2499, "green"), (4000, 2500, "green")]
)
def test_in_canada_a_fall_counts_from_exactly_1500_on_and_below_2500(before, after, band):
    told = treated(anc(50, before, wbc=WHITE), anc(60, after, wbc=WHITE))
    assert judged(told, 60, protocol="ca-2023").band == band


@pytest.mark.parametrize(("restart", "weekly"), [(4, False), (5, True)])
@pytest.mark.parametrize("known", ["last", "restart", "neither"])
def test_a_break_is_counted_in_dates_where_either_time_is_unknown(restart, weekly, known):
    last = Event("last_dose", on(200) if known == "last" else on(200).date())
    again = Event("restart", on(200 + restart, 9) if known == "restart" else on(200 + restart).date())
    told = treated(event("step_down_authorised", 127), anc(199, 5000, wbc=WHITE), last, again)
    said = judged([*told, anc(207, 5000, wbc=WHITE)], 207, protocol="uk-cpms")
    assert said.frequency == ("weekly" if weekly else "every_2_weeks")


def test_in_canada_an_unconfirmed_red_leaves_a_yellow_path_that_runs_to_its_end():
    told = treated(anc(50, 1400, wbc=WHITE), anc(51, 1600, wbc=WHITE))
    said = judged(told, 51, protocol="ca-2023")
    assert (said.episode.tail_left, said.frequency, said.episode.confirmed) == (0, "twice_weekly", False)
    again = judged([*told, anc(54, 1700, wbc=WHITE)], 54, protocol="ca-2023")
    assert (again.episode.opened_at, again.frequency) == (on(50), "twice_weekly")
    assert judged([*told, anc(54, 5000, wbc=WHITE)], 54, protocol="ca-2023").episode is None


def test_in_canada_a_confirmed_red_owes_its_four_weeks_from_the_repeat():
    told = treated(anc(50, 1400, wbc=WHITE), anc(51, 1300, wbc=WHITE), anc(57, 5000, wbc=WHITE))
    assert judged(told, 57, protocol="ca-2023").episode.tail_left == 4
    assert judged([*told, anc(58, 5000, wbc=WHITE)], 58, protocol="ca-2023").episode.tail_left == 3


def test_a_tail_whose_frequency_has_no_window_is_refused():
    label = PROTOCOLS["us-label-2025"]
    table = label.tables["general"]
    bands = (*table.bands[:2], replace(table.bands[2], tail=Tail("yearly")), table.bands[3])
    with pytest.raises(InputError, match="tests yearly"):
        replace(label, tables={"general": replace(table, bands=bands)})


@pytest.mark.parametrize(
    ("written", "fine"),
    [
        (100_000, True),
        (100_001, False),
        ("1250.5", True),
        ("1.250.5", False),
        ("1.2.5.0", False),
        (999, False),
        (1000, True),
    ],
)
def test_a_baseline_is_one_number_within_its_limits(written, fine):
    history = {"id": "x", "protocol": "us-label-2025", "as_of": "2026-09-14T09:00:00Z", "population": "ben"}
    said = json.loads(answer(json.dumps(history | {"baseline_anc": written, "events": []}))[0])
    assert (said.get("error", {}).get("field") is None) is fine


def test_an_amendment_without_a_count_names_its_place_in_the_list():
    history = {"id": "x", "protocol": "us-label-2025", "as_of": "2026-09-14T09:00:00Z"}
    first = {"kind": "first_dose", "at": "2026-09-01"}
    for of, field in (({}, "of"), ({"of": None}, "of")):
        amended = {"kind": "entered_in_error", "at": "2026-09-02"} | of
        said = json.loads(answer(json.dumps(history | {"events": [first, amended]}))[0])
        assert (said["error"]["field"], "event 2" in said["error"]["message"]) == (field, True)


@pytest.mark.parametrize(
    ("value", "worth"), [(1500, False), (1499, True), (1000, True), (999, True), (500, True), (499, False)]
)
def test_ben_is_thought_of_at_a_low_count_that_is_not_severe(value, worth):
    count = anc(50, value)
    assert worth_assessing(count, PROTOCOLS["us-label-2025"]) is worth
    assert worth_assessing(count, PROTOCOLS["ca-2023"]) is ("ben" in PROTOCOLS["ca-2023"].tables and worth)


def test_ben_is_not_thought_of_without_a_count_or_a_table_or_where_it_would_be_no_better():
    label = PROTOCOLS["us-label-2025"]
    assert not worth_assessing(None, label)
    assert not worth_assessing(anc(50, 1200), replace(label, tables={"general": label.tables["general"]}))
    alike = replace(label, tables=dict.fromkeys(("general", "ben"), label.tables["general"]))
    assert not worth_assessing(anc(50, 1200), alike)


def test_a_test_is_overdue_from_the_day_after_its_last_day_in_time():
    fine = judged(treated(anc(10, 2000)), 10)
    days = [fine.overdue_after + timedelta(days=days) for days in (-1, 0, 1)]
    assert [fine.overdue_on(day) for day in days] == [False, False, True]
    assert not replace(fine, overdue_after=None).overdue_on(days[-1])


def test_a_doubt_carries_its_questions_and_says_them():
    asked = [Question(code=code, text=text, wants=("again",)) for code, text in (("a", "First."), ("b", "Second."))]
    doubt = DoubtError(asked)
    assert (doubt.field, doubt.message, doubt.asked) == ("answers", "First. Second.", tuple(asked))


def test_limits_that_lean_on_no_band_stay_where_they_are_when_bands_are_agreed():
    label = PROTOCOLS["us-label-2025"]
    table = label.tables["general"]
    best, mild, moderate, severe = table.bands
    apart = replace(
        moderate, held_below=Floor(1100), path=tuple(replace(step, until=Floor(1700)) for step in moderate.path)
    )
    odd = replace(table, bands=(best, mild, apart, severe), start=replace(table.start, floor=Floor(1600)))
    own = replace(label, tables=label.tables | {"general": odd})
    floors = [Floor(1400), Floor(1000), Floor(500)]
    agreed = with_limits(own, "general", floors, until=date(2026, 12, 31), source=Source("Signed")).tables["general"]
    assert (agreed.start.floor, agreed.bands[2].held_below) == (Floor(1600), Floor(1100))
    assert {step.until for step in agreed.bands[2].path} == {Floor(1700)}
    assert agreed.bands[1].held_below == mild.held_below


def test_of_an_unconfirmed_red_the_yellow_band_keeps_the_tail_that_it_owes():
    canada = PROTOCOLS["ca-2023"]
    table = canada.tables["general"]
    bands = tuple(replace(band, tail=Tail("weekly")) if band.name == "yellow" else band for band in table.bands)
    with_tail = replace(canada, tables=canada.tables | {"general": replace(table, bands=bands)})
    told = treated(anc(50, 1700, wbc=WHITE), anc(51, 1400, wbc=WHITE), anc(52, 5000, wbc=WHITE))
    episode = assess(History(events=told), with_tail, on(52, 3)).episode
    assert (episode.confirmed, episode.tail_left) == (False, 4)


def test_a_derived_count_is_exact_whatever_its_digits():
    reading = read_count(
        wbc=Decimal("8000.1234567890123456"), unit="/uL", neutrophils_percent=Decimal("50.123456789012345678")
    )
    assert reading.anc == Decimal("4009.938423931281359428268983387568023168")


def test_a_history_needs_no_events_and_its_parts_are_read_as_they_are():
    asked = {"protocol": "us-label-2025", "as_of": "2026-09-14T09:00:00+02:00"}
    assert read_history(asked).history.events == []
    count = {"kind": "count", "at": "2026-09-01T09:00:00Z", "anc": 2000, "unit": "/uL"}
    events = [count | {"id": 7}, count | {"id": "seven"}, count, {"kind": "last_dose", "at": "2026-09-02"}]
    found = read_history(asked | {"events": events}).history.events
    assert sorted(one.id for one in found if isinstance(one, Count)) == ["", "7", "seven"]
    assert [one.celsius for one in found if isinstance(one, Event)] == [None]


@pytest.mark.parametrize(
    ("line", "well", "identity"),
    [
        ('{"id": 1.5, "protocol": "us-label-2025", "as_of": "yesterday"}', False, "1.5"),
        ('{"id": NaN, "protocol": "us-label-2025", "as_of": "2026-09-14T09:00:00Z"}', True, "NaN"),
        ('{"id": 3, "protocol": "us-label-2025", "as_of": "2026-09-14T09:00:00Z"}', True, 3),
    ],
)
def test_an_answer_is_json_whatever_the_id_and_says_whether_it_could_be_judged(line, well, identity):
    text, judged_well = answer(line)
    said = json.loads(text, parse_constant=pytest.fail)
    assert (judged_well, said["id"], said.get("error", {}).get("field")) == (well, identity, None if well else "as_of")


def test_nothing_stands_against_a_supply_for_which_there_is_no_reason():
    assert level([]) is Level.NOTHING


def answer_for(events, day, protocol, **more):
    """The pharmacist's answer under a protocol that is made for the test."""
    said = replace(judged(events, day), **more)
    return eligibility(said, protocol, day=on(day).date(), drawn_on=on(50).date(), policy=SupplyPolicy(days={}))


def test_the_words_for_one_day_off_and_for_a_judgement_without_reasons():
    label, told = PROTOCOLS["us-label-2025"], treated(anc(50, 2500), event("last_dose", 50))
    days = [one.text for one in answer_for(told, 51, label).why if one.rule == "break.days"]
    assert days == ["1 day since the last dose."]
    held = answer_for(treated(anc(50, 900)), 50, label, reasons=())
    assert held.why[0].text == "Treatment is interrupted until the count allows it again."


def test_a_protocol_that_says_nothing_of_supply_gives_nothing_to_know():
    bare = replace(PROTOCOLS["us-label-2025"], supply=None)
    assert {one.kind for one in answer_for(treated(anc(50, 2500)), 50, bare).why} >= {"clinical"}


@pytest.mark.parametrize(("hours", "asks"), [(48, True), (49, False), (72, False)])
def test_tablets_over_for_two_days_are_asked_about_when_two_days_are_long_enough(hours, asks):
    label = PROTOCOLS["us-label-2025"]
    longer = replace(label, breaks=replace(label.breaks, retitrate_hours=hours))
    verdict = eligibility(
        judged(treated(anc(50, 2500)), 52), longer, day=on(52).date(), drawn_on=on(50).date(),
        policy=SupplyPolicy(days={}), tablets_until=on(50).date(),
    )  # fmt: skip
    assert ("break.tablets_over" in [one.rule for one in verdict.why]) is asks


def doubts(value, *earlier, day=60, zone="UTC"):
    """What is asked about a count typed for that day, by its code."""
    typed = Typed(count=anc(day, value), written=str(value), scale=1, unit="/uL")
    table = PROTOCOLS["us-label-2025"].tables["general"]
    asked = questions(typed, earlier, table, now=on(day, 1), zone=ZoneInfo(zone))
    return {question.code: question.text for question in asked}


def test_a_count_of_the_same_draw_is_told_with_its_value_or_as_one_without_an_anc():
    assert "a count of the same draw already: 2400 /uL," in doubts(2600, anc(60, 2400))["duplicate"]
    white = anc(60, 1)._replace(anc=None, wbc=Decimal(5000))
    assert "a count of the same draw already: a count without ANC," in doubts(2600, white)["duplicate"]


def test_a_count_of_the_same_moment_is_one_before_and_its_day_is_the_clinics_own():
    assert "was severe; this one would be normal" in doubts(2600, anc(60, 400))["loosens"]
    late = anc(50, 400)._replace(at=on(50, 13))
    asked = doubts(2600, late, zone="Pacific/Auckland")
    assert "400 /uL on 2025-02-21" in asked["loosens"]
    assert "400 /uL on 2025-02-21" in asked["change"]


def test_a_count_is_far_beyond_a_little_more_than_double_or_below_two_fifths():
    assert "change" not in doubts(4200, anc(50, 2000))
    assert "change" in doubts(4201, anc(50, 2000))
    assert "change" not in doubts(800, anc(50, 2000))
    assert "change" in doubts(799, anc(50, 2000))


def test_the_same_value_on_the_clinics_own_day_is_asked_about_and_on_another_day_not():
    earlier = anc(50, 2400)._replace(at=on(59, 5))  # the 60th day in Auckland, the 59th in London
    assert "same value on the same day" in doubts(2400, earlier, zone="Pacific/Auckland")["duplicate"]
    assert "duplicate" not in doubts(2400, earlier)


@pytest.mark.parametrize(
    ("mine", "theirs", "other", "asked"),
    [(3050, 3050, 3050, True), (2800, 2800, 2800, False), (4000, 3000, 4000, False), (4000, 2000, 4000, True)],
)
def test_a_number_that_fits_the_row_before_better_is_asked_about(mine, theirs, other, asked):
    own = 2400 if mine == theirs else 2000
    before = Neighbour(name="the row above", count=anc(60, theirs), earlier=[anc(50, other)])
    typed = Typed(count=anc(60, mine), written=str(mine), scale=1, unit="/uL")
    table = PROTOCOLS["us-label-2025"].tables["general"]
    found = questions(typed, [anc(50, own)], table, now=on(60, 1), zone=ZoneInfo("UTC"), neighbour=before)
    assert ("neighbour" in [question.code for question in found]) is asked


def test_a_count_is_looser_than_one_of_its_own_moment():
    table = PROTOCOLS["us-label-2025"].tables["general"]
    assert loosened_from(anc(60, 2600), [anc(60, 400)], table) == anc(60, 400)
    assert loosened_from(anc(60, 400), [anc(60, 2600)], table) is None
