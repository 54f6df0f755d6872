"""What changes hands when a patient changes clinic: the patient, open alerts, open samples, the calendar."""

from datetime import datetime, time

from django.db import transaction

from monitoring.actions.alerting import ask_again, tell_owner
from monitoring.actions.judging import judge_now, lock_alone, locked
from monitoring.actions.limiting import close_agreement
from monitoring.actions.treating import reassess
from monitoring.models import Alert, AlertNote, Booking, Draw, Merge, Treatment
from monitoring.rules.judgement import Judgement
from patients.models import Clinic, Patient, Staff


def move(treatment: Treatment, *, clinic: Clinic, mrn: str, clinician: Staff | None, by: Staff, now: datetime) -> None:
    """Bring a locked treatment to another clinic and judge it on that clinic's calendar.

    Results and resolved alerts keep the clinic that recorded them; they are read through the treatment.
    """
    for row in treatment.merges.filter(undone_at=None).order_by("merged_id"):
        other = lock_alone(row.merged_id)
        _rehome(other, clinic=clinic, mrn=_number_along(row, other, clinic), clinician=clinician, by=by, now=now)
        _hand_over_alerts(other, by=by, now=now)
    _rehome(treatment, clinic=clinic, mrn=mrn, clinician=clinician, by=by, now=now)
    _hand_over_alerts(treatment, by=by, now=now)
    reassess(treatment, now=now)


def preview_move(treatment: Treatment, *, clinic: Clinic, now: datetime) -> Judgement:
    """What the rules would say at the other clinic. Tries it, and takes it back."""
    with transaction.atomic():
        current = locked(treatment.pk)
        _rehome(current, clinic=clinic, mrn=f"preview-{current.patient_id}", clinician=None, by=None, now=now)
        judgement = judge_now(current, list(current.every_result()), now=now)
        transaction.set_rollback(True)
    return judgement


def _number_along(row: Merge, other: Treatment, clinic: Clinic) -> str:
    """The MRN under which a merged record goes along: its own where it came from, and elsewhere one that no file has.

    The other clinic knows the person by one number. A second one, taken along, could be somebody else's there.
    """
    old_mrn, old_clinic = row.old_mrn or other.patient.mrn, row.old_clinic or other.clinic
    home = clinic == old_clinic and not Patient.objects.filter(clinic=clinic, mrn__iexact=old_mrn).exists()
    kept = {"old_mrn": "", "old_clinic": None} if home else {"old_mrn": old_mrn, "old_clinic": old_clinic}
    Merge.objects.filter(pk=row.pk).update(**kept)
    return old_mrn if home else f"merged-{other.patient_id}"


def _rehome(
    treatment: Treatment, *, clinic: Clinic, mrn: str, clinician: Staff | None, by: Staff | None, now: datetime
) -> None:
    # Limits are agreed with a clinic's prescriber: the next clinic agrees its own.
    close_agreement(treatment, by=by, now=now, reason=f"The patient has moved to {clinic}.")
    _keep_dates(treatment, clinic, now)
    Patient.objects.filter(pk=treatment.patient_id).update(clinic=clinic, mrn=mrn)
    Treatment.objects.filter(pk=treatment.pk).update(clinic=clinic, clinician=clinician)
    Draw.objects.filter(treatment=treatment, ended_at=None).update(clinic=clinic)
    Booking.objects.filter(treatment=treatment, ended_at=None).update(
        ended_at=now, end_reason=f"The patient has moved to {clinic}."
    )
    treatment.clinic, treatment.clinician = clinic, clinician
    treatment.patient.clinic, treatment.patient.mrn = clinic, mrn


def _keep_dates(treatment: Treatment, clinic: Clinic, now: datetime) -> None:
    """An event known by its date alone keeps that date: midnight there is another instant than midnight here."""
    old_zone, new_zone = treatment.clinic.zone, clinic.zone
    today = now.astimezone(new_zone).date()
    for event in treatment.events.filter(date_only=True):
        # In a zone further west it may still be the day before; what has happened has happened by today.
        day = min(event.at.astimezone(old_zone).date(), today)
        treatment.events.filter(pk=event.pk).update(at=datetime.combine(day, time(), new_zone))


def _hand_over_alerts(treatment: Treatment, *, by: Staff, now: datetime) -> None:
    """Whoever acknowledged them is gone from the patient, so the new owner is told and the clock begins again."""
    text = f"Came with the patient to {treatment.clinic}."
    for alert in Alert.objects.filter(treatment=treatment, resolved_at=None):
        alert.clinic, alert.owner = treatment.clinic, treatment.clinician
        ask_again(alert, treatment.clinic, now)
        alert.save()
        AlertNote.objects.bulk_create([AlertNote(alert=alert, at=now, staff=by, verb="moved", text=text)])
        tell_owner(alert, treatment, now=now, step=f"moved:{now.isoformat()}")
