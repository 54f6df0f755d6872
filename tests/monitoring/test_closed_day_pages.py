"""The clinic admin closes days: typed, or the public holidays of a country, looked at before they are saved."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from monitoring.models import Treatment
from patients.closed_days import close_days
from patients.models import AuditEvent, ClosedDay
from patients.public_holidays import countries, public_holidays
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment
from tests.monitoring.desk import words

pytestmark = pytest.mark.django_db
BAVARIA = {"country": "DE", "region": "by", "year": "2026"}
PARTY = {"first": "2026-12-23", "last": "2026-12-28", "name": "Between the years"}


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic("North", time_zone="Europe/Berlin")


@pytest.fixture
def send(client, clinic):
    client.force_login(a_person(clinic, "clinic_admin"))

    def post(**typed):
        return client.post(reverse("closed_days", args=[clinic.slug]), typed)

    return post


def closed(clinic):
    rows = ClosedDay.objects.filter(clinic=clinic, ended_at=None).order_by("day")
    return [f"{row.day} {row.name}" for row in rows]


@pytest.mark.slow
def test_h22_the_holidays_of_a_region_are_shown_and_saved_only_when_confirmed(send, clinic):
    shown = words(send(**BAVARIA))
    assert "Closed on Fri 25 Dec 2026, Christmas Day." in shown
    assert "Easter" not in shown, "it is past"
    assert "All Saints' Day" not in shown, "it is a Sunday"
    assert closed(clinic) == []
    send(**BAVARIA, confirm="1")
    assert closed(clinic) == ["2026-12-25 Christmas Day"]
    assert "closed already" in words(send(**BAVARIA))


def test_h22_how_many_tests_a_closed_day_moves_is_said_before(send, clinic):
    treatment = a_treatment(clinic)
    Treatment.objects.filter(pk=treatment.pk).update(due_on=date(2026, 12, 25))
    assert "Tests that are due on these days now: 1." in words(send(**PARTY))


def test_a_stretch_closes_its_weekdays_and_no_weekend(send, clinic):
    send(**PARTY, confirm="1")
    assert [line[:10] for line in closed(clinic)] == ["2026-12-23", "2026-12-24", "2026-12-25", "2026-12-28"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (PARTY | {"first": "2026-09-13"}, "is past; give a day from today on"),
        (PARTY | {"last": "2026-12-22"}, "Give a day from 2026-12-23 on, 31 days at most"),
        (PARTY | {"last": "2027-12-28"}, "31 days at most"),
        (PARTY | {"name": ""}, "This field is required"),
        (BAVARIA | {"region": "XX"}, "XX is no region here; known: BB, BE, BW, BY"),
        (BAVARIA | {"year": "1066"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right_and_stays_typed(send, clinic, typed, says):
    page = send(**typed, confirm="1")
    assert says in words(page)
    assert f'value="{typed.get("name") or typed.get("region", "")}"' in page.content.decode()
    assert closed(clinic) == []


def test_a_day_is_opened_again_after_a_look(send, client, clinic):
    (made,) = close_days(clinic=clinic, days={date(2026, 12, 24): "Christmas Eve"}, by=None, now=NOW)
    address = reverse("open_day", args=[clinic.slug, made.pk])
    assert "Thu 24 Dec 2026, Christmas Eve" in words(client.get(address))
    assert closed(clinic) == ["2026-12-24 Christmas Eve"]
    client.post(address)
    assert closed(clinic) == []
    assert client.post(address).status_code == 302, "a second press finds what the first one did"
    assert client.get(address).status_code == 404
    assert AuditEvent.objects.filter(verb="day_opened").count() == 1


@pytest.mark.slow
def test_h22_the_patients_page_says_by_which_open_day_blood_is_drawn(client, clinic):
    treatment = a_treatment(clinic)
    a_count(treatment, at=NOW - 3 * DAY)  # weekly tests: due on Friday 18 September
    client.force_login(a_person(clinic, "nurse"))
    page = reverse("patient", args=[treatment.patient_id])
    assert "no blood is taken that day" not in words(client.get(page))
    close_days(clinic=clinic, days={date(2026, 9, 18): "Holiday"}, by=None, now=NOW)
    assert "Fri 18 Sep 2026 ; no blood is taken that day, draw by Thu 17 Sep" in words(client.get(page))


def test_every_country_can_be_asked_and_a_whole_year_answers_in_order():
    assert ("DE", "Germany") in countries()
    assert ("US", "United States") in countries()
    year = public_holidays("US", "", 2027)
    assert list(year) == sorted(year)
    assert {day.year for day in year} == {2027}
    assert year[date(2027, 7, 5)]
    assert timedelta(0) < max(year) - min(year)
