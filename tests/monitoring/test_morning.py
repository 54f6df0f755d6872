"""The morning's mail: once a day for each person, at half past seven of the clinic, with numbers and no names."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.actions.reaching import choose_morning
from monitoring.morning import morning_counts, send_mornings
from notifications.models import Delivery
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HALF_PAST = datetime(2026, 9, 14, 11, 30, tzinfo=UTC)
"""07:30 in New York."""


@pytest.fixture
def clinic():
    return a_clinic(time_zone="America/New_York")


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


def test_it_comes_once_from_half_past_seven_on_and_never_after_ten(clinic, nurse):
    assert send_mornings(now=HALF_PAST - MINUTE) == 0
    assert send_mornings(now=HALF_PAST) == 1
    assert send_mornings(now=HALF_PAST + MINUTE) == 0
    assert send_mornings(now=HALF_PAST + DAY + 150 * MINUTE) == 0
    assert send_mornings(now=HALF_PAST + DAY + 149 * MINUTE) == 1


@pytest.mark.parametrize(
    "moment", [datetime(2026, 11, 2, 12, 30, tzinfo=UTC), datetime(2026, 3, 9, 11, 30, tzinfo=UTC)]
)
def test_h21_half_past_seven_is_the_clinics_own_also_after_the_clocks_changed(clinic, nurse, moment):
    assert send_mornings(now=moment - MINUTE) == 0
    assert send_mornings(now=moment) == 1


def test_h31_it_holds_the_worklists_numbers_and_nobodys_name(clinic, nurse):
    overdue, low = a_treatment(clinic), a_treatment(clinic)
    a_count(overdue, 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    a_count(low, 400, at=NOW - 60 * MINUTE)
    send_mornings(now=HALF_PAST + DAY)
    mail = Delivery.objects.get(about__startswith="morning:")
    assert " 1  severe alerts wait" in mail.body
    assert " 1  overdue" in mail.body
    for hidden in ("Quill", "Alex", overdue.patient.mrn, "400", "clozapine"):
        assert hidden not in mail.body
    assert dict(morning_counts(clinic, NOW.date()))["drawn, no result yet"] == 0


def test_it_goes_to_who_works_off_the_list_and_wants_it(clinic, nurse):
    pharmacist = a_person(clinic, "pharmacist")
    a_person(clinic, "clinic_admin")
    choose_morning(staff=pharmacist, wanted=False, now=NOW)
    send_mornings(now=HALF_PAST)
    assert list(Delivery.objects.values_list("address", flat=True)) == [nurse.email]


def test_nobody_gets_it_for_a_clinic_where_nobody_works():
    a_clinic(time_zone="America/New_York")
    assert send_mornings(now=HALF_PAST) == 0
