"""From sign-in to a resolved alert, as a nurse and her prescriber do it, in a real browser."""

import pytest
from django.utils import timezone

from monitoring.models import Alert, Result
from tests.browser import assert_accessible, fits_both_dresses, says
from tests.cast import DAY, a_clinic, a_count, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic():
    return a_clinic(count_unit="10*9/L")


@pytest.fixture
def treatment(clinic):
    now = timezone.now()
    treatment = a_treatment(clinic, started=now - 60 * DAY, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 2400, at=now - 9 * DAY, now=now - 9 * DAY)
    return treatment


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_nurse_logs_a_severe_count_by_keyboard_sees_its_meaning_first_and_answers_the_alert(
    open_page, nurse, treatment, javascript
):
    page = open_page(javascript=javascript, at="/")
    page.fill("#id_username", nurse.username)
    page.fill("#id_password", "a long password")
    page.click("main >> text=Sign in >> nth=-1")
    page.click("text=Quill, Alex")
    page.click("text=Log a result")
    page.fill("#id_drawn_at", f"{timezone.now() - DAY / 8:%Y-%m-%dT%H:%M}")
    page.fill("#id_anc", "0.38")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=What it means, not saved yet")
    says(page, "Stop treatment")
    says(page, "Probably 3.8 10*9/L was meant")
    assert not Result.objects.filter(source="manual").exists()
    page.fill("#id_again", "0.38")
    page.click("text=Save this result")
    page.wait_for_selector("text=The result is saved")
    page.click("text=Low neutrophil count")
    page.fill("#ack_note", "Called the prescriber")
    page.click("button:has-text('Acknowledge')")
    page.wait_for_selector("text=The alert is acknowledged")
    page.select_option("#id_outcome", "acted")
    page.click("button:has-text('Resolve')")
    page.wait_for_selector("text=The alert is resolved")
    assert Alert.objects.get(cause="neutropenia").outcome == "acted"


def test_a_nurse_whose_session_ended_is_told_so_signs_in_and_is_back_at_the_alert(open_page, nurse, treatment):
    a_count(treatment, 380, at=timezone.now() - DAY / 8, now=timezone.now(), unit="/uL")
    alert = Alert.objects.get(cause="neutropenia")
    page = open_page(nurse, width=390)
    page.goto(f"/alerts/{alert.pk}/")
    page.fill("#ack_note", "Called the prescriber")
    page.context.clear_cookies(name="sessionid")
    page.click("button:has-text('Acknowledge')")
    page.wait_for_selector("text=Not done: you were signed out")
    assert page.input_value("#typed-1") == "Called the prescriber"
    assert_accessible(page)
    page.fill("#id_username", nurse.username)
    page.fill("#id_password", "a long password")
    page.click("main >> text=Sign in >> nth=-1")
    page.wait_for_url(f"**/alerts/{alert.pk}/")
    a_count(treatment, 210, at=timezone.now() - DAY / 12, now=timezone.now(), unit="/uL")
    Alert.objects.filter(pk=alert.pk).update(worsened_at=timezone.now())
    page.fill("#ack_note", "Called the prescriber")
    page.click("button:has-text('Acknowledge')")
    page.wait_for_selector("text=Not done: the alert has changed")
    assert page.input_value("#ack_note") == "Called the prescriber"
    assert_accessible(page)
    page.context.clear_cookies(name="csrftoken")
    page.click("button:has-text('Acknowledge')")
    page.wait_for_selector("text=this page is from before you signed in")
    assert_accessible(page)


def test_h10_a_slip_of_the_unit_is_stopped_with_the_reading_that_was_probably_meant(open_page, nurse, treatment):
    page = open_page(nurse)
    page.goto(f"/patients/{treatment.patient_id}/log/")
    page.fill("#id_drawn_at", f"{timezone.now() - DAY / 8:%Y-%m-%dT%H:%M}")
    page.fill("#id_anc", "1500")
    page.click("text=Show what it means")
    says(page, "probably 1500 /uL (1.5 x10^9/L) was meant")
    assert page.input_value("#id_anc") == "1500"


def test_every_page_is_accessible_in_both_schemes_and_fits_a_phone(open_page, nurse, treatment):
    a_count(treatment, 380, at=timezone.now() - DAY / 8, now=timezone.now(), unit="/uL")
    alert = Alert.objects.get(cause="neutropenia")
    fits_both_dresses(open_page(at="/sign-in/", width=320))
    page = open_page(nurse, width=320)
    patient = f"/patients/{treatment.patient_id}/"
    for address in ("/", "/?q=quill", patient, f"{patient}log/", f"/alerts/{alert.pk}/"):
        page.goto(address)
        fits_both_dresses(page)


def test_an_outsider_is_told_that_the_patient_does_not_exist(open_page, treatment):
    page = open_page(a_person(a_clinic("South"), "nurse"))
    alert = a_count(treatment, 380, at=timezone.now() - DAY / 8, now=timezone.now(), unit="/uL").alerts.first()
    for address in (
        f"/patients/{treatment.patient_id}/",
        f"/patients/{treatment.patient_id}/log/",
        f"/alerts/{alert.pk}/",
    ):
        assert page.goto(address).status == 404
    page.goto("/?q=quill")
    says(page, "Nobody.")
