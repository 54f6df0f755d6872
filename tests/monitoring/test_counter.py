"""The counter: name and date of birth, MRN, or a scanned code, and what would be right where nobody is found."""

import uuid
from datetime import date, timedelta

import pytest

from monitoring.actions.merging import merge
from monitoring.actions.statements import issue_statement, revoke_statement
from monitoring.models import Override
from monitoring.models.dispense import ReasonCode
from monitoring.views import counter
from tests.cast import NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def pharmacist(client, clinic):
    staff = a_person(clinic, "pharmacist")
    client.force_login(staff)
    return staff


@pytest.fixture
def treatment(clinic):
    treatment = a_treatment(clinic, patient=a_patient(clinic, mrn="M777"))
    a_count(treatment, 2500, at=NOW)
    treatment.refresh_from_db()
    return treatment


@pytest.fixture
def statement(treatment, pharmacist):
    return issue_statement(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW)


def asked(client, words):
    return client.get("/supply/", {"q": words})


def card(treatment):
    return f"/patients/{treatment.patient_id}/supply/"


@pytest.mark.parametrize(
    "typed", ["M777", "m777", " M777 ", "*M777*", "]C0M777", "]A0M777\r", "Quill 1980-05-17", "1980-05-17 quill, alex"]
)
def test_an_mrn_its_barcode_or_name_and_birth_open_the_card(client, pharmacist, treatment, typed):
    a_treatment(treatment.clinic, patient=a_patient(treatment.clinic, date_of_birth=date(1990, 1, 1)))
    found = asked(client, typed)
    assert (found.status_code, found.headers.get("Location")) == (302, card(treatment))


@pytest.mark.parametrize("typed", ["{}", "http://localhost:8000/check/{}/", "]Q1HTTP://LOCALHOST:8000/CHECK/{}/"])
def test_the_code_of_a_statement_or_its_address_opens_the_card_and_says_how_it_stands(
    client, treatment, pharmacist, statement, typed
):
    found = asked(client, typed.format(statement.code))
    assert found.headers["Location"] == card(treatment)
    assert "The scanned statement is valid since 2026-09-14 12:00" in client.get(card(treatment)).content.decode()
    revoke_statement(statement=statement, reason="Lost", by=pharmacist, now=NOW)
    asked(client, typed.format(statement.code))
    assert "The scanned statement is not valid since" in client.get(card(treatment)).content.decode()


def test_a_name_and_a_birth_that_do_not_agree_find_nobody(client, pharmacist, treatment):
    assert "Not found." in asked(client, "Quill 1981-05-17").content.decode()
    assert "Not found." in asked(client, "Other 1980-05-17").content.decode()


def test_several_are_listed_to_choose_from_with_birth_and_mrn(client, pharmacist, treatment):
    other = a_treatment(treatment.clinic)
    page = asked(client, "Quill").content.decode()
    assert "2 found" in page
    for one in (treatment, other):
        assert card(one) in page
        assert one.patient.mrn in page


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("Nobody", "Right would be: the name and date of birth as “Quill 1980-05-17”"),
        ("17.05.1980", "Write the date of birth as 1980-05-17"),
        ("Quill 05/17/1980", "may be read in two ways"),
        ("Quill 1980-02-31", "There is no day 1980-02-31"),
        ("0123456789ABCDEFGHJKLMNPQR", "No statement of your clinics has this code"),
        ("http://localhost:8000/check/0123", "was not read whole"),
    ],
)
def test_where_nobody_is_found_it_says_what_would_be_right_and_keeps_what_was_typed(client, pharmacist, typed, right):
    page = asked(client, typed)
    assert page.status_code == 200
    assert right in page.content.decode()
    assert f'value="{typed}"' in page.content.decode()


def test_h33_another_clinics_patients_and_statements_are_not_found(client, treatment, statement):
    client.force_login(a_person(a_clinic("South"), "pharmacist"))
    for typed in ("M777", "Quill 1980-05-17", statement.code):
        assert "Not found." in asked(client, typed).content.decode()


def test_of_two_merged_records_the_kept_one_opens(client, pharmacist, treatment, statement):
    kept = a_treatment(treatment.clinic)
    merge(kept=kept, merged=treatment, reason="One person", by=pharmacist, now=NOW)
    for typed in ("M777", statement.code):
        assert asked(client, typed).headers["Location"] == card(kept)


def test_the_same_number_at_two_of_my_clinics_is_asked_about(client, pharmacist, treatment):
    south = a_clinic("South")
    a_treatment(south, patient=a_patient(south, mrn="M777"))
    pharmacist.memberships.create(clinic=south, role="pharmacist")
    assert "2 found" in asked(client, "M777").content.decode()


def test_the_counter_is_in_the_pharmacists_navigation_and_not_in_the_nurses(client, clinic, pharmacist):
    assert 'href="/supply/"' in client.get("/supply/").content.decode()
    client.force_login(a_person(clinic, "nurse"))
    assert 'href="/supply/"' not in client.get("/").content.decode()


def test_finding_costs_the_same_for_3_and_for_25(client, pharmacist, clinic, django_assert_num_queries):
    for _ in range(3):
        a_patient(clinic)
    with django_assert_num_queries(10):
        asked(client, "Quill")
    for _ in range(27):
        a_patient(clinic)
    with django_assert_num_queries(10):
        asked(client, "Quill")


def test_h13_a_search_that_finds_more_than_it_shows_says_so(client, pharmacist, clinic):
    for _ in range(25):
        a_patient(clinic)
    assert "Not all of them are shown" not in (page := asked(client, "Quill").content.decode())
    assert "25 found for" in page
    a_patient(clinic)
    page = asked(client, "Quill").content.decode()
    assert "More than 25 found for" in page
    assert "Not all of them are shown.</strong> Add the given name or the date of birth" in page
    assert page.count('<li><a href="/patients/') == 25


def test_more_requests_than_are_listed_are_told_of(client, pharmacist, treatment, monkeypatch):
    monkeypatch.setattr(counter, "FOUND", 1)
    prescriber = a_person(treatment.clinic, "prescriber")
    for one in (treatment, a_treatment(treatment.clinic)):
        Override.objects.create(
            treatment=one, clinic=one.clinic, code=ReasonCode.OTHER, words="Away", days=1, asked_by=prescriber,
            asked_at=NOW, expires_at=NOW + timedelta(hours=1),
        )  # fmt: skip
    assert "There are more than 1. These are the oldest" in client.get("/supply/").content.decode()
