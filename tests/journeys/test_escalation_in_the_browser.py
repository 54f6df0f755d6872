"""A nurse ignores an alert and the deputy gets it; a shift changes hands; in a real browser, at phone width too."""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.models import Alert
from monitoring.sweep import sweep
from notifications.models import Delivery
from patients.models import Absence, Shift
from tests.browser import fits_both_dresses, says
from tests.cast import DAY, a_clinic, a_count, a_deputy, a_person, a_shift, a_treatment, an_absence

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin")


@pytest.fixture
def nora(clinic):
    return a_person(clinic, "nurse", first_name="Nora")


@pytest.fixture
def dora(clinic):
    return a_person(clinic, "nurse", first_name="Dora")


def test_h07_a_nurse_ignores_an_alert_the_deputy_gets_it_and_in_the_end_an_open_page_shows_the_alarm(
    open_page, clinic, nora, dora
):
    a_deputy(clinic, dora)
    now = timezone.now()
    treatment = a_treatment(clinic, clinician=nora, started=now - 60 * DAY)
    a_count(treatment, 380, at=now - 2 * MINUTE, now=now)
    alert = Alert.objects.get(cause="neutropenia")
    watching = open_page(nora, width=390, at="/")
    sweep(now=now + 15 * MINUTE)
    assert Delivery.objects.filter(address=dora.email, about=f"alert:{alert.pk}").count() == 1
    for minutes in (30, 60):
        sweep(now=now + minutes * MINUTE)
    watching.evaluate("htmx.ajax('GET', document.querySelector('#alarm').getAttribute('hx-get'),"
                      " {target: '#alarm', swap: 'outerHTML'})")  # fmt: skip
    watching.wait_for_selector("text=Nobody has answered 1 alert")
    page = open_page(dora, width=390, at="/")
    page.click("text=Answer now")
    page.click("text=Low neutrophil count")
    page.click("button:has-text('Acknowledge')")
    page.wait_for_selector("text=The alert is acknowledged")
    assert page.query_selector("#alarm .notice") is None
    says(page, "Comes back")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_shift_changes_hands_when_the_colleague_accepts_and_somebody_goes_away(
    open_page, clinic, nora, dora, javascript
):
    now = timezone.now()
    shift = a_shift(clinic, nora, now + DAY, now + 2 * DAY)
    page = open_page(nora, javascript=javascript, width=390, at="/")
    if page.locator(".menu > summary").is_visible():
        page.click(".menu > summary")
    page.locator("a:visible", has_text="My duty").click()
    page.click("text=Hand over")
    page.select_option("#id_taker", str(dora.pk))
    page.focus("#id_taker")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Until they accept, you are on call.")
    page.click("button:has-text('Ask them')")
    page.wait_for_selector("text=Dora is asked")
    theirs = open_page(dora, javascript=javascript, width=390)
    theirs.goto("/duty/")
    theirs.click("a:has-text('Answer')")
    theirs.click("button:has-text('Accept')")
    theirs.wait_for_selector("text=You are on call then.")
    assert Shift.objects.get(pk=shift.pk).staff == dora
    page.click("text=I am away")
    today = now.astimezone(clinic.zone).date()
    page.fill("#id_first_day", f"{today}")
    page.fill("#id_last_day", f"{today + 3 * DAY}")
    page.select_option("#id_cover", str(dora.pk))
    page.click("button:has-text('Show what it means')")
    page.click("button:has-text('I am away')")
    page.wait_for_selector("text=Dora covers for you and is told")
    assert Absence.objects.get(staff=nora).cover == dora


def test_rota_and_duty_are_accessible_in_both_schemes_and_fit_a_phone(open_page, clinic, nora, dora):
    now = timezone.now()
    today = now.astimezone(clinic.zone).date()
    admin = a_person(clinic, "clinic_admin")
    a_treatment(clinic)
    a_shift(clinic, nora, now - DAY, now + DAY)
    a_shift(clinic, dora, now + 2 * DAY, now + 3 * DAY)
    an_absence(clinic, nora, dora, today + 5 * DAY, today + 6 * DAY)
    settings = f"/settings/{clinic.slug}/rota/"
    pages = {admin: (settings, f"{settings}shifts/", f"{settings}deputy/", f"{settings}away/"), nora: ("/duty/",)}
    for person, addresses in pages.items():
        page = open_page(person, width=320)
        for address in addresses:
            page.goto(address)
            fits_both_dresses(page)
