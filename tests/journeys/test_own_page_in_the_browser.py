"""On a phone: a patient opens the link, types the code, says "fever", and the nurse's worklist shows it."""

import re
import time

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from monitoring.models import Alert, SelfCheck
from patients.consenting import Person, make_link
from patients.desk import set_front_desk
from patients.reaching import Consent
from tests.browser import assert_accessible, fits_both_dresses, says
from tests.cast import a_clinic, a_person
from tests.reminding.people import Gateway, due_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic():
    clinic = a_clinic(time_zone="UTC")
    set_front_desk(
        clinic=clinic, phone="+1 555 010 0100", place="Room 12, ground floor", emergency_number="911",
        emergency_place="the nearest emergency department", by=a_person(clinic, "clinic_admin"), now=timezone.now(),
    )  # fmt: skip
    return clinic


@pytest.fixture
def treatment(clinic):
    now = timezone.now()
    return due_in(3, clinic=clinic, now=now, nurse=a_person(clinic, "nurse"))


@pytest.fixture
def gateway(monkeypatch):
    return Gateway(monkeypatch)


def link_to(treatment):
    consent = Consent.objects.get(patient=treatment.patient)
    now = timezone.now()
    person = Person(treatment.patient)
    return f"/my/{make_link(person=person, channel='sms', address=consent.address, purpose='page', now=now)}/"


def came_in(page, treatment, gateway):
    """Through the door, as a person does it."""
    address = link_to(treatment)
    page.goto(address)
    page.click("text=Send me the code")
    page.wait_for_selector("#code")
    gateway.deliver(timezone.now())
    page.fill("#code", re.search(r"\b(\d{6})\b", gateway.bodies[-1])[1])
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The next test")
    return address


@pytest.mark.parametrize("javascript", [True, False])
def test_a_patient_says_fever_on_a_phone_and_the_nurse_has_it_within_five_seconds(
    open_page, clinic, treatment, gateway, javascript
):
    nurse, phone = open_page(a_person(clinic, "nurse")), open_page(width=390, javascript=javascript)
    came_in(phone, treatment, gateway)
    phone.click("text=Feeling unwell?")
    phone.check("text=I feel hot, or I have a fever")
    phone.fill("#id_temperature", "38.9")
    phone.click("text=Send my answers")
    phone.wait_for_selector("text=Have your blood tested today")
    says(phone, "Room 12")
    begun = time.monotonic()
    nurse.goto("/")
    says(nurse, "Patient says they are unwell")
    assert time.monotonic() - begun < 5
    assert Alert.objects.get(cause="fever").treatment == treatment
    nurse.goto(f"/patients/{treatment.patient_id}/")
    says(nurse, "Feeling unwell? fever, 38.9 °C")


@pytest.mark.parametrize("javascript", [True, False])
def test_what_is_sent_after_the_page_has_closed_waits_behind_the_code(
    open_page, clinic, treatment, gateway, javascript
):
    phone = open_page(width=390, javascript=javascript)
    came_in(phone, treatment, gateway)
    phone.click("text=Feeling unwell?")
    phone.wait_for_selector("text=Send my answers")
    phone.check("text=My chest hurts, or it is hard to breathe")
    Session.objects.all().delete()  # as after half an hour
    phone.click("text=Send my answers")
    phone.wait_for_selector("text=Your answers were not sent.")
    if javascript:
        assert_accessible(phone)
    phone.click("text=Send me the code")
    phone.wait_for_selector("#code")
    gateway.deliver(timezone.now())
    phone.fill("#code", re.search(r"\b(\d{6})\b", gateway.bodies[-1])[1])
    phone.keyboard.press("Enter")
    phone.wait_for_selector("text=Not sent yet: look at your answers again")
    assert phone.is_checked("text=My chest hurts, or it is hard to breathe")
    assert not SelfCheck.objects.exists()
    phone.click("text=Send my answers")
    phone.wait_for_selector("text=Get help now")
    assert SelfCheck.objects.get().found == ["chest_pain"]


def test_a_nurse_records_consent_and_the_code_that_the_patient_reads_out(open_page, clinic, gateway):
    treatment = due_in(3, clinic=clinic, now=timezone.now(), agreed=False)
    treatment.patient.contact_points.create(kind="phone", value="+1 555 010 4321", recorded_at=timezone.now())
    page = open_page(a_person(clinic, "nurse"), width=390, javascript=False)
    page.goto(f"/patients/{treatment.patient_id}/reminders/")
    page.click("text=Record consent to reminders")
    page.check("input[name=channel][value=sms]")
    page.check("input[name=how][value=in_person]")
    page.click("text=Show what would change")
    says(page, "agrees to reminders by text message to +15550104321")
    assert not Consent.objects.exists()
    page.click("text=Record the consent and send the code")
    page.wait_for_selector("text=not confirmed yet: nothing is sent there")
    gateway.deliver(timezone.now())
    page.fill("input[name=code]", re.search(r"\b(\d{6})\b", gateway.bodies[-1])[1])
    page.click("button:text-is('Confirm')")
    page.wait_for_selector("text=reminders are sent")


def test_the_own_pages_are_accessible_and_fit_a_small_phone(open_page, clinic, treatment, gateway):
    page = open_page(width=320)
    page.goto(link_to(treatment))
    fits_both_dresses(page)
    address = came_in(page, treatment, gateway)
    for place in ("", "unwell/", "drawn/", "choices/", "calendar/", "../nobody/"):
        page.goto(address + place)
        fits_both_dresses(page)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_staff_pages_of_reminders_are_accessible(open_page, clinic, treatment, width):
    pages = {
        "nurse": (f"/patients/{treatment.patient_id}/reminders/", f"/patients/{treatment.patient_id}/act/wishes/"),
        "clinic_admin": (f"/settings/{clinic.slug}/wording/", f"/settings/{clinic.slug}/front-desk/"),
    }
    for role, addresses in pages.items():
        page = open_page(a_person(clinic, role), width=width)
        for address in addresses:
            page.goto(address)
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
