"""Two clinics and a patient who moves; an admin who may not promote themselves; an auditor who finds who looked."""

import pytest
from django.utils import timezone

from monitoring.actions.staffing import roles_at
from monitoring.actions.transferring import request_transfer
from monitoring.models import Laboratory, Transfer
from tests.browser import assert_accessible, fits_both_dresses, read, says
from tests.cast import DAY, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def north():
    return a_clinic("North", time_zone="America/New_York")


@pytest.fixture
def south():
    clinic = a_clinic("South", time_zone="Europe/Lisbon")
    a_person(clinic, "prescriber", first_name="Sofia", last_name="Costa")
    return clinic


@pytest.fixture
def treatment(north):
    now = timezone.now()
    patient = a_patient(north, mrn="N-77", given_name="Ada", family_name="Okafor")
    treatment = a_treatment(north, started=now - 60 * DAY, patient=patient)
    a_count(treatment, 2400, at=now - 9 * DAY, now=now - 9 * DAY)
    return treatment


@pytest.mark.parametrize("javascript", [True, False])
def test_a_patient_moves_between_two_clinics_by_the_hands_of_two_people(open_page, north, south, treatment, javascript):
    sends = open_page(a_person(north, "nurse"), javascript=javascript)
    sends.goto(f"/patients/{treatment.patient_id}/transfer/")
    sends.select_option("#id_to_clinic", str(south.pk))
    sends.fill("#id_reason", "Moves in with her son")
    sends.click("text=Show what it means")
    sends.wait_for_selector("text=Not done yet")
    sends.click("button:has-text('Ask South')")
    sends.wait_for_selector("text=South is asked")

    receives = open_page(a_person(south, "nurse"), javascript=javascript, at="/")
    receives.click("nav >> text=Transfers")
    receives.click("text=O. A., born 1980")
    receives.wait_for_selector("text=Moves in with her son")
    receives.fill("#id_new_mrn", "S-1")
    receives.select_option("#id_clinician", label="Sofia Costa")
    receives.click("text=Show what it means")
    receives.wait_for_selector("text=joins South as MRN S-1")
    receives.click("button:has-text('Take the patient over')")
    receives.wait_for_selector("text=Okafor, Ada is a patient of South now")

    assert sends.goto(f"/patients/{treatment.patient_id}/").status == 404
    sends.goto("/transfers/")
    says(sends, "MRN N-77")
    assert "Okafor" not in read(sends)
    sends.goto("/")
    assert "Okafor" not in read(sends)


def test_h39_a_severe_result_between_looking_and_accepting_is_shown_and_asked_about(open_page, north, south, treatment):
    nurse = a_person(north, "nurse")
    transfer = request_transfer(treatment=treatment, to_clinic=south, reason="Moves", by=nurse, now=timezone.now())
    page = open_page(a_person(south, "nurse"))
    page.goto(f"/transfers/{transfer.pk}/")
    page.fill("#id_new_mrn", "S-1")
    page.select_option("#id_clinician", label="Sofia Costa")
    page.click("text=Show what it means")
    page.wait_for_selector("text=Not done yet")
    a_count(treatment, 380, at=timezone.now() - DAY / 8, now=timezone.now())
    page.click("button:has-text('Take the patient over')")
    page.wait_for_selector("text=this has changed since you opened the page")
    says(page, "Stop treatment")
    assert Transfer.objects.get().state == "requested"
    assert_accessible(page)
    page.click("button:has-text('Take the patient over')")
    page.wait_for_selector("text=is a patient of South now")


def test_an_admin_gives_a_role_and_cannot_change_their_own(open_page, north):
    admin = a_person(north, "clinic_admin", first_name="Adi", last_name="Admin")
    nurse = a_person(north, "nurse", first_name="Nora", last_name="Nurse")
    page = open_page(admin, at="/")
    page.click("nav >> text=Settings")
    page.click("text=Staff and roles")
    page.click("text=Nora Nurse")
    page.check("text=Prescriber")
    page.click("text=Show what it means")
    page.wait_for_selector("text=Nora Nurse is nurse and prescriber at North")
    page.click("text=Change it so")
    page.wait_for_selector("text=Nora Nurse is nurse and prescriber at North now")
    assert roles_at(north, nurse) == {"nurse", "prescriber"}
    page.click("text=Adi Admin >> nth=-1")
    page.check("text=Prescriber")
    page.click("text=Show what it means")
    page.wait_for_selector("text=nobody changes their own roles")
    assert roles_at(north, admin) == {"clinic_admin"}


def test_an_auditor_finds_who_saw_a_patient_and_takes_the_answer_along(open_page, north, treatment):
    nurse = a_person(north, "nurse", first_name="Nora", last_name="Nurse")
    open_page(nurse).goto(f"/patients/{treatment.patient_id}/")
    page = open_page(a_person(north, "auditor"), at="/")
    page.click("nav >> text=Audit trail")
    page.fill("#id_mrn", "N-77")
    page.click("button:has-text('Find')")
    page.wait_for_selector("text=Who saw the patient with MRN N-77")
    says(page, f"Nora Nurse ({nurse.username})")
    assert "Okafor" not in read(page)
    with page.expect_download() as download:
        page.click("text=Export as CSV")
    text = download.value.path().read_text()
    assert "patient_opened,N-77" in text


def test_every_page_of_these_is_accessible_and_fits(open_page, north, south, treatment):
    nurse, admin = a_person(north, "nurse"), a_person(north, "clinic_admin")
    asked = {"to_clinic": south, "reason": "Moves", "by": nurse, "now": timezone.now()}
    first = request_transfer(treatment=treatment, **asked)
    other = a_treatment(north, started=timezone.now() - 30 * DAY)
    lab = Laboratory.objects.create(clinic=north, name="Central", source="central", created_at=timezone.now())
    own = f"/settings/{north.slug}"
    visits = {
        nurse: ["/transfers/", f"/transfers/{first.pk}/", f"/patients/{other.patient_id}/transfer/", "/password/"],
        a_person(south, "nurse"): ["/transfers/", f"/transfers/{first.pk}/"],
        admin: [
            "/settings/", f"{own}/people/", f"{own}/people/invite/", f"{own}/people/known/", f"{own}/clinic/",
            f"{own}/people/{nurse.pk}/", f"{own}/policies/", f"{own}/tokens/", f"{own}/laboratories/{lab.pk}/",
        ],
        a_person(north, "auditor"): ["/audit/", "/audit/?mrn=N-77"],
    }  # fmt: skip
    for staff, places in visits.items():
        page = open_page(staff, width=320)
        for address in places:
            page.goto(address)
            fits_both_dresses(page)
