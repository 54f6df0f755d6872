"""The days on which a clinic takes no blood: a draw only ever moves earlier."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from patients.closed_days import close_days, closed_days_of, is_open, open_again, open_day_after, open_day_on_or_before
from patients.models import AuditEvent, ClosedDay
from tests.cast import NOW, a_clinic, a_person

CHRISTMAS = {date(2026, 12, 24), date(2026, 12, 25)}
days = st.dates(date(2020, 1, 1), date(2050, 1, 1))


@pytest.mark.parametrize(
    ("due", "drawn"),
    [
        ("2026-12-23", "2026-12-23"),
        ("2026-12-24", "2026-12-23"),
        ("2026-12-25", "2026-12-23"),
        ("2026-12-27", "2026-12-23"),
        ("2026-12-28", "2026-12-28"),
    ],
)
def test_h22_the_last_open_day_is_found_before_holidays_and_the_weekend_after_them(due, drawn):
    assert open_day_on_or_before(date.fromisoformat(due), CHRISTMAS).isoformat() == drawn


@given(day=days, closed=st.frozensets(st.integers(-20, 20)))
def test_h22_no_closed_day_ever_moves_a_draw_later(day, closed):
    shut = {day + timedelta(days=number) for number in closed}
    moved = open_day_on_or_before(day, shut)
    assert moved <= day < open_day_after(day, shut)
    assert is_open(moved, shut)
    assert not any(is_open(moved + timedelta(days=n), shut) for n in range(1, (day - moved).days + 1))


@pytest.mark.django_db
def test_days_are_closed_once_and_opened_again_with_who_and_when():
    clinic = a_clinic()
    admin = a_person(clinic, "clinic_admin")
    eve = {date(2026, 12, 24): "Christmas Eve"}
    (made,) = close_days(clinic=clinic, days=eve, by=admin, now=NOW)
    assert close_days(clinic=clinic, days=eve, by=admin, now=NOW) == []
    assert closed_days_of([clinic], since=date(2026, 1, 1), until=date(2026, 12, 31)) == {clinic.pk: set(eve)}
    assert open_again(closed=made, by=admin, now=NOW)
    assert not open_again(closed=made, by=admin, now=NOW)
    assert closed_days_of([clinic], since=date(2026, 1, 1), until=date(2026, 12, 31)) == {clinic.pk: set()}
    verbs = AuditEvent.objects.filter(staff=admin).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["days_closed", "day_opened"]


@pytest.mark.django_db
def test_another_clinics_closed_days_are_not_mine():
    north, west = a_clinic("North"), a_clinic("West")
    close_days(clinic=west, days={date(2026, 12, 24): "Party"}, by=None, now=NOW)
    found = closed_days_of([north, west], since=date(2026, 12, 24), until=date(2026, 12, 24))
    assert found == {north.pk: frozenset(), west.pk: {date(2026, 12, 24)}}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"name": ""}, "closed_day_has_name"),
        ({"name": "Again"}, "closed_once_a_day"),
        ({"name": "Ended", "day": date(2026, 12, 26), "ended_by": True}, "closed_day_ended_by_has_when"),
    ],
)
def test_a_closed_day_that_cannot_be_is_refused_by_the_database(wrong, constraint):
    clinic = a_clinic()
    facts = {"clinic": clinic, "day": date(2026, 12, 24), "recorded_at": NOW}
    ClosedDay.objects.create(**facts, name="Christmas Eve")
    if wrong.pop("ended_by", None):
        facts["ended_by"] = a_person(clinic, "clinic_admin")
    with pytest.raises(IntegrityError, match=constraint):
        ClosedDay.objects.create(**facts | wrong)
