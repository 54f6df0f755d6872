"""Rows that name nobody surely: they count for nobody until a person has said whose they are, and why."""

from datetime import date

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from monitoring.feeds.imports import begin_import, confirm_import, go_on
from monitoring.feeds.quarantine import AnsweredError, hand_over_row, match_row, refuse_row, waiting_rows
from monitoring.models import Alert, Import, Laboratory, QuarantinedRow, Result
from notifications.models import Delivery
from patients.models import AuditEvent, Patient
from tests.cast import DAY, NOW, a_clinic, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db
HEAD = "mrn,date_of_birth,name,drawn_at,anc,unit,accession,status\n"
COLUMNS = {name: name for name in HEAD.strip().split(",")}


@pytest.fixture
def clinic(time_machine):
    time_machine.move_to(NOW, tick=False)
    clinic = a_clinic(time_zone="America/New_York")
    a_treatment(clinic, patient=a_patient(clinic, mrn="M1"))
    return clinic


@pytest.fixture
def nurse(client, clinic):
    nurse = a_person(clinic, "nurse")
    client.force_login(nurse)
    return nurse


@pytest.fixture
def take(clinic, nurse):
    """Import these lines as the nurse; answers the rows that wait."""

    def taking(*lines, at=NOW):
        laboratory, _ = Laboratory.objects.get_or_create(
            clinic=clinic, source="lab", defaults={"name": "Lab", "columns": COLUMNS, "created_at": NOW}
        )
        content = (HEAD + "".join(f"{line}\n" for line in lines)).encode()
        imported = begin_import(laboratory=laboratory, file_name="a.csv", content=content, by=nurse, now=at)
        confirm_import(imported=imported, by=nurse, now=at)
        go_on(imported.pk, clock=lambda: at)
        return list(QuarantinedRow.objects.filter(imported=imported, ended_at=None).order_by("number"))

    return taking


def row(mrn="M9", born="1980-05-17", name="", anc="1.3", accession="A1"):
    return f"{mrn},{born},{name},2026-09-14 07:00,{anc},10*9/L,{accession},final"


def page(client, name, *about, **query):
    return client.get(reverse(name, args=about), query).content.decode()


UNSURE = [
    (row(), "mrn"),
    (row(mrn="M1", born="1981-05-17"), "date_of_birth"),
    (row(mrn="M1", name="OKAFOR ADA"), "name"),
]


@pytest.mark.parametrize(("line", "field"), UNSURE)
def test_h13_a_row_whose_patient_is_not_sure_waits_with_an_owner_and_a_clock_and_counts_for_nobody(
    take, nurse, line, field
):
    (waits,) = take(line)
    assert (waits.field, waits.owner, waits.answer_by) == (field, nurse, NOW + DAY)
    assert not Result.objects.filter(source="lab", accession="A1").exists()
    assert not Alert.objects.exists()


@pytest.mark.parametrize("name", ["Quill, Alex", "QUILL^ALEX", "alex quill", ""])
def test_h13_a_row_whose_identifiers_agree_is_filed_at_once(take, name):
    assert take(row(mrn="m1", name=f'"{name}"')) == []
    assert Result.objects.filter(source="lab", accession="A1").exists()


def test_h13_a_patient_with_the_same_mrn_at_another_clinic_is_never_offered(take, client):
    theirs = a_patient(a_clinic("South"), mrn="M9", family_name="Faraway")
    (waits,) = take(row())
    assert "Faraway" not in page(client, "waiting_row", waits.pk)
    assert "Faraway" not in page(client, "waiting_row", waits.pk, q="Farawa")
    assert client.get(reverse("match_row", args=[waits.pk, theirs.pk])).status_code == 404


def test_h13_a_search_for_whose_row_it_is_says_when_it_finds_more_than_it_shows(take, client, clinic):
    (waits,) = take(row())
    for _ in range(25):
        a_patient(clinic, family_name="Marsh")
    assert "not all of them" not in page(client, "waiting_row", waits.pk, q="marsh")
    a_patient(clinic, family_name="Marsh")
    assert "More than 25: not all of them are shown." in page(client, "waiting_row", waits.pk, q="marsh")


