"""The auditor's page: found by time, person, verb and MRN; exported safely; nobody's name but the staff's."""

import csv
import io
from datetime import timedelta

import pytest

from monitoring.actions.transferring import accept_transfer, note_looked_at, request_transfer
from monitoring.trail import safe
from patients import audit
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic("North", time_zone="America/New_York")


@pytest.fixture
def as_auditor(client, clinic):
    client.force_login(a_person(clinic, "auditor"))
    return client


def text(client, **asked):
    return client.get("/audit/", asked).content.decode()


def exported(client, **asked):
    answer = client.post("/audit/export/", asked)
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_who_saw_a_patient_is_told_by_mrn_and_without_the_patients_name(as_auditor, clinic):
    patient, nurse = a_patient(clinic, mrn="N-77"), a_person(clinic, "nurse", first_name="Nora", last_name="Nurse")
    for hours in (1, 2):
        audit.opened(patient, by=nurse, now=NOW - timedelta(hours=hours), ip="10.0.0.7")
    audit.opened(a_patient(clinic), by=a_person(clinic, "prescriber"), now=NOW, ip=None)
    page = text(as_auditor, mrn="n-77")
    assert "Who saw the patient with MRN n-77" in page
    assert f"Nora Nurse ({nurse.username})" in page
    assert "prescriber-" not in page
    assert "Quill" not in page
    assert page.count("Patient opened") == 2


def test_the_trail_is_narrowed_by_day_person_and_verb(as_auditor, clinic):
    patient, nurse = a_patient(clinic), a_person(clinic, "nurse", first_name="Nora", last_name="Nurse")
    late = NOW.replace(hour=3)  # still the 13th in New York
    audit.opened(patient, by=nurse, now=late, ip="10.0.0.7")
    audit.record("dose_changed", by=nurse, now=NOW, clinic_id=clinic.pk, patient_id=patient.pk)
    assert text(as_auditor, until="2026-09-13", since="2026-09-13").count("<td>nurse") == 0
    assert "Patient opened" in text(as_auditor, since="2026-09-13", until="2026-09-13")
    assert "Dose changed" not in text(as_auditor, since="2026-09-13", until="2026-09-13")
    assert "Dose changed" in text(as_auditor, person="nora nur")
    assert "Patient opened" not in text(as_auditor, verb="Dose changed")
    assert "Nothing answers this" in text(as_auditor, person="Nobody")


def test_another_clinics_trail_is_not_there(as_auditor, clinic):
    south = a_clinic("South")
    a_patient(south, mrn="S-1")
    assert "Nobody, or there is no such MRN" in text(as_auditor, mrn="S-1")
    assert as_auditor.get("/audit/", {"clinic": south.slug}).status_code == 400
    assert as_auditor.post("/audit/export/", {"clinic": south.slug}).status_code == 400


@pytest.mark.slow
def test_pages_go_on_where_the_last_one_ended_also_within_one_instant(as_auditor, clinic):
    for number in range(230):
        audit.record("counted", by=None, now=NOW, clinic_id=clinic.pk, subject=f"row:{number:03}")
    seen, address = [], "/audit/?verb=counted"
    for _ in range(3):
        page = as_auditor.get(address)
        seen += [line.event.subject for line in page.context["found"]]
        address = f"/audit/?{page.context['next']}"
    assert seen == [f"row:{number:03}" for number in reversed(range(230))]
    assert page.context["next"] == ""


def test_a_page_asks_a_fixed_number_of_questions(as_auditor, clinic, django_assert_max_num_queries):
    def happen(number):
        for _ in range(number):
            audit.opened(a_patient(clinic), by=a_person(clinic, "nurse"), now=NOW, ip=None)

    happen(3)
    with django_assert_max_num_queries(12) as few:
        text(as_auditor)
    happen(30)
    with django_assert_max_num_queries(12) as many:
        text(as_auditor)
    assert len(few) == len(many)


def test_the_export_holds_what_was_asked_and_is_itself_in_the_trail(as_auditor, clinic):
    patient, nurse = a_patient(clinic, mrn="N-77"), a_person(clinic, "nurse")
    audit.opened(patient, by=nurse, now=NOW - DAY, ip="10.0.0.7")
    rows = exported(as_auditor, mrn="N-77", verb="patient opened")
    assert [(row["person_or_program"], row["verb"], row["mrn"], row["address"]) for row in rows] == [
        (nurse.username, "patient_opened", "N-77", "10.0.0.7")
    ]
    event = AuditEvent.objects.get(verb="audit_exported")
    assert event.detail == {"asked": ["verb=patient_opened", "mrn=N-77"]}


def test_an_export_is_written_in_chunks_to_its_last_row(as_auditor, clinic, monkeypatch):
    monkeypatch.setattr("monitoring.trail.CHUNK", 7)
    for number in range(20):
        audit.record("counted", by=None, now=NOW, clinic_id=clinic.pk, subject=f"row:{number:02}")
    assert [row["about"] for row in exported(as_auditor, verb="counted")] == [
        f"row:{n:02}" for n in reversed(range(20))
    ]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_a_text(cell):
    assert safe(cell) == f"'{cell}"


def test_a_cell_that_it_would_not_run_stays_as_it_is():
    assert [safe(cell) for cell in ("N-77", "a=1", "", "10.0.0.7")] == ["N-77", "a=1", "", "10.0.0.7"]


def test_free_text_in_an_event_is_not_shown(as_auditor, clinic):
    said = {"reason": "Alex Quill told us", "family": "Quill", "status": "final", "steps": [1]}
    audit.record("noted", by=None, now=NOW, clinic_id=clinic.pk, patient_id=a_patient(clinic).pk, **said)
    page = text(as_auditor)
    assert "family: (a text); reason: (a text); status: final; steps: 1" in page
    assert "Quill" not in page


def test_after_a_transfer_each_clinics_auditor_reads_its_own_number(client, as_auditor, clinic):
    treatment, south = a_treatment(clinic, patient=a_patient(clinic, mrn="N-77")), a_clinic("South")
    sender, receiver = a_person(clinic, "nurse"), a_person(south, "nurse")
    transfer = request_transfer(treatment=treatment, to_clinic=south, reason="Moves", by=sender, now=NOW)
    note_looked_at(transfer, by=receiver, now=NOW, ip=None)
    accept_transfer(transfer=transfer, new_mrn="S-1", clinician=None, by=receiver, now=NOW)
    audit.opened(treatment.patient.__class__.objects.get(pk=treatment.patient_id), by=receiver, now=NOW, ip=None)
    page = text(as_auditor, mrn="N-77")
    assert "Transfer opened" in page
    assert receiver.username in page
    assert "S-1" not in page
    assert "Patient opened" not in page
    client.force_login(a_person(south, "auditor"))
    assert "Patient opened" in text(client, mrn="S-1")
    assert "N-77" not in text(client, mrn="S-1")


def test_who_is_no_auditor_finds_no_such_page(client, clinic):
    for role in ("nurse", "prescriber", "pharmacist", "clinic_admin"):
        client.force_login(a_person(clinic, role))
        assert client.get("/audit/").status_code == 404
        assert client.post("/audit/export/").status_code == 404
