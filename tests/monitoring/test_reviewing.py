"""Ordered, drawn, received, reviewed: that a person has looked at what a laboratory sent."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from monitoring.actions.booking import book_test
from monitoring.actions.drawing import record_draw
from monitoring.actions.merging import merge
from monitoring.actions.record_result import record_result
from monitoring.actions.reviewing import review_results, unreviewed
from monitoring.models import ResultReview, Treatment
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_report, a_treatment

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _today(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    clinic = a_clinic(time_zone="UTC")
    clinic.policies = {"review_results": 1}
    clinic.save()
    return clinic


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse", first_name="Nell", last_name="Nurse")


def looked_after(clinic, nurse, **who):
    """Somebody whose first counts were looked at."""
    treatment = a_treatment(clinic, patient=a_patient(clinic, **who))
    review_results(treatment=treatment, results=waiting(treatment), by=nurse, now=NOW - 2 * DAY)
    return Treatment.objects.get(pk=treatment.pk)


@pytest.fixture
def treatment(clinic, nurse):
    return looked_after(clinic, nurse, family_name="Quill")


def waiting(treatment):
    fresh = Treatment.objects.get(pk=treatment.pk)
    return [row.pk for row in unreviewed([fresh]).get(fresh.pk, [])]


def look(treatment, *results, by, now=NOW):
    return review_results(treatment=treatment, results={row.pk for row in results}, by=by, now=now)


def test_a_laboratorys_result_waits_until_somebody_has_looked_at_it(treatment, nurse):
    first = a_count(treatment, 2500, at=NOW - 2 * HOUR, now=NOW - HOUR)
    second = a_count(treatment, 2400, at=NOW - HOUR, now=NOW)
    assert waiting(treatment) == [first.pk, second.pk]
    assert Treatment.objects.get(pk=treatment.pk).unreviewed_since == NOW - HOUR
    assert look(treatment, first, by=nurse) == 1
    assert waiting(treatment) == [second.pk], "one that came meanwhile goes on waiting"
    assert look(treatment, first, second, by=nurse) == 1
    assert waiting(treatment) == []
    assert Treatment.objects.get(pk=treatment.pk).unreviewed_since is None
    assert look(treatment, first, second, by=nurse) == 0
    assert AuditEvent.objects.filter(verb="results_reviewed", patient_id=treatment.patient_id).count() == 3


def test_a_correction_is_looked_at_again_and_so_is_a_result_that_was_taken_back(treatment, nurse):
    first = a_count(treatment, 2500, at=NOW - HOUR)
    look(treatment, first, by=nurse)
    second = a_count(treatment, 900, at=NOW - HOUR, accession=first.accession, status="corrected")
    assert waiting(treatment) == [second.pk]
    third = a_count(treatment, None, at=NOW - HOUR, accession=first.accession, status="entered_in_error")
    assert waiting(treatment) == [third.pk]


def test_what_a_person_typed_was_seen_by_that_person(treatment, nurse):
    report = replace(a_report(2500, at=NOW - HOUR), source="manual")
    record_result(treatment=treatment, report=report, by=nurse, now=NOW)
    assert waiting(treatment) == []


def test_without_the_clinics_policy_nothing_waits_but_alerts(nurse):
    treatment = a_treatment(a_clinic())
    a_count(treatment, 2500, at=NOW - HOUR)
    assert Treatment.objects.get(pk=treatment.pk).unreviewed_since is None


def test_a_result_of_a_merged_record_waits_with_the_kept_one(clinic, treatment, nurse):
    other = looked_after(clinic, nurse)
    merge(kept=treatment, merged=other, reason="One person", by=nurse, now=NOW)
    count = a_count(other, 2500, at=NOW - HOUR)
    assert waiting(treatment) == [count.pk]
    assert look(treatment, count, by=nurse) == 1


def test_a_result_is_reviewed_once_and_stays_so(treatment, nurse):
    count = a_count(treatment, 2500, at=NOW - HOUR)
    look(treatment, count, by=nurse)
    with pytest.raises(IntegrityError), transaction.atomic():
        ResultReview.objects.create(result=count, staff=nurse, at=NOW)


@pytest.mark.slow
def test_the_page_shows_what_came_and_signs_what_was_ticked(client, clinic, treatment, nurse):
    client.force_login(nurse)
    assert "Received, not looked at" not in client.get("/").content.decode()
    count = a_count(treatment, 1200, at=NOW - DAY, now=NOW)
    a_count(looked_after(clinic, nurse), 2600, at=NOW - DAY, now=NOW)
    today = client.get("/").content.decode()
    assert "Received, not looked at (2)" in today
    page = " ".join(client.get("/results/").content.decode().split())
    assert "Waiting (2)" in page
    assert "ANC 1200 /uL" in page
    assert "Mild" in page
    assert "Nothing was signed" in client.post("/results/", follow=True).content.decode()
    value = f"{treatment.pk}:{count.pk}"
    for wrong in ("", "x:1", f"{treatment.pk}:", f"{treatment.pk}:1x"):
        assert "Nothing was signed" in client.post("/results/", {"seen": wrong}, follow=True).content.decode()
    signed = client.post("/results/", {"seen": value}, follow=True).content.decode()
    assert "you have looked at 1 result." in signed
    assert "Waiting (1)" in signed
    assert "looked at by Nell Nurse, 2026-09-14" in client.get(f"/patients/{treatment.patient_id}/").content.decode()


@pytest.mark.parametrize("role", ["pharmacist", "auditor", "nurse"])
def test_results_of_patients_that_one_does_not_care_for_are_neither_shown_nor_signed(client, clinic, treatment, role):
    count = a_count(treatment, 1200, at=NOW - DAY, now=NOW)
    client.force_login(a_person(a_clinic() if role == "nurse" else clinic, role))
    assert "Quill" not in client.get("/results/").content.decode()
    client.post("/results/", {"seen": f"{treatment.pk}:{count.pk}"})
    assert waiting(treatment) == [count.pk]


def test_nobody_is_told_that_all_was_looked_at_who_may_not_look(client, clinic, treatment):
    a_count(treatment, 1200, at=NOW - DAY, now=NOW)
    client.force_login(a_person(clinic, "pharmacist"))
    page = client.get("/").content.decode()
    assert "Received, not looked at (1)" in page
    assert "nurses and prescribers look at these" in page
    assert 'href="/results/"' not in page
    empty = client.get("/results/").content.decode()
    assert "Every result was looked at" not in empty
    assert "nurses and prescribers of a clinic look at its results" in empty
    client.force_login(a_person(a_clinic(), "nurse"))
    assert "Every result was looked at" in client.get("/results/").content.decode()


@pytest.mark.slow
def test_the_page_asks_as_many_questions_for_thirty_as_for_three(client, clinic, nurse, django_assert_max_num_queries):
    client.force_login(nurse)
    for number in range(33):
        a_count(a_treatment(clinic), 2500, at=NOW - HOUR)
        if number in (2, 32):
            with django_assert_max_num_queries(12):
                client.get("/results/")


@pytest.mark.slow
def test_the_four_states_of_a_test_are_told_apart(client, treatment, nurse):
    """Ordered, drawn, received, reviewed: each is a row of its own, and the patient's page tells which is reached."""
    client.force_login(nurse)
    where = f"/patients/{treatment.patient_id}/"
    a_count(treatment, 2500, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    book_test(treatment=treatment, day=NOW.date(), by=nurse, now=NOW - DAY)
    assert "test booked Mon 14 Sep" in client.get("/").content.decode()
    record_draw(treatment=treatment, drawn_at=NOW - HOUR, by=nurse, now=NOW)
    assert "drawn today at" in client.get("/").content.decode()
    count = a_count(treatment, 2500, at=NOW - HOUR)
    assert "not looked at" in client.get("/").content.decode()
    look(treatment, *unreviewed([Treatment.objects.get(pk=treatment.pk)])[treatment.pk], by=nurse)
    assert "not looked at" not in client.get("/").content.decode()
    assert f'id="result-{count.pk}"' in client.get(where).content.decode()
