"""The morning's mail: once a person, clinic and day, at half past seven of the clinic's clock, in numbers alone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from django.db import connection
from django.urls import reverse

from monitoring.actions.drawing import record_draw
from monitoring.digest import owe_digests
from monitoring.sweep import sweep
from notifications.models import Delivery
from patients.models import Clinic, Membership, Staff
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment
from tests.monitoring.desk import words

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HALF_PAST_SEVEN = datetime(2026, 9, 14, 7, 30, tzinfo=UTC)


@pytest.fixture
def clinic():
    return a_clinic()


def mails():
    return Delivery.objects.filter(about__startswith="morning:")


@pytest.mark.slow
def test_the_mail_comes_once_a_day_at_half_past_seven_of_the_clinics_clock(clinic):
    nurse, south = a_person(clinic, "nurse"), a_clinic("South", time_zone="America/New_York")
    a_person(south, "nurse")
    sweep(now=HALF_PAST_SEVEN - MINUTE)
    assert not mails().exists()
    for minutes in range(0, 4 * 60, 30):
        sweep(now=HALF_PAST_SEVEN + minutes * MINUTE)
    assert mails().get().address == nurse.email
    sweep(now=HALF_PAST_SEVEN + 4 * 60 * MINUTE)
    assert mails().count() == 2
    sweep(now=HALF_PAST_SEVEN + DAY)
    assert mails().filter(address=nurse.email).count() == 2


def test_after_noon_no_mail_of_the_morning_is_sent(clinic):
    a_person(clinic, "nurse")
    sweep(now=HALF_PAST_SEVEN + 270 * MINUTE)
    assert not mails().exists()


@pytest.mark.parametrize(
    ("role", "usual"),
    [("nurse", True), ("prescriber", True), ("pharmacist", False), ("clinic_admin", False), ("auditor", False)],
)
def test_who_gets_it_goes_by_role_until_the_person_says_otherwise(client, clinic, role, usual, time_machine):
    time_machine.move_to(NOW, tick=False)
    person = a_person(clinic, role)
    owe_digests(now=HALF_PAST_SEVEN)
    assert mails().exists() is usual
    client.force_login(person)
    page = words(client.get(reverse("duty")))
    assert f"Now: {'on' if usual else 'off'}" in page
    client.post(reverse("daily_mail", args=[clinic.slug]), {} if usual else {"on": "1"})
    assert f"Now: {'off' if usual else 'on'}" in words(client.get(reverse("duty")))
    before = mails().count()
    owe_digests(now=HALF_PAST_SEVEN + DAY)
    assert mails().count() - before == (not usual)


@pytest.mark.parametrize("gone", ["inactive", "without an address", "left the clinic"])
def test_nobody_who_is_gone_gets_it(clinic, gone):
    person = a_person(clinic, "nurse", is_active=gone != "inactive")
    if gone == "without an address":
        Staff.objects.filter(pk=person.pk).update(email="")
    person.memberships.update(active=gone != "left the clinic")
    assert owe_digests(now=HALF_PAST_SEVEN) == 0


@pytest.mark.slow
def test_it_holds_the_worklists_own_numbers_and_nothing_by_which_anybody_is_known(client, clinic, time_machine):
    nurse, number = a_person(clinic, "nurse"), iter(range(99))
    for days_ago, anc in ((9, 2000), (9, 2000), (7, 2000), (3, 400), (8, 900)):
        patient = a_patient(clinic, mrn=f"MRN{next(number):04}", family_name="Quillfeather")
        treatment = a_treatment(clinic, patient=patient)
        a_count(treatment, anc, at=HALF_PAST_SEVEN - days_ago * DAY, now=HALF_PAST_SEVEN - days_ago * DAY)
    record_draw(treatment=treatment, drawn_at=HALF_PAST_SEVEN - DAY, by=nurse, now=HALF_PAST_SEVEN - DAY)
    owe_digests(now=HALF_PAST_SEVEN)
    mail = mails().get()
    time_machine.move_to(HALF_PAST_SEVEN, tick=False)
    client.force_login(nurse)
    shown = {part.name: part.page.total for part in client.get("/").context["sections"]}
    assert mail.body.startswith(
        f"Today at North: {shown['alerts']} alerts (1 severe), {shown['overdue']} tests overdue, 0 results late,"
        f" {shown['due']} due today, {shown['drawn']} drawn without a result."
    )
    assert min(shown["alerts"], shown["overdue"], shown["due"], shown["drawn"]) > 0
    said = f"{mail.subject} {mail.body}".lower()
    assert not any(word in said for word in ("quillfeather", "mrn0", "1980", "clozapine", "neutro", "anc "))


@pytest.mark.slow
@pytest.mark.parametrize("day", [datetime(2026, 10, 25), datetime(2027, 3, 14), datetime(2028, 2, 29)])
def test_in_every_zone_everybody_gets_one_mail_a_day_also_when_the_clocks_change(day):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        zones = sorted(available_timezones() & {name for (name,) in cursor.fetchall()})[::3]
    clinics = Clinic.objects.bulk_create(
        Clinic(name=zone, slug=f"z{number}", time_zone=zone, on_call_email="a@b.example")
        for number, zone in enumerate(zones)
    )
    people = Staff.objects.bulk_create(
        Staff(username=f"z{number}", email=f"z{number}@b.example") for number in range(len(zones))
    )
    Membership.objects.bulk_create(
        Membership(staff=one, clinic=clinic, role="nurse") for one, clinic in zip(people, clinics, strict=True)
    )
    start = day.replace(tzinfo=UTC) - timedelta(hours=14)
    for quarter in range(4 * 50):
        owe_digests(now=start + quarter * 15 * MINUTE)
    with connection.cursor() as cursor:
        # By the database's own table of zones, which may be newer than Python's.
        cursor.execute(
            "SELECT c.id, d.created_at AT TIME ZONE c.time_zone FROM notifications_delivery d"
            " JOIN patients_clinic c ON c.id = d.clinic_id WHERE d.about LIKE 'morning:%'"
        )
        of_the_day = [(pk, local) for pk, local in cursor.fetchall() if local.date() == day.date()]
    assert sorted(pk for pk, _ in of_the_day) == sorted(one.pk for one in clinics)
    assert {(local.hour, local.minute // 15) for _, local in of_the_day} == {(7, 2)}
