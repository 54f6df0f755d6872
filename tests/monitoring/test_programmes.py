"""REMS and registries: dated records, what would have been said, forms signed in one sitting, and the register."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from monitoring.actions.dispensing import verdict_of
from monitoring.actions.non_rechallenge import appeal, end_entry, enter_register
from monitoring.actions.programmes import form_state, is_enrolled, record_fact, rems_said, void_fact
from monitoring.models import NonRechallenge, ProgrammeRecord
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
ON = date(2023, 5, 4)
THEN = datetime(2023, 5, 4, 9, tzinfo=UTC)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber")


@pytest.fixture
def old(clinic, prescriber):
    """On treatment since January 2023."""
    treatment = a_treatment(clinic, started=THEN - 100 * DAY, clinician=prescriber)
    a_count(treatment, 2500, at=THEN - 3 * DAY, now=THEN)
    return treatment


def fact(treatment, kind, by, on=ON - timedelta(days=90), programme="us-rems", **fields):
    about = {"treatment": treatment}
    if kind.startswith("pharmacy"):
        about = {}
    elif kind.startswith("prescriber"):
        about = {"person": treatment.clinician}
    return record_fact(
        clinic=treatment.clinic, programme=programme, kind=kind, on=on, by=by, now=NOW, **about, **fields
    )


def test_what_the_programme_would_have_said_follows_the_records_of_that_day(old, prescriber):
    assert rems_said(old, ON).outcome == "refused"
    fact(old, "pharmacy_certified", prescriber)
    enrolled = fact(old, "enrolled", prescriber)
    assert rems_said(old, ON).outcome == "authorised"
    fact(old, "disenrolled", prescriber, on=ON)
    assert rems_said(old, ON).outcome == "refused"
    assert rems_said(old, ON - timedelta(days=1)).outcome == "authorised"
    void_fact(row=enrolled, by=prescriber, now=NOW, reason="Another patient")
    assert rems_said(old, ON - timedelta(days=1)).outcome == "refused"


def test_a_severe_count_of_that_time_held_the_treatment_and_a_later_one_does_not(old, prescriber):
    fact(old, "pharmacy_certified", prescriber)
    fact(old, "enrolled", prescriber)
    a_count(old, 400, at=THEN + 5 * DAY, now=NOW)
    assert rems_said(old, ON).outcome == "authorised"
    assert rems_said(old, ON + timedelta(days=5)).outcome == "refused"


def test_a_record_is_about_somebody_and_never_in_the_future(old, prescriber):
    with pytest.raises(ValueError, match="in the future"):
        fact(old, "enrolled", prescriber, on=date(2027, 1, 1))
    with pytest.raises(ValueError, match="say whom"):
        record_fact(clinic=old.clinic, programme="us-rems", kind="enrolled", on=ON, by=prescriber, now=NOW)
    with pytest.raises(ValueError, match="is not known"):
        fact(old, "blessed", prescriber)
    with pytest.raises(IntegrityError, match="programme_record_about_one"), transaction.atomic():
        ProgrammeRecord.objects.create(
            clinic=old.clinic, programme="us-rems", kind="enrolled", on=ON, recorded_at=NOW, recorded_by=prescriber
        )


@pytest.mark.parametrize(
    ("ago", "state"), [(0, "submitted"), (29, "submitted"), (30, "due"), (37, "due"), (38, "late"), (None, "missing")]
)
def test_a_monthly_form_is_due_late_or_missing(ago, state):
    last = None if ago is None else ON - timedelta(days=ago)
    assert form_state(last, ON) == state


def test_a_clinics_own_registry_blocks_only_once_it_is_switched_on(clinic, prescriber):
    treatment = a_treatment(clinic)
    a_count(treatment, 2500, at=NOW)
    assert verdict_of(treatment, now=NOW).answer == "may_supply"
    clinic.policies = {"registry_enrolments": 1}
    clinic.full_clean()
    clinic.save()
    treatment.refresh_from_db()
    assert verdict_of(treatment, now=NOW).answer == "do_not_supply"
    fact(treatment, "enrolled", prescriber, programme="clinic", on=NOW.date())
    assert is_enrolled(treatment)
    assert verdict_of(treatment, now=NOW).answer == "may_supply"


def test_the_register_has_evidence_a_review_an_appeal_and_an_end(old, prescriber):
    a_count(old, 400, at=THEN + DAY, now=NOW)
    given = {"evidence": "Severe, confirmed", "other_drugs": "", "confirmed": True, "by": prescriber, "now": NOW}
    with pytest.raises(ValueError, match="later day"):
        enter_register(treatment=old, review_on=NOW.date(), **given)
    entry = enter_register(treatment=old, review_on=NOW.date() + 180 * DAY, **given)
    assert entry.counts[-1]["anc"] == "400"
    with pytest.raises(ValueError, match="in the register already"):
        enter_register(treatment=old, review_on=NOW.date() + 180 * DAY, **given)
    appeal(entry=entry, words="A viral infection explains it", by=prescriber, now=NOW)
    with pytest.raises(ValueError, match="say why"):
        end_entry(entry=entry, outcome=" ", by=prescriber, now=NOW)
    end_entry(entry=entry, outcome="Agreed with haematology", by=prescriber, now=NOW)
    with pytest.raises(ValueError, match="ended already"):
        appeal(entry=entry, words="Again", by=prescriber, now=NOW)


# Pages


@pytest.fixture
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


def test_the_page_asks_about_a_day_and_says_that_it_is_history(client, frozen, old, prescriber):
    client.force_login(prescriber)
    place = f"/patients/{old.patient_id}/rems/"
    assert "This is history" in client.get(place).content.decode()
    assert "would have been refused" in client.get(f"{place}?on=2023-05-04").content.decode()
    assert "ask about a later day" in client.get(f"{place}?on=2014-05-04").content.decode()
    assert "not asked" in client.get(f"{place}?on=2026-05-04").content.decode()


def test_records_are_added_and_taken_back_in_the_page(client, frozen, old, prescriber):
    client.force_login(prescriber)
    place = f"/patients/{old.patient_id}/rems/"
    sent = {"programme": "us-rems", "kind": "pharmacy_certified", "day": "2023-02-01"}
    client.post(f"{place}record/", sent)
    row = ProgrammeRecord.objects.get()
    future = client.post(f"{place}record/", sent | {"day": "2030-01-01"})
    assert (future.status_code, "in the future" in future.content.decode()) == (400, True)
    client.post(f"{place}{row.pk}/void/", {"words": ""})
    client.post(f"{place}{row.pk}/void/", {"words": "Wrong pharmacy"})
    row.refresh_from_db()
    assert row.void_reason == "Wrong pharmacy"
    assert client.post(f"{place}{row.pk}/void/", {"words": "Again"}).status_code == 404


def test_many_forms_are_signed_in_one_sitting_and_only_those_ticked(client, frozen, clinic, prescriber):
    treatments = [a_treatment(clinic) for _ in range(3)]
    for treatment in treatments:
        fact(treatment, "enrolled", prescriber, programme="clinic", on=NOW.date())
    client.force_login(prescriber)
    assert client.get("/status-forms/").content.decode().count("missing") == 3
    client.post("/status-forms/", {"sign": [str(treatments[0].pk), str(treatments[1].pk)]})
    client.post("/status-forms/", {"sign": [str(treatments[0].pk)]})
    assert ProgrammeRecord.objects.filter(kind="status_form").count() == 2


def test_the_register_in_the_page(client, frozen, old, prescriber):
    client.force_login(prescriber)
    place = f"/patients/{old.patient_id}/register/"
    assert client.post(place, {"evidence": ""}).status_code == 400
    client.post(place, {"evidence": "Severe twice", "review_on": "2027-01-01", "confirmed": ""})
    client.post(place, {"words": "Infection", "appeal": "1"})
    client.post(place, {"words": "Lifted after review", "lift": "1"})
    entry = NonRechallenge.objects.get()
    assert (entry.confirmed, entry.appeal, entry.outcome) == (None, "Infection", "Lifted after review")


@pytest.mark.parametrize(("role", "sees", "registers"), [("pharmacist", 200, 404), ("auditor", 404, 404)])
def test_who_may_do_what(client, frozen, clinic, old, role, sees, registers):
    client.force_login(a_person(clinic, role))
    assert client.get(f"/patients/{old.patient_id}/rems/").status_code == sees
    assert client.post(f"/patients/{old.patient_id}/register/", {"evidence": "x"}).status_code == registers
    assert client.get(f"/patients/{a_treatment().patient_id}/rems/").status_code == 404
