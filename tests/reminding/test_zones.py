"""Times of day: every zone in the database, the changes of clocks, leap days and the ends of months."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.reminding.last_look import next_awake
from monitoring.reminding.planning import AT, asked_on
from monitoring.rules.reminders import STEPS
from tests.cast import a_clinic

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
TURNS = [
    *(date(2026, month, day) for month in (3, 4, 9, 10, 11) for day in (1, 5, 8, 25, 28, 29)),
    date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1), date(2026, 12, 31), date(2027, 1, 1), date(2026, 4, 30),
]  # fmt: skip


def moments(zones, days, at, awake_from, awake_until):
    """The instants that the planner's own SQL gives, for each zone and day."""
    moment = AT.format(
        day="d.day", at="%(at)s::time", awake_from="%(from)s::time", awake_until="%(until)s::time", zone="z.zone"
    )
    sql = f"SELECT z.zone, d.day, {moment} FROM unnest(%(zones)s::text[]) z (zone), unnest(%(days)s::date[]) d (day)"
    with connection.cursor() as cursor:
        cursor.execute(sql, {"at": at, "from": awake_from, "until": awake_until, "zones": zones, "days": days})
        return cursor.fetchall()


def disagreeing(found):
    """Zones in which the database's own list and Python's give another time to the same day: rules that have just been
    changed, and names that PostgreSQL takes for abbreviations (CET). There the last look alone holds the hours."""
    sql = """SELECT z.zone, d.day, (d.day + time '13:00') AT TIME ZONE z.zone
        FROM unnest(%s::text[]) z (zone), unnest(%s::date[]) d (day)"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [found, TURNS])
        return {
            zone for zone, day, moment in cursor.fetchall() if moment != datetime.combine(day, time(13), ZoneInfo(zone))
        }


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(("begin", "end"), [(time(8), time(21)), (time(5), time(16)), (time(12), time(23, 59))])
def test_in_every_zone_every_step_falls_on_its_own_day_within_the_hours_that_were_chosen(begin, end):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = sorted(set(ZONES) & {name for (name,) in cursor.fetchall()})
    other = disagreeing(known)
    assert len(known) > 400
    assert len(other) < 25, sorted(other)
    for at in {step.at for step in STEPS}:
        for zone, day, moment in moments(known, TURNS, at, begin, end):
            local = moment.astimezone(ZoneInfo(zone))
            if zone in other:
                local = next_awake(moment, ZoneInfo(zone), begin, end).astimezone(ZoneInfo(zone))
            else:
                assert local.date() == day, (zone, local)
            assert begin <= local.time() < end, (zone, local)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(ZONES), st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),
    st.times(time(5), time(12)), st.times(time(16), time(23, 59)),
)  # fmt: skip
def test_what_waits_for_the_morning_is_sent_in_the_next_hours_that_are_awake(zone, now, begin, end):
    place = ZoneInfo(zone)
    moment = next_awake(now, place, begin, end)
    local = moment.astimezone(place)
    assert begin <= local.time() < end
    assert moment == now or timedelta() < moment - now <= timedelta(hours=21)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("frequency", ["weekly", "monthly", "daily", "three_times_weekly"])
def test_h22_the_day_that_is_asked_for_is_never_later_than_the_due_day(frequency):
    clinic = a_clinic()
    for n in range(800):
        due = date(2027, 12, 1) + timedelta(days=n)
        asked = asked_on(clinic, due, frequency)
        assert due - timedelta(days=4) <= asked <= due
        assert frequency in ("daily", "three_times_weekly") or asked.weekday() < 5
