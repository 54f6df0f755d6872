"""A lab result goes in; judgement, alert and messages come out, or nothing does."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from monitoring.actions.record_result import record_result
from monitoring.models import Alert, Assessment, Result
from monitoring.rules.errors import InputError
from notifications.models import Delivery
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_report, a_treatment

pytestmark = pytest.mark.django_db


def test_a_normal_result_is_judged_and_sets_the_next_date():
    treatment = a_treatment()
    a_count(treatment, 2000)
    treatment.refresh_from_db()
    assert (treatment.band, treatment.advice, str(treatment.due_on)) == ("normal", "continue", "2026-09-21")
    assert not Alert.objects.exists()


@pytest.mark.parametrize(("anc", "band", "severity"), [(1499, "mild", 3), (999, "moderate", 2), (499, "severe", 1)])
def test_a_low_result_raises_an_alert_by_its_band_and_owes_the_owner_a_message(anc, band, severity):
    clinic = a_clinic()
    treatment = a_treatment(clinic, clinician=(owner := a_person(clinic, "prescriber")))
    a_count(treatment, anc)
    alert = Alert.objects.get(cause="neutropenia")
    assert (alert.severity, alert.owner, band in alert.summary) == (severity, owner, True)
    assert [row.address for row in Delivery.objects.all()] == [owner.email]


def test_the_repeat_owed_within_24_hours_is_an_alert_with_its_deadline_and_ends_when_the_repeat_comes():
    treatment = a_treatment()
    a_count(treatment, 1400)
    assert Alert.objects.get(cause="repeat_owed").deadline == NOW + DAY
    a_count(treatment, 1700, at=NOW + DAY / 2)
    assert Alert.objects.get(cause="repeat_owed").outcome == "tested"


def test_h03_a_severe_judgement_without_its_alert_cannot_commit(transactional_db):
    treatment = a_treatment()
    result = a_count(treatment, 2000)
    with pytest.raises(IntegrityError, match="has no alert"), transaction.atomic():
        Assessment.objects.create(
            treatment=treatment, result=result, version=9, as_of=NOW, created_at=NOW,
            protocol_key="us-label-2025", severe=True, judgement={},
        )  # fmt: skip


def test_h03_a_result_that_nobody_assessed_cannot_commit(transactional_db):
    treatment = a_treatment()
    with pytest.raises(IntegrityError, match="has not been assessed"), transaction.atomic():
        Result.objects.create(
            treatment=treatment, clinic=treatment.clinic, source="lab", accession="X", status="final",
            drawn_at=NOW, received_at=NOW, received={}, anc=300,
        )  # fmt: skip


def test_h30_every_hold_has_an_open_alert_with_owner_and_timer():
    clinic = a_clinic()
    treatment = a_treatment(clinic, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 800)
    treatment.refresh_from_db()
    alert = Alert.objects.get(cause="neutropenia")
    assert treatment.advice == "interrupt"
    assert alert.owner == treatment.clinician
    assert alert.escalate_at > alert.raised_at


@pytest.mark.parametrize("times", range(2, 6))
def test_h17_the_same_message_again_makes_one_result_one_alert_and_one_message(times):
    treatment = a_treatment()
    report = a_report(450)
    rows = {record_result(treatment=treatment, report=report, by=None, now=NOW).pk for _ in range(times)}
    assert len(rows) == 1
    assert Alert.objects.filter(cause="neutropenia").count() == 1
    assert Delivery.objects.count() == 1


def test_the_same_version_with_another_number_is_refused_and_says_what_to_send():
    treatment = a_treatment()
    a_count(treatment, 1400, accession="A1")
    with pytest.raises(InputError, match="send a correction as version 2"):
        a_count(treatment, 1600, accession="A1")


def test_an_accession_of_another_patient_is_refused():
    clinic = a_clinic()
    a_count(a_treatment(clinic), 2000, accession="A1")
    with pytest.raises(InputError, match="another patient"):
        a_count(a_treatment(clinic), 2000, accession="A1")


def test_h15_a_preliminary_result_restricts_and_never_permits():
    treatment = a_treatment()
    a_count(treatment, 2000, at=NOW - 7 * DAY)
    due = treatment.__class__.objects.get().due_on
    a_count(treatment, 2100, status="preliminary", accession="P1")
    assert treatment.__class__.objects.get().due_on == due
    a_count(treatment, 450, status="preliminary", accession="P2")
    assert treatment.__class__.objects.get().advice == "stop"
    assert Alert.objects.filter(cause="neutropenia", severity=1).exists()


def test_h16_a_late_old_normal_result_never_clears_a_newer_hold():
    treatment = a_treatment()
    a_count(treatment, 400)
    a_count(treatment, 3000, at=NOW - DAY, now=NOW + DAY / 24)
    treatment.refresh_from_db()
    assert (treatment.band, treatment.advice) == ("severe", "stop")


def test_h23_a_draw_in_the_future_is_refused_and_ten_minutes_of_clock_skew_are_not():
    treatment = a_treatment()
    with pytest.raises(InputError, match="in the future") as error:
        a_count(treatment, 2000, at=NOW + DAY / 100, now=NOW)
    assert error.value.field == "drawn_at"
    a_count(treatment, 2000, at=NOW + DAY / 200, now=NOW)


def test_a_draw_before_birth_is_refused():
    with pytest.raises(InputError, match="before the patient was born"):
        a_count(a_treatment(), 2000, at=NOW - 60 * 366 * DAY)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"anc": "1.8", "unit": "/uL"}, "anc"),
        ({"anc": "1,5", "unit": "10*9/L"}, "anc"),
        ({"anc": "NaN", "unit": "10*9/L"}, "anc"),
        ({"anc": "1000000000", "unit": "10*9/L"}, "anc"),
        ({"anc": "1.8", "unit": ""}, "unit"),
        ({"anc": "4.2", "wbc": "1.4", "unit": "10*9/L"}, "anc"),
        ({"anc": "", "unit": "10*9/L"}, "anc"),
    ],
)
def test_h10_h12_bad_numbers_units_and_swapped_columns_are_refused_and_nothing_is_stored(sent, field):
    treatment = a_treatment()
    before = Result.objects.count(), AuditEvent.objects.count()
    with pytest.raises(InputError) as error:
        a_count(treatment, None, count=sent)
    assert error.value.field == field
    assert (Result.objects.count(), AuditEvent.objects.count()) == before


def test_below_detection_is_severe_and_shown_with_its_sign():
    treatment = a_treatment()
    a_count(treatment, "<0.1", unit="10*9/L")
    assert "<100" in Alert.objects.get(cause="neutropenia").summary


def test_a_worse_count_updates_the_one_open_alert_and_tells_again():
    treatment = a_treatment()
    a_count(treatment, 1400)
    a_count(treatment, 1300, at=NOW + DAY)
    assert Delivery.objects.count() == 1
    a_count(treatment, 450, at=NOW + 2 * DAY)
    assert Alert.objects.filter(cause="neutropenia").count() == 1
    assert Delivery.objects.count() == 2


def test_messages_name_no_patient():
    treatment = a_treatment()
    a_count(treatment, 450)
    text = Delivery.objects.values_list("subject", "body").get()
    for secret in (treatment.patient.mrn, "Quill", "Alex", "1980", "450", "severe", "clozapine"):
        assert secret not in " ".join(text)


@pytest.mark.slow
def test_the_result_path_asks_a_fixed_number_of_questions_however_long_the_history(django_assert_num_queries):
    treatment = a_treatment()
    for week in range(1, 6):
        a_count(treatment, 2000, at=NOW - week * DAY)
    with connection.execute_wrapper(_counting(few := [])):
        a_count(treatment, 2000)
    for week in range(6, 40):
        a_count(treatment, 2000, at=NOW - week * DAY)
    with connection.execute_wrapper(_counting(many := [])):
        a_count(treatment, 2000, at=NOW + DAY)
    assert len(few) == len(many)


def _counting(seen):
    def count(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    return count


def test_a_message_that_is_owed_wakes_a_worker_and_a_normal_result_does_not(
    django_capture_on_commit_callbacks, monkeypatch
):
    asked = []
    monkeypatch.setattr("monitoring.actions.nudge.current_app.send_task", lambda name, **options: asked.append(name))
    treatment = a_treatment()
    with django_capture_on_commit_callbacks(execute=True):
        a_count(treatment, 2000)
    assert asked == []
    with django_capture_on_commit_callbacks(execute=True):
        a_count(treatment, 400, at=NOW + DAY)
    assert asked == ["notifications.tasks.deliver"]


def test_a_correction_names_the_clinics_day_of_the_draw():
    treatment = a_treatment(a_clinic(time_zone="America/New_York"), started=NOW - 400 * DAY)
    evening = datetime(2026, 9, 13, 2, 30, tzinfo=UTC)
    a_count(treatment, 640, at=evening, accession="E1")
    a_count(treatment, 6400, at=evening, accession="E1", status="corrected")
    assert Alert.objects.get(cause="correction").summary.startswith("The count drawn 2026-09-12 was corrected")
