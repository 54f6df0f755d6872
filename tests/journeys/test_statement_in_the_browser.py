"""A statement on paper, in a real browser: issued at the counter, scanned by anybody, ended by a severe count."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from monitoring.actions.overriding import ask_override
from monitoring.actions.programmes import record_fact
from monitoring.models import Statement
from tests.browser import fits_both_dresses, read, says
from tests.cast import DAY, a_clinic, a_count, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic():
    return a_clinic(count_unit="10*9/L")


@pytest.fixture
def pharmacist(clinic):
    return a_person(clinic, "pharmacist")


@pytest.fixture
def treatment(clinic):
    now = timezone.now()
    treatment = a_treatment(clinic, started=now - 60 * DAY, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 2600, at=now - DAY, now=now - DAY)
    return treatment


@pytest.mark.parametrize("javascript", [True, False])
def test_a_statement_is_issued_scanned_and_ended_by_a_severe_count(
    open_page, live_server, treatment, pharmacist, javascript
):
    counter = open_page(pharmacist, javascript=javascript)
    counter.goto("/supply/")
    expect(counter.locator("#q")).to_be_focused()  # a scanner types at once
    counter.keyboard.type(treatment.patient.mrn)
    counter.keyboard.press("Enter")
    counter.wait_for_url("**/supply/")
    counter.click("text=Statement on paper")
    counter.fill("#id_addressee", "St. Mary's")
    counter.click("text=Issue this statement")
    counter.wait_for_selector("text=Issued. Open the paper")
    code = Statement.objects.get().code
    anybody = open_page(javascript=javascript, width=390)
    anybody.goto(f"/check/{code}/")
    said = read(anybody)
    assert "✓ Valid" in said
    assert treatment.patient.family_name not in said
    a_count(treatment, 300, at=timezone.now(), now=timezone.now())
    anybody.reload()
    says(anybody, "✕ Not valid")
    counter.goto("/supply/")
    expect(counter.locator("#q")).to_be_focused()
    counter.keyboard.type(f"{live_server.url}/check/{code}/")
    counter.keyboard.press("Enter")
    counter.wait_for_selector("text=The scanned statement is not valid")
    says(counter, "Do not supply")


def test_the_pages_around_statements_are_accessible(open_page, clinic, treatment, pharmacist):
    now = timezone.now()
    ask_override(
        treatment=treatment, bridge=False, code="benefit", words="Relapse", days=3, hours=24, by=pharmacist, now=now
    )
    record_fact(
        clinic=clinic, programme="clinic", kind="enrolled", on=(now - DAY).date(), by=pharmacist, now=now,
        treatment=treatment,
    )  # fmt: skip
    page = open_page(treatment.clinician, width=320)
    patient = f"/patients/{treatment.patient_id}"
    for address in (
        "/supply/", "/supply/?q=Nobody", f"{patient}/statements/", f"{patient}/supply/", f"{patient}/",
        f"{patient}/rems/?on=2023-05-04", "/status-forms/", "/reports/", "/check/",
        "/check/0123456789ABCDEFGHJKLMNPQR/",
    ):  # fmt: skip
        page.goto(address)
        fits_both_dresses(page)
