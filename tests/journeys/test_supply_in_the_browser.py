"""At the counter, in a real browser: a severe result in another window, and a bridge supply by two people."""

import uuid
from decimal import Decimal

import pytest
from django.utils import timezone

from monitoring.actions.dispensing import authorise, hand_over
from monitoring.models import Dispense, Override
from tests.browser import assert_accessible, fits_both_dresses, says
from tests.cast import DAY, a_clinic, a_count, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic():
    return a_clinic(count_unit="10*9/L")


@pytest.fixture
def pharmacist(clinic):
    return a_person(clinic, "pharmacist")


def treated(clinic, *, drawn):
    now = timezone.now()
    treatment = a_treatment(clinic, started=now - 60 * DAY, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 2600, at=now - drawn * DAY, now=now - drawn * DAY)
    return treatment


def severe_result(ward, treatment):
    """A nurse types 0.38 and saves it."""
    ward.goto(f"/patients/{treatment.patient_id}/log/")
    ward.fill("#id_drawn_at", f"{timezone.now() - DAY / 8:%Y-%m-%dT%H:%M}")
    ward.fill("#id_anc", "0.38")
    ward.keyboard.press("Enter")
    ward.wait_for_selector("text=What it means, not saved yet")
    ward.fill("#id_again", "0.38")
    ward.click("text=Save this result")
    ward.wait_for_selector("text=The result is saved")


@pytest.mark.parametrize("width", [320, 1280])
def test_h39_a_pharmacist_is_stopped_by_a_severe_result_that_a_nurse_entered_meanwhile(
    open_page, clinic, pharmacist, width
):
    treatment = treated(clinic, drawn=1)
    counter, ward = open_page(pharmacist, width=width), open_page(a_person(clinic, "nurse"))
    counter.goto(f"/patients/{treatment.patient_id}/supply/")
    says(counter, "May supply up to 7 days")
    severe_result(ward, treatment)
    counter.click("text=Authorise this supply")
    counter.wait_for_selector("text=Not done.")
    says(counter, "Do not supply")
    as_it_should_be(counter, width)
    assert not Dispense.objects.exists()


def as_it_should_be(page, width):
    """Nothing that axe can see, and nothing beyond the edge."""
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 1280])
def test_after_the_refusal_the_next_patient_gets_a_bridge_by_two_people(open_page, clinic, pharmacist, width):
    refused, waiting = treated(clinic, drawn=1), treated(clinic, drawn=9)
    counter, ward = open_page(pharmacist, width=width), open_page(a_person(clinic, "nurse"))
    desk = open_page(waiting.clinician, width=width)
    counter.goto(f"/patients/{refused.patient_id}/supply/")
    severe_result(ward, refused)
    counter.click("text=Authorise this supply")
    counter.wait_for_selector("text=Not done.")
    place = f"/patients/{waiting.patient_id}/supply/"
    asked_for_a_bridge(counter, place)
    as_it_should_be(counter, width)
    desk.goto(place)
    as_it_should_be(desk, width)
    desk.click("text=Confirm 4 days")
    desk.wait_for_selector("text=Confirmed.")
    handed_over(counter, place)
    as_it_should_be(counter, width)
    assert Dispense.objects.get().treatment == waiting


@pytest.mark.parametrize("width", [320, 1280])
def test_h39_a_second_key_is_not_turned_after_a_severe_result_in_another_window(open_page, clinic, pharmacist, width):
    treatment = treated(clinic, drawn=9)
    place = f"/patients/{treatment.patient_id}/supply/"
    counter, ward = open_page(pharmacist), open_page(a_person(clinic, "nurse"))
    asked_for_a_bridge(counter, place)
    desk = open_page(treatment.clinician, width=width)
    desk.goto(place)
    severe_result(ward, treatment)
    desk.click("text=Confirm 4 days")
    desk.wait_for_selector("text=Not done.")
    as_it_should_be(desk, width)
    assert Override.objects.get().confirmed_at is None


def asked_for_a_bridge(counter, place):
    counter.goto(place)
    says(counter, "Prescriber must decide")
    counter.click("summary:has-text('Ask for one')")
    counter.select_option("#id_code", "laboratory")
    counter.fill("#id_words", "The courier lost the tube")
    counter.click("text=Ask a second person")
    counter.wait_for_selector("text=Asked.")


def handed_over(counter, place):
    counter.goto(place)
    counter.click("text=Authorise 4 days on this")
    counter.wait_for_selector("text=Authorised:")
    counter.fill("#id_quantity", "12")
    counter.fill("#id_days", "4")
    counter.click("text=Hand over >> nth=-1")
    counter.wait_for_selector("text=Handed over. The tablets reach")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_bridge_supply_needs_a_second_person(open_page, clinic, pharmacist, javascript):
    treatment = treated(clinic, drawn=9)
    place = f"/patients/{treatment.patient_id}/supply/"
    counter = open_page(pharmacist, javascript=javascript)
    asked_for_a_bridge(counter, place)
    second = open_page(treatment.clinician, javascript=javascript)
    second.goto(place)
    second.click("text=Confirm 4 days")
    second.wait_for_selector("text=Confirmed.")
    handed_over(counter, place)
    assert Override.objects.get().used_at
    assert Dispense.objects.get().days == 4


def running_out(clinic, pharmacist):
    """Weekly, supplied four days ago for seven: three tablets' days are left, and nothing is booked."""
    treatment, at = treated(clinic, drawn=4), timezone.now() - 4 * DAY
    leave = authorise(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=at)
    hand_over(authorisation=leave, strength_mg=Decimal(100), quantity=21, days=7, by=pharmacist, now=at)
    return treatment


@pytest.mark.parametrize("javascript", [True, False])
def test_whose_tablets_run_out_is_booked_from_the_list_by_keyboard(open_page, clinic, pharmacist, javascript):
    treatment = running_out(clinic, pharmacist)
    page = open_page(a_person(clinic, "nurse"), javascript=javascript, at="/")
    says(page, "tablets for 3 days", "#tablets")
    says(page, "48 h, from 12.5 mg again", "#tablets")
    page.focus(f"#tablets-{treatment.pk}-do")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Day of the draw")
    page.focus("#id_day")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=not saved yet")
    page.focus("#act-confirm button")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The blood test is booked.")
    page.goto("/")
    says(page, "Nobody's tablets run out", "#tablets")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_list_the_booking_and_the_plan_are_accessible(open_page, clinic, pharmacist, width):
    treatment = running_out(clinic, pharmacist)
    page = open_page(pharmacist, width=width)
    day = timezone.now().date()
    plan = f"supply/?collect_on={day + DAY}&back_on={day + 12 * DAY}"
    for address in ("", f"patients/{treatment.patient_id}/act/book/", f"patients/{treatment.patient_id}/{plan}"):
        page.goto(f"/{address}")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_pages_of_supply_are_accessible(open_page, clinic, pharmacist):
    treatment = treated(clinic, drawn=1)
    page = open_page(pharmacist, width=320)
    patient = f"/patients/{treatment.patient_id}"
    for address in (f"{patient}/supply/", f"{patient}/rems/?on=2023-05-04"):
        page.goto(address)
        fits_both_dresses(page)
    page = open_page(treatment.clinician, width=320)
    page.goto("/status-forms/")
    fits_both_dresses(page)