@pytest.mark.slow
def test_h13_row_and_record_are_shown_side_by_side_and_a_disagreement_has_to_be_answered(take, client):
    (waits,) = take(row(mrn="M1", born="1980-07-15"))
    patient = Patient.objects.get(mrn="M1")
    shown = page(client, "match_row", waits.pk, patient.pk)
    for words in ("1980-07-15", "1980-05-17", "Row and record disagree", "Continue treatment", "not saved yet"):
        assert words in shown
    address = reverse("match_row", args=[waits.pk, patient.pk])
    assert "Tick this only when you know" in client.post(address, {"reason": "typo"}).content.decode()
    assert not Result.objects.filter(accession="A1").exists()
    client.post(address, {"reason": "The lab has confirmed it by phone", "sure": "on"})
    assert Result.objects.get(accession="A1").treatment.patient == patient


def test_a_match_records_the_result_its_alert_its_reason_and_who_said_so(take, client, nurse):
    (waits,) = take(row())
    patient = Patient.objects.get(mrn="M1")
    client.post(
        reverse("match_row", args=[waits.pk, patient.pk]), {"reason": "Old MRN of the same person", "sure": "on"}
    )
    waits.refresh_from_db()
    assert (waits.ended_by, waits.end_reason, waits.result.reason) == (nurse, *["Old MRN of the same person"] * 2)
    assert Alert.objects.get(cause="neutropenia").severity == 3
    told = AuditEvent.objects.get(verb="row_matched")
    assert (told.patient, told.detail["reason"]) == (patient, "Old MRN of the same person")


def test_a_row_is_answered_once(take, nurse, clinic):
    (waits,) = take(row())
    refuse_row(row=waits, reason="Not ours", by=nurse, now=NOW)
    with pytest.raises(AnsweredError):
        match_row(row=waits, treatment=clinic.treatments.get(), reason="ours", by=nurse, now=NOW)
    with pytest.raises(AnsweredError):
        refuse_row(row=waits, reason="Not ours", by=nurse, now=NOW)


def test_a_row_is_refused_only_with_a_reason(take, client, nurse):
    (waits,) = take(row())
    address = reverse("refuse_row", args=[waits.pk])
    assert "Say why" in client.post(address, {"reason": " "}).content.decode()
    client.post(address, {"reason": "A patient of South"})
    waits.refresh_from_db()
    assert (waits.ended_by, waits.result, waits.end_reason) == (nurse, None, "A patient of South")
    assert "refused by" in page(client, "quarantine")
    with pytest.raises(IntegrityError, match="quarantine_ends"), transaction.atomic():
        QuarantinedRow.objects.filter(pk=waits.pk).update(end_reason="")


def test_once_answered_the_same_row_of_a_file_that_comes_again_does_not_wait_again(take, nurse):
    (waits,) = take(row())
    assert take(row()) == []
    refuse_row(row=waits, reason="Not ours", by=nurse, now=NOW)
    assert take(row()) == []
    assert Import.objects.latest("pk").known == 1


def test_once_the_patient_is_registered_the_row_finds_them(take, client, clinic):
    (waits,) = take(row())
    assert "Patients with this MRN or date of birth" in page(client, "waiting_row", waits.pk)
    a_treatment(clinic, patient=a_patient(clinic, mrn="m9", family_name="Late", date_of_birth=date(1970, 1, 1)))
    assert "Late, Alex" in page(client, "waiting_row", waits.pk)


def test_a_row_is_handed_over_to_a_colleague_and_to_nobody_else(take, nurse, clinic, client):
    (waits,) = take(row())
    prescriber, outsider = a_person(clinic, "prescriber"), a_person(a_clinic("South"), "nurse")
    client.post(reverse("hand_over_row", args=[waits.pk]), {"to": prescriber.pk})
    waits.refresh_from_db()
    assert (waits.owner, waits.answer_by) == (prescriber, NOW + DAY)
    client.post(reverse("hand_over_row", args=[waits.pk]), {"to": outsider.pk})
    waits.refresh_from_db()
    assert waits.owner == prescriber
    with pytest.raises(ValueError, match="may not import"):
        hand_over_row(row=waits, to=outsider, by=nurse, now=NOW)


