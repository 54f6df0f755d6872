"""Beginning, pausing and resuming; BEN by two people; fever; doses against the advice."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from monitoring.actions.answering import MoveError, acknowledge, resolve
from monitoring.actions.treating import document_ben, record_event, void_event
from monitoring.models import Alert, AlertNote, Assessment, Result
from monitoring.rules.assess import assess
from notifications.models import Delivery
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber")


def test_h18_ben_needs_a_second_person_and_a_possible_baseline(clinic, prescriber):
    treatment, nurse = a_treatment(clinic), a_person(clinic, "nurse")
    told = {"treatment": treatment, "evidence": "Duffy-null, two baselines", "by": prescriber, "now": NOW}
    with pytest.raises(IntegrityError, match="ben_needs_two_people"), transaction.atomic():
        document_ben(baseline_anc=Decimal(1200), confirmed_by=prescriber, **told)
    with pytest.raises(IntegrityError, match="ben_baseline_possible"), transaction.atomic():
        document_ben(baseline_anc=Decimal(999), confirmed_by=nurse, **told)
    a_count(treatment, 1100)
    assert treatment.__class__.objects.get().band == "mild"
    document_ben(baseline_anc=Decimal(1200), confirmed_by=nurse, **told)
    assert treatment.__class__.objects.get().band == "normal"


def test_h30_a_hold_that_no_count_brought_has_an_open_alert_too(clinic, prescriber):
    treatment = a_treatment(clinic, clinician=prescriber)
    a_count(treatment, 2000, at=NOW - DAY)
    a_count(treatment, 900, at=NOW - 3 * DAY, now=NOW - 3 * DAY, accession="gone")
    alert = Alert.objects.get(cause="neutropenia")
    resolve(alert=alert, by=prescriber, now=NOW, outcome="acted")
    restart = record_event(treatment=treatment, kind="restart", at=NOW - 2 * DAY, by=prescriber, now=NOW)
    a_count(treatment, 960, at=NOW)
    resolve(alert=Alert.objects.standing().get(cause="neutropenia"), by=prescriber, now=NOW, outcome="acted")
    treatment.__class__.objects.update(advice="continue")
    void_event(event=restart, by=prescriber, now=NOW, reason="Was not restarted")
    assert treatment.__class__.objects.get().advice == "interrupt"
    assert Alert.objects.standing().filter(cause="neutropenia").exists()


def test_a_fever_raises_its_alert_and_interrupts(clinic, prescriber):
    treatment = a_treatment(clinic, clinician=prescriber)
    a_count(treatment, 2000, at=NOW - DAY)
    record_event(treatment=treatment, kind="fever", at=NOW, celsius=Decimal("38.5"), by=prescriber, now=NOW)
    assert Alert.objects.get(cause="fever").owner == prescriber
    assert treatment.__class__.objects.get().advice == "interrupt"


def test_a_restart_against_the_advice_is_recorded_and_told_at_once(clinic, prescriber):
    treatment = a_treatment(clinic, clinician=prescriber)
    a_count(treatment, 400)
    record_event(treatment=treatment, kind="restart", at=NOW, by=prescriber, now=NOW)
    alert = Alert.objects.get(cause="against_advice")
    assert (alert.severity, "stop treatment" in alert.summary) == (1, True)


def test_an_event_in_the_future_is_refused(clinic, prescriber):
    with pytest.raises(ValueError, match="in the future"):
        record_event(treatment=a_treatment(clinic), kind="last_dose", at=NOW + DAY, by=prescriber, now=NOW)


def test_a_voided_event_counts_no_more_and_stays_with_who_when_and_why(clinic, prescriber):
    treatment = a_treatment(clinic)
    a_count(treatment, 2000)
    event = record_event(treatment=treatment, kind="last_dose", at=NOW, by=prescriber, now=NOW)
    assert treatment.__class__.objects.get().advice == "may_resume"
    void_event(event=event, by=prescriber, now=NOW, reason="Wrong patient")
    event.refresh_from_db()
    assert treatment.__class__.objects.get().advice == "continue"
    assert (event.voided_by, event.void_reason) == (prescriber, "Wrong patient")


@pytest.mark.parametrize("model", [Result, Assessment, AuditEvent, AlertNote])
def test_what_was_written_can_neither_be_changed_nor_deleted(clinic, model):
    a_count(a_treatment(clinic), 400)
    with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
        model.objects.filter(pk=model.objects.first().pk).update(id=10**9)
    with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
        model.objects.all()._raw_delete("default")


def test_h37_patients_treatments_and_messages_cannot_be_deleted(clinic):
    a_count(treatment := a_treatment(clinic), 400)
    for rows in (Delivery.objects.all(), Alert.objects.all(), type(treatment).objects.all()):
        with pytest.raises((DatabaseError, Exception), match=r"no_delete|protected|append_only"), transaction.atomic():
            rows.delete()


def test_an_alert_moves_only_along_its_table_and_tells_its_story(clinic, prescriber):
    a_count(a_treatment(clinic), 400)
    alert = Alert.objects.get(cause="neutropenia")
    acknowledge(alert=alert, by=prescriber, now=NOW, note="On it")
    with pytest.raises(MoveError, match="acknowledged already"):
        acknowledge(alert=alert, by=prescriber, now=NOW)
    with pytest.raises(ValueError, match="say in the note"):
        resolve(alert=alert, by=prescriber, now=NOW, outcome="other")
    with pytest.raises(ValueError, match="not an outcome"):
        resolve(alert=alert, by=prescriber, now=NOW, outcome="gone")
    resolve(alert=alert, by=prescriber, now=NOW, outcome="acted", note="Stopped")
    with pytest.raises(MoveError, match="resolved already"):
        resolve(alert=alert, by=prescriber, now=NOW, outcome="acted")
    assert [note.verb for note in alert.notes.all()] == ["raised", "acknowledged", "resolved"]


@pytest.mark.slow
def test_h14_the_state_always_equals_a_recomputation_from_the_current_versions(clinic):
    treatment = a_treatment(clinic)
    steps = [
        (2000, "A", 1, "final", 10), (700, "B", 1, "final", 8), (7000, "B", 2, "corrected", 8),
        (400, "C", 1, "preliminary", 5), (4000, "C", 2, "final", 5), (1400, "D", 1, "final", 3),
        (None, "D", 2, "entered_in_error", 3), (450, "A", 2, "corrected", 10),
    ]  # fmt: skip
    for number, (anc, accession, version, status, ago) in enumerate(steps):
        now = NOW + number * DAY / 24
        a_count(treatment, anc, at=NOW - ago * DAY, now=now, accession=accession, version=version, status=status)
        row = type(treatment).objects.get(pk=treatment.pk)
        fresh = row.history(preliminary=status == "preliminary")
        again = assess(fresh, row.protocol, now)
        assert (row.advice, row.band, row.due_on) == (again.treatment, again.band or "", again.due_on)
