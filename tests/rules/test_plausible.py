"""Whether an event can have happened where somebody says it did; and what a break means, with its dates."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from monitoring.rules.breaks import break_until, phases_from
from monitoring.rules.errors import InputError
from monitoring.rules.history import Event
from monitoring.rules.plausible import check_event, dosing, last_dosing
from monitoring.rules.protocols import PROTOCOLS

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 9, 14, 12, tzinfo=UTC)
LABEL = PROTOCOLS["us-label-2025"]
FIRST = Event("first_dose", datetime(2026, 6, 1, 18, tzinfo=UTC))
PAUSED = Event("last_dose", datetime(2026, 9, 1, 18, tzinfo=UTC))


def check(event, *known):
    check_event(event, events=known, born=date(1980, 5, 17), now=NOW, zone=ZONE)


@pytest.mark.parametrize(
    ("event", "known", "said"),
    [
        (Event("first_dose", NOW + timedelta(seconds=1)), [], "in the future"),
        (Event("first_dose", date(1980, 5, 16)), [], "before the patient was born"),
        (Event("first_dose", NOW), [FIRST], "recorded already"),
        (Event("last_dose", NOW), [], "no first dose"),
        (Event("restart", NOW), [], "no first dose"),
        (Event("last_dose", date(2026, 5, 31)), [FIRST], "before the first dose"),
        (Event("restart", date(2026, 5, 31)), [FIRST, PAUSED], "before the first dose"),
        (Event("restart", date(2026, 8, 31)), [FIRST, PAUSED], "before the last dose"),
        (Event("last_dose", NOW), [FIRST, PAUSED], "interrupted since"),
        (Event("last_dose", NOW, stop=True), [FIRST, PAUSED], "keep that last dose"),
        (Event("fever", NOW, celsius=Decimal("44.1")), [FIRST], "not a body temperature"),
        (Event("fever", NOW, celsius=Decimal("29.9")), [FIRST], "not a body temperature"),
    ],
)
def test_what_cannot_be_is_refused(event, known, said):
    with pytest.raises(InputError, match=said):
        check(event, *known)


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (Event("first_dose", NOW), []),
        (Event("last_dose", NOW), [FIRST]),
        (PAUSED._replace(stop=True), [FIRST, PAUSED]),
        (Event("restart", PAUSED.at), [FIRST, PAUSED]),
        (Event("restart", NOW), [FIRST]),
        (Event("last_dose", NOW), [FIRST, PAUSED, Event("restart", date(2026, 9, 5))]),
        (Event("last_dose", date(2026, 7, 1)), [FIRST, PAUSED]),
        (Event("fever", date(1980, 5, 17), celsius=Decimal(30)), []),
    ],
)
def test_what_can_be_is_taken(event, known):
    check(event, *known)


def test_the_last_dosing_event_is_the_one_before_the_moment():
    assert last_dosing([PAUSED, FIRST], date(2026, 9, 1), ZONE) == FIRST
    assert last_dosing([PAUSED, FIRST], NOW, ZONE) == PAUSED
    assert last_dosing([], NOW, ZONE) is None


# A day begins in its own zone: 1 September in Berlin at 22:00 UTC the evening before, in New York at 04:00 UTC.
NEW_YORK = ZoneInfo("America/New_York")
DAY_OFF, DAY_ONE = Event("last_dose", date(2026, 9, 1)), Event("first_dose", date(2026, 9, 1))


def utc(hour, minute=0, *, day=0):
    return datetime(2026, 8, 31, hour, minute, tzinfo=UTC) + timedelta(days=day)


def test_a_day_without_a_time_begins_at_midnight_in_the_clinics_zone():
    again = Event("restart", utc(23))
    assert dosing([again, DAY_OFF], ZONE) == [DAY_OFF, again]
    assert last_dosing([FIRST, again], DAY_OFF.at, ZONE) == FIRST
    assert last_dosing([again, DAY_OFF], NOW, ZONE) == again


@pytest.mark.parametrize(
    ("event", "known", "zone", "said"),
    [
        (Event("last_dose", utc(22, 30)), [Event("first_dose", utc(23)), DAY_ONE], ZONE, None),
        (Event("restart", utc(22, 30)), [Event("first_dose", utc(23)), DAY_ONE], ZONE, None),
        (DAY_OFF, [Event("first_dose", utc(23))], ZONE, "before the first dose"),
        (DAY_OFF._replace(kind="restart"), [Event("first_dose", utc(23))], ZONE, "before the first dose"),
        (Event("restart", utc(20)), [FIRST, DAY_OFF, Event("restart", utc(23))], ZONE, None),
        (Event("restart", utc(2, day=1)), [FIRST, DAY_OFF], NEW_YORK, "before the last dose"),
        (Event("restart", utc(4, day=1)), [FIRST, DAY_OFF], NEW_YORK, None),
    ],
)
def test_what_is_before_what_is_asked_in_the_clinics_zone(event, known, zone, said):
    ask = partial(check_event, event, events=known, born=date(1980, 5, 17), now=NOW, zone=zone)
    if said is None:
        ask()
    else:
        with pytest.raises(InputError, match=said):
            ask()


def test_today_has_begun_when_it_has_begun_at_the_clinic():
    now = datetime(2026, 9, 14, 22, 30, tzinfo=UTC)
    check_event(Event("fever", date(2026, 9, 15)), events=[], born=date(1980, 5, 17), now=now, zone=ZONE)


def test_a_break_of_days_is_counted_in_the_clinics_own_days():
    found = break_until(DAY_OFF, date(2026, 9, 4), LABEL, NEW_YORK)
    assert (found.days, found.as_new_on, found.from_12_5) == (3, date(2026, 10, 1), date(2026, 9, 3))
    longer = replace(LABEL, breaks=replace(LABEL.breaks, retitrate_hours=49))
    assert break_until(DAY_OFF, date(2026, 9, 4), longer, NEW_YORK).from_12_5 == date(2026, 9, 4)


@pytest.mark.parametrize(
    ("until", "rebuild", "as_new"),
    [
        (PAUSED.at + timedelta(hours=47, minutes=59), False, False),
        (PAUSED.at + timedelta(hours=48), True, False),
        (date(2026, 9, 2), False, False),
        (date(2026, 9, 3), True, False),
        (date(2026, 9, 30), True, False),
        (date(2026, 10, 1), True, True),
    ],
)
def test_h29_the_two_clocks_of_a_break(until, rebuild, as_new):
    found = break_until(PAUSED, until, LABEL, ZONE)
    assert (found.rebuild, found.as_new) == (rebuild, as_new)
    assert (found.from_12_5, found.as_new_on) == (PAUSED.at + timedelta(hours=48), date(2026, 10, 1))


def test_without_a_time_of_day_the_dates_count():
    found = break_until(Event("last_dose", date(2026, 9, 1)), NOW, LABEL, ZONE)
    assert (found.from_12_5, found.days) == (date(2026, 9, 3), 13)


def test_the_phases_of_a_new_patient_have_their_dates():
    assert phases_from(date(2026, 8, 31), LABEL) == [
        ("weekly", date(2027, 2, 28)), ("every_2_weeks", date(2027, 8, 31)), ("monthly", None)
    ]  # fmt: skip