@pytest.mark.slow
def test_an_overdue_row_is_said_in_words_and_counted_for_the_worklist(take, client, nurse, clinic, time_machine):
    take(row(), row(accession="A2"), at=NOW - 2 * DAY)
    take(row(accession="A3"))
    assert (waiting_rows(nurse, NOW).rows, waiting_rows(nurse, NOW).overdue) == (3, 2)
    shown = page(client, "quarantine")
    assert "2 rows have waited too long" in shown
    assert shown.count("overdue by 1\xa0day") == 2
    assert waiting_rows(a_person(a_clinic("South"), "nurse"), NOW).rows == 0
    assert waiting_rows(a_person(clinic, "auditor"), NOW).rows == 0


def test_a_row_that_would_be_severe_in_anybody_waits_no_longer_than_a_severe_alert_and_is_told(take, client):
    waits, _ = take(row(anc="0.3"), row(anc="0.2", accession="A2"))
    told = Delivery.objects.filter(about=f"import:{waits.imported_id}")
    assert {one.address for one in told} == {waits.owner.email, waits.clinic.on_call_email}
    assert not any("M9" in one.body for one in told)
    assert (waits.answer_by - NOW).total_seconds() == 15 * 60
    assert "severe, answer now" in page(client, "quarantine")


def test_the_clinics_own_policy_sets_the_clock(take, clinic):
    clinic.policies = {"answer_quarantine_minutes": 60}
    clinic.save()
    assert (take(row())[0].answer_by - NOW).total_seconds() == 3600


@pytest.mark.slow
def test_the_page_asks_a_fixed_number_of_questions(take, client, django_assert_max_num_queries):
    take(*(row(accession=f"A{number}") for number in range(3)))
    with django_assert_max_num_queries(12) as few:
        page(client, "quarantine")
    take(*(row(accession=f"B{number}") for number in range(30)))
    with django_assert_max_num_queries(12) as many:
        page(client, "quarantine")
    assert len(few) == len(many)


def test_another_clinics_row_does_not_exist(take, client, clinic):
    (waits,) = take(row())
    patient = Patient.objects.get(mrn="M1")
    client.force_login(a_person(a_clinic("South"), "nurse"))
    assert client.get(reverse("waiting_row", args=[waits.pk])).status_code == 404
    assert client.get(reverse("match_row", args=[waits.pk, patient.pk])).status_code == 404
    for name in ("refuse_row", "hand_over_row"):
        assert client.post(reverse(name, args=[waits.pk]), {"reason": "x"}).status_code == 404
    assert "M9" not in page(client, "quarantine")


def test_the_command_puts_rows_into_quarantine_when_it_is_told_whose_they_are(clinic, nurse, tmp_path, capsys):
    file = tmp_path / "export.csv"
    file.write_text(HEAD + row() + "\n" + row(mrn="M1", anc="2.4", accession="A2") + "\n")
    call_command("import_results", str(file), clinic=clinic.slug, quarantine=nurse.username)
    said = capsys.readouterr().out
    assert "2 rows: 1 recorded, 0 known already, 0 refused, 1 wait in quarantine" in said
    assert QuarantinedRow.objects.get(ended_at=None).owner == nurse
    assert Import.objects.get().finished_at is not None


def test_a_count_that_the_record_cannot_take_stays_in_quarantine_and_says_why(take, client, clinic):
    (waits,) = take(row(born="1970-05-17").replace("2026-09-14", "1979-09-11"))
    address = reverse("match_row", args=[waits.pk, Patient.objects.get(mrn="M1").pk])
    assert "before the patient was born" in client.get(address).content.decode()
    answer = client.post(address, {"reason": "x", "sure": "on"}, follow=True)
    assert "Not recorded" in answer.content.decode()
    waits.refresh_from_db()
    assert waits.ended_at is None
