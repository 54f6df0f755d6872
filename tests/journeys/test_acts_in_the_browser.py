"""Pausing and restarting, correcting, BEN by two people: as clinic staff do it, in a real browser."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from monitoring.actions.treating import record_event
from monitoring.models import BenStatus, Result, TreatmentEvent
from monitoring.views.acts.table import ACTS
from tests.browser import assert_accessible, fits_both_dresses, read
from tests.cast import DAY, a_clinic, a_count, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin", count_unit="10*9/L")


@pytest.fixture
def prescribers(clinic):
    return [a_person(clinic, "prescriber") for _ in range(2)]


@pytest.fixture
def treatment(clinic, prescribers):
    now = timezone.now()
    treatment = a_treatment(clinic, started=now - 100 * DAY, clinician=prescribers[0])
    a_count(treatment, 2400, at=now - 3 * DAY, now=now - 3 * DAY, accession="latest")
    return treatment


def type_moment(page, moment):
    local = moment.astimezone(ZONE)
    page.fill("#id_on", f"{local:%Y-%m-%d}")
    page.fill("#id_time", f"{local:%H:%M}")


def look(page):
    page.click("#act .act-confirm button")
    page.wait_for_selector("text=What would change")
    return read(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_h29_pausing_and_restarting_after_31_days_shows_both_clocks_first(
    open_page, prescribers, treatment, javascript
):
    now = timezone.now()
    page = open_page(prescribers[0], javascript=javascript)
    page.goto(f"/patients/{treatment.patient_id}/")
    page.click("text=Interrupt treatment")
    type_moment(page, now.astimezone(ZONE) - 31 * DAY)  # by the calendar there, also when the clocks change between
    page.fill("#id_reason", "Lost contact")
    assert "a restart is as a new patient (30 days off)" in look(page)
    assert not TreatmentEvent.objects.filter(kind="last_dose").exists()
    page.click("text=Record the interruption")
    page.wait_for_selector("text=The interruption is recorded")
    page.click("text=Restart treatment")
    said = look(page)
    assert "31 days off treatment" in said
    assert "begin again with 12.5 mg once or twice a day" in said
    assert "monitored as a new patient, with a fresh baseline" in said
    page.click("#act-confirm button")
    page.wait_for_selector("text=The restart is recorded")
    assert TreatmentEvent.objects.filter(kind="restart").count() == 1


@pytest.mark.parametrize("javascript", [True, False])
def test_a_corrected_result_says_what_it_changes_before_it_is_saved(open_page, prescribers, treatment, javascript):
    now = timezone.now()
    a_count(treatment, 700, at=now - DAY / 4, now=now - DAY / 5, accession="slip")
    page = open_page(prescribers[0], javascript=javascript)
    page.goto(f"/patients/{treatment.patient_id}/")
    page.click("text=Correct a result")
    page.click("text=ANC 700 /uL")
    page.fill("#id_anc", "7000")
    page.fill("#id_reason", "Typed without the point")
    said = look(page)
    assert "Past advice that this changes" in said
    assert "should have been Continue treatment" in said
    assert not Result.objects.filter(status="corrected").exists()
    page.click("text=Save the correction")
    page.wait_for_selector("text=The correction is saved")
    assert Result.objects.get(accession="slip", version=2).anc == 7000


def test_h18_ben_takes_two_people_and_shows_its_thresholds_to_both(open_page, clinic, prescribers):
    now = timezone.now()
    treatment = a_treatment(clinic, started=None, clinician=prescribers[0])
    for days, anc in ((6, 1260), (2, 1180)):
        a_count(treatment, anc, at=now - days * DAY, now=now - days * DAY)
    page = open_page(prescribers[0])
    page.goto(f"/patients/{treatment.patient_id}/act/ben/")
    for box in page.query_selector_all("input[name=baselines]"):
        box.check()
    page.fill("#id_evidence", "Duffy-null phenotype, blood bank")
    assert "Thresholds with BEN" in look(page)
    page.click("text=Document BEN and ask for the second person")
    page.wait_for_selector("text=waits for a second person")
    page.click("text=Confirm or decline BEN")
    page.check("text=Confirm >> nth=-1")
    page.click("text=Show what would change")
    page.wait_for_selector("text=a second person has to confirm")
    other = open_page(prescribers[1])
    other.goto(f"/patients/{treatment.patient_id}/act/confirm-ben/")
    other.check("#id_reply_0")
    assert "Treatment may start" in look(other)
    other.click("text=Give this answer")
    other.wait_for_selector("text=Your answer is recorded")
    assert BenStatus.objects.get().confirmed_by == prescribers[1]


def test_every_act_is_accessible_and_fits_a_phone(open_page, prescribers, treatment):
    page = open_page(prescribers[0], width=320)
    patient = f"/patients/{treatment.patient_id}/"
    for address in (patient, f"{patient}act/", *(f"{patient}act/{name}/" for name in ACTS)):
        page.goto(address)
        fits_both_dresses(page)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_consequences_are_accessible_and_fit_a_phone(open_page, prescribers, treatment, width):
    now = timezone.now()
    page = open_page(prescribers[0], width=width)
    page.goto(f"/patients/{treatment.patient_id}/act/fever/")
    page.fill("#id_temperature", "39.1")
    look_at_mistakes(page)
    page.check("#id_unit_0")
    assert "Take an ANC today" in look(page)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    record_event(treatment=treatment, kind="last_dose", at=now - timedelta(days=31), by=None, now=now)
    page.goto(f"/patients/{treatment.patient_id}/act/restart/")
    look(page)
    assert_accessible(page)
    assert page.evaluate("document.activeElement.id") == "means"


def look_at_mistakes(page):
    page.click("#act .act-confirm button")
    page.wait_for_selector("text=Not saved: look at what is marked below")
    assert page.input_value("#id_temperature") == "39.1"
    assert_accessible(page)
