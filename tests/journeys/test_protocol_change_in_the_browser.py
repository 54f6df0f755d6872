"""A clinic changes its protocol, a patient is looked at under another one, and limits are agreed: in a real browser."""

import pytest
from django.utils import timezone

from monitoring.models import AgreedLimits, ProtocolChange, Treatment
from tests.browser import assert_accessible, says
from tests.cast import DAY, a_clinic, a_count, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin", count_unit="10*9/L")


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber")


@pytest.fixture
def treatment(clinic, prescriber):
    now = timezone.now()
    treatment = a_treatment(clinic, started=now - 300 * DAY, clinician=prescriber)
    a_count(treatment, 1300, at=now - 3 * DAY, now=now - 3 * DAY)
    a_count(treatment, 1900, at=now - DAY, now=now - DAY)
    return treatment


def fits(page):
    page.wait_for_load_state()
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert_accessible(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_h20_a_clinic_changes_its_protocol_from_the_manual_to_the_signature(
    open_page, prescriber, treatment, javascript
):
    page = open_page(prescriber, javascript=javascript)
    page.goto("/manual/")
    page.click("text=Change a clinic's protocol")
    page.select_option("#id_protocol_key", "eu-2025-09")
    page.fill("#id_reason", "The letter of September 2025")
    page.click("text=Show what would change")
    page.wait_for_selector("text=Carry it out")
    says(page, "every 2 weeks → every month")
    assert Treatment.objects.get().protocol_key == "us-label-2025"
    if javascript:
        fits(page)
    page.fill("#id_password", "a wrong password")
    page.click("text=Sign, and switch")
    says(page, "That is not your password. Nothing is changed.")
    page.fill("#id_password", "a long password")
    page.click("text=Sign, and switch")
    page.wait_for_selector("text=Carried out")
    assert ProtocolChange.objects.get().finished_at is not None
    assert Treatment.objects.get().protocol_key == "eu-2025-09"


def test_what_if_by_keyboard_alone(open_page, prescriber, treatment):
    page = open_page(prescriber)
    page.goto(f"/patients/{treatment.patient_id}/")
    page.focus("text=What if another protocol judged")
    page.keyboard.press("Enter")
    page.wait_for_selector("#protocol")
    page.focus("#protocol")
    page.keyboard.type("European")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The latest counts")
    says(page, "differs")
    fits(page)


def test_limits_are_agreed_after_their_consequence_was_shown(open_page, prescriber, treatment):
    page = open_page(prescriber)
    page.goto(f"/patients/{treatment.patient_id}/")
    page.click("text=Agree limits for this patient")
    page.fill("#id_anc_0", "1.2")
    page.fill("#id_reason", "Long known, agreed with haematology")
    page.click("text=Show what would change")
    says(page, "Give whole cells per microlitre: 1200, where a report says 1.2")
    assert not AgreedLimits.objects.exists()
    page.fill("#id_anc_0", "1200")
    page.click("#act .act-confirm button")
    page.wait_for_selector("text=would then say")
    fits(page)
    page.click("#act-confirm button")
    page.wait_for_selector("text=The limits are agreed.")
    says(page, "normal from ANC 1200")
    fits(page)
