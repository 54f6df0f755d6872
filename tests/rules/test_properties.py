"""What must hold for every history, whatever is in it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from monitoring.rules.assess import assess
from monitoring.rules.history import Count, Event, History, instant_of
from monitoring.rules.judgement import RESTRICTION, cautious
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.wire import answer
from tests.rules.histories import START, ZONES, counts, histories, moments, values

LABELS = [PROTOCOLS["us-label-2025"], PROTOCOLS["us-label-2015"]]
protocols = st.sampled_from(LABELS)
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def with_events(history, events):
    return History(
        time_zone=history.time_zone,
        population=history.population,
        baseline_anc=history.baseline_anc,
        events=tuple(events),
    )


@pytest.mark.slow
@many
@given(histories(), protocols, moments, st.randoms())
def test_h16_arrival_order_never_matters(history, protocol, as_of, chance):
    shuffled = list(history.events)
    chance.shuffle(shuffled)
    assert assess(with_events(history, shuffled), protocol, as_of) == assess(history, protocol, as_of)


@pytest.mark.slow
@many
@given(histories(), protocols, moments)
def test_a_history_cut_at_the_moment_asked_about_says_the_same_as_before_later_events_came(history, protocol, as_of):
    known = [item for item in history.events if instant_of(item.at, history.zone) <= as_of]
    assert assess(with_events(history, known), protocol, as_of) == assess(history, protocol, as_of)


@pytest.mark.slow
@many
@given(histories(), protocols, moments)
def test_replay_says_the_same_again(history, protocol, as_of):
    assert assess(history, protocol, as_of) == assess(history, protocol, as_of)


@pytest.mark.slow
@many
@given(histories(fever=False), protocols, moments, values, values)
def test_a_lower_latest_count_never_relaxes_the_advice(history, protocol, drawn_at, one, other):
    lower, higher = sorted((one, other))
    before = [item for item in history.events if instant_of(item.at, history.zone) < drawn_at]
    as_of = drawn_at + timedelta(hours=1)
    said = [
        assess(with_events(history, [*before, Count(drawn_at, value)]), protocol, as_of).treatment
        for value in (lower, higher)
    ]
    assert RESTRICTION.index(said[0]) >= RESTRICTION.index(said[1])


@pytest.mark.slow
@many
@given(histories(zones=st.sampled_from(ZONES)), protocols, st.integers(2000, 2049), st.integers(0, 365 * 24))
def test_h21_a_due_date_is_never_before_its_draw_in_any_zone_and_year(history, protocol, year, hours):
    shift = datetime(year, 1, 1, tzinfo=UTC) - START
    moved = [item._replace(at=item.at + shift) for item in history.events]
    as_of = START + shift + timedelta(hours=hours)
    judgement = assess(with_events(history, moved), protocol, as_of)
    if judgement.due_on is None:
        assert (judgement.overdue_after, judgement.overdue) == (None, False)
        return
    drawn = [item.at for item in moved if isinstance(item, Count) and item.at <= as_of]
    if drawn and "anc_now" not in judgement.actions:
        assert judgement.due_on >= max(drawn).astimezone(history.zone).date()
    assert judgement.due_on <= judgement.overdue_after
    assert judgement.overdue == (as_of.astimezone(history.zone).date() > judgement.overdue_after)
    if judgement.deadline is not None:
        opened = judgement.episode.opened_at
        assert judgement.deadline.astimezone(UTC) - opened.astimezone(UTC) == timedelta(hours=24)


@pytest.mark.parametrize("zone", ["Pacific/Apia", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Gaza"])
def test_h21_every_day_of_fifty_years_has_a_due_date_after_it(zone):
    for day in range(0, 365 * 50, 11):
        start = datetime(2000, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
        history = History(
            time_zone=zone,
            events=(
                Count(start - timedelta(days=2), Decimal(3000)),
                Event("first_dose", start.date()),
                Count(start, Decimal(2000)),
            ),
        )
        judgement = assess(history, LABELS[0], start + timedelta(hours=1))
        assert judgement.due_on == start.astimezone(history.zone).date() + timedelta(days=7)


@pytest.mark.slow
@many
@given(histories(), protocols, moments)
@example(History(), LABELS[0], START)
def test_every_judgement_keeps_to_the_words_of_the_format_and_gives_reasons(history, protocol, as_of):
    said = assess(history, protocol, as_of)
    table = protocol.tables[history.population]
    assert said.treatment in RESTRICTION
    assert said.band is None or said.band in {band.name for band in table.bands}
    assert list(said.actions) == sorted(set(said.actions))
    assert ("repeat_within_24h" in said.actions) == (said.deadline is not None)
    assert said.reasons
    assert all(reason.text.endswith(".") and "{" not in reason.text for reason in said.reasons)
    json.dumps(said.as_dict())


@pytest.mark.slow
@many
@given(histories(), protocols, moments, counts())
def test_h15_a_preliminary_result_never_permits_more_than_the_final_ones(history, protocol, as_of, preliminary):
    final = assess(history, protocol, as_of)
    provisional = assess(with_events(history, [*history.events, preliminary]), protocol, as_of)
    allowed = cautious(final, provisional)
    assert RESTRICTION.index(allowed.treatment) >= RESTRICTION.index(final.treatment)
    if allowed.treatment == final.treatment and final.overdue_after:
        assert allowed.overdue_after
        assert allowed.overdue_after <= final.overdue_after


def a_line(history, as_of, amendments=()):
    """The history as a line of the format, each count with an id."""
    told = []
    for number, item in enumerate(history.events):
        at = item.at.isoformat()
        if isinstance(item, Count):
            value = f"{item.anc_bound}{item.anc / 1000}"
            told.append({"kind": "count", "id": f"c{number}", "at": at, "anc": value, "unit": "10*9/L"})
        else:
            celsius = {"celsius": str(item.celsius)} if item.celsius else {}
            told.append({"kind": item.kind, "at": at, "stop": item.stop} | celsius)
    return json.dumps(
        {
            "id": "x",
            "protocol": "us-label-2025",
            "time_zone": history.time_zone,
            "population": history.population,
            "baseline_anc": None if history.baseline_anc is None else int(history.baseline_anc),
            "as_of": as_of.isoformat(),
            "events": [*told, *amendments],
        }
    )


@pytest.mark.slow
@many
@given(histories(), moments, st.integers(0, 13))
def test_a_correction_that_restates_the_same_number_changes_nothing(history, as_of, which):
    plain = json.loads(a_line(history, as_of))
    drawn = [item for item in plain["events"] if item["kind"] == "count"]
    assume(drawn)
    count = drawn[which % len(drawn)]
    again = {"kind": "correction", "of": count["id"], "at": count["at"], "anc": count["anc"], "unit": "10*9/L"}
    assert answer(a_line(history, as_of, [again])) == answer(json.dumps(plain))


@pytest.mark.slow
@many
@given(histories(), moments, st.integers(0, 13))
def test_an_error_entered_and_taken_out_again_leaves_no_trace(history, as_of, which):
    plain = json.loads(a_line(history, as_of))
    slip = {"kind": "count", "id": "slip", "at": START.isoformat(), "anc": "not even a number", "unit": "?"}
    removal = {"kind": "entered_in_error", "of": "slip", "at": START.isoformat()}
    assert answer(a_line(history, as_of, [slip, removal])) == answer(json.dumps(plain))
