"""Limits agreed for one person: other bands for this history, until a day, and never below what is severe."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from monitoring.rules.assess import assess
from monitoring.rules.errors import InputError
from monitoring.rules.history import Count, Event, History
from monitoring.rules.limits import check_limits, with_limits
from monitoring.rules.protocol import Floor, Source
from monitoring.rules.protocols import PROTOCOLS

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
UNTIL = date(2026, 12, 31)
SIGNED = Source("Agreed by Pia Prescriber")
UK, US, EU = PROTOCOLS["uk-ztas"], PROTOCOLS["us-label-2025"], PROTOCOLS["eu-2025-09"]


def history(anc, wbc=6000, days=30, population="general"):
    count = Count(START + timedelta(days=days), Decimal(anc), wbc=Decimal(wbc))
    before = Count(START - timedelta(days=1), Decimal(3000), wbc=Decimal(6000))
    return History(events=[before, Event("first_dose", START), count], population=population)


def agreed(protocol, *floors, population="general"):
    return with_limits(protocol, population, floors, until=UNTIL, source=SIGNED)


def judged(protocol, anc, wbc=6000, days=30):
    return assess(history(anc, wbc, days), protocol, START + timedelta(days=days, hours=1))


@pytest.mark.parametrize(
    ("anc", "own", "then"),
    [
        (2000, ("green", "continue"), ("green", "continue")),
        (1600, ("amber", "continue"), ("green", "continue")),
        (1300, ("red", "stop"), ("green", "continue")),
        (1000, ("red", "stop"), ("green", "continue")),
        ("999.9", ("red", "stop"), ("amber", "continue")),
        (500, ("red", "stop"), ("amber", "continue")),
        ("499.9", ("red", "stop"), ("red", "stop")),
        (400, ("red", "stop"), ("red", "stop")),
    ],
)
def test_a_count_is_in_the_band_that_was_agreed_and_severe_stays_severe(anc, own, then):
    looser = agreed(UK, Floor(1000, 3000), Floor(500, 2500))
    for protocol, expected in ((UK, own), (looser, then)):
        found = judged(protocol, anc)
        assert (found.band, found.treatment) == expected


def test_the_path_is_walked_to_the_agreed_limit():
    looser = agreed(UK, Floor(1000, 3000), Floor(500, 2500))
    assert judged(UK, 1600).frequency == "twice_weekly"
    assert judged(looser, 1600).frequency == "weekly"
    assert judged(looser, 900).frequency == "twice_weekly"


def test_every_judgement_says_that_limits_were_agreed_by_whom_and_until_when():
    found = judged(agreed(UK, Floor(1000, 3000), Floor(500, 2500)), 2500)
    (reason,) = [reason for reason in found.reasons if reason.rule == "limits.agreed"]
    assert "until 2026-12-31" in reason.text
    band = found.reasons[0]
    assert (band.rule, reason.source, band.source) == ("band.green", SIGNED.title, SIGNED.title)
    assert not [reason for reason in judged(UK, 2500).reasons if reason.rule == "limits.agreed"]


def test_the_judgement_changes_by_itself_on_the_day_after_the_last_one():
    assert judged(agreed(UK, Floor(1000, 3000), Floor(500, 2500)), 2500).changes_on == date(2027, 1, 1)
    assert judged(UK, 2500).changes_on is None


def test_a_break_that_becomes_long_sooner_is_the_sooner_change():
    looser = agreed(UK, Floor(1000, 3000), Floor(500, 2500))
    off = START + timedelta(days=10)
    told = History(events=[Event("first_dose", START), Event("last_dose", off)])
    assert assess(told, looser, off + timedelta(days=1)).changes_on == (off + timedelta(days=29)).date()


def test_what_leans_on_a_limit_moves_with_it_but_a_rechallenge_does_not():
    general = agreed(US, Floor(1200), Floor(800), Floor(500)).tables["general"]
    moderate, severe = general.bands[2], general.bands[3]
    assert moderate.held_below == Floor(800)
    assert [step.until for step in severe.path] == [Floor(800), Floor(1200)]
    assert (general.start.floor, general.rechallenge.floor) == (Floor(1200), Floor(1500))


def test_the_other_population_and_the_published_protocol_stay_as_they_are():
    looser = agreed(UK, Floor(1000, 3000), Floor(500, 2500))
    assert looser.tables["ben"] is UK.tables["ben"]
    assert UK.tables["general"].bands[0].floor == Floor(2000, 3500)


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda one: one.key)
def test_below_500_is_the_worst_band_under_every_agreement_that_may_be(protocol):
    for population, table in protocol.tables.items():
        lowest = [
            Floor(500 + 10 * number, None if band.floor.wbc is None else 2000 + number, above=band.floor.above)
            for number, band in enumerate(reversed(table.bands[:-1]))
        ][::-1]
        loosest = with_limits(protocol, population, lowest, until=UNTIL, source=SIGNED).tables[population]
        severe = Count(START, Decimal("499.9"), wbc=Decimal(9000))
        assert loosest.rank(severe) == len(loosest.bands) - 1


@pytest.mark.parametrize(
    ("protocol", "floors", "field", "words"),
    [
        (UK, [Floor(1000, 3000), Floor(499, 2500)], "anc_1", "severe for everybody"),
        (UK, [Floor(1, 3000), Floor(500, 2500)], "anc_0", "1.0 x10\\^9/L is 1000 /uL"),
        (UK, [Floor(1000, 3000), Floor(500, 1999)], "wbc_1", "below 2000"),
        (UK, [Floor(1000), Floor(500)], "wbc_0", "is judged by white cells"),
        (EU, [Floor(1000, 3000), Floor(500, 2500)], "wbc_0", "not judged by white cells"),
        (UK, [Floor(1000, 3000), Floor(1000, 2500)], "anc_1", "begin below 1000"),
        (UK, [Floor(1000, 3000)], "limits", "2 limits, and 1"),
        (UK, [Floor(2000, 3500), Floor(1500, 3000)], "limits", "own limits"),
        (US, [Floor(1500), Floor(1000), Floor(600)], "anc_2", "never moves"),
    ],
)
def test_limits_that_may_not_be_are_refused_with_what_would_be_right(protocol, floors, field, words):
    with pytest.raises(InputError, match=words) as refusal:
        check_limits(protocol.tables["general"], floors)
    assert refusal.value.field == field
