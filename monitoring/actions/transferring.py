"""A patient goes to another clinic: one asks, the other accepts or declines, the first may withdraw.

Until the other accepts, nothing moves. Every step locks the treatment first, so two answers are one.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from monitoring.actions.alerting import raise_alerts
from monitoring.actions.judging import lock_alone, locked
from monitoring.actions.moving import move
from monitoring.alerts import Raising
from monitoring.models import Alert, AlertNote, Cause, Merge, Outcome, Severity, Transfer, Treatment
from monitoring.rules.errors import InputError
from notifications.actions import owe
from notifications.letters import letter
from patients import audit
from patients.models import Clinic, Membership, Patient, Role, Staff

ASKED = "a transfer to {clinic} asks for an answer"
ANSWERED = "a transfer to {clinic} was {state}"


class MovedOnError(ValueError):
    """Somebody answered or withdrew the transfer, or the patient has moved, before this was done."""


@transaction.atomic
def request_transfer(
    *, treatment: Treatment, to_clinic: Clinic, reason: str, by: Staff, now: datetime, ip: str | None = None
) -> Transfer:
    """Ask another clinic to take over. Raises InputError naming the field; MovedOnError when the patient has left."""
    current = locked(treatment.pk)
    if current.clinic_id != treatment.clinic_id:
        raise MovedOnError("the patient has moved to another clinic meanwhile")
    if to_clinic.pk == current.clinic_id:
        raise InputError("to_clinic", f"the patient is at {to_clinic} already; choose another clinic")
    if not reason.strip():
        raise InputError("reason", "say why the patient changes clinic")
    if (waiting := open_transfer(current)) is not None:
        raise InputError(
            "to_clinic", f"a transfer to {waiting.to_clinic} waits for its answer; withdraw that one first"
        )
    if Merge.objects.filter(merged=current, undone_at=None).exists():
        raise InputError("to_clinic", "this record was merged into another one; transfer that one")
    transfer = Transfer.objects.create(
        treatment=current,
        from_clinic=current.clinic,
        to_clinic=to_clinic,
        reason=reason.strip(),
        old_mrn=current.patient.mrn,
        requested_at=now,
        requested_by=by,
    )
    _note("transfer_requested", transfer, by=by, now=now, ip=ip)
    _tell(transfer, to_clinic.on_call_email, ASKED, now=now)
    return transfer


def accept_transfer(
    *, transfer: Transfer, new_mrn: str, clinician: Staff | None, by: Staff, now: datetime, ip: str | None = None
) -> Treatment:
    """Take the patient over, with the whole history. Raises InputError naming the field, or MovedOnError."""
    try:
        with transaction.atomic():
            return _accept(transfer, new_mrn.strip(), clinician, by, now, ip)
    except IntegrityError as error:
        # Somebody registered the same number between our look and our writing.
        if "one_patient_per_mrn" not in str(error):
            raise
        raise _mrn_taken(new_mrn, transfer.to_clinic) from error


def _accept(
    transfer: Transfer, new_mrn: str, clinician: Staff | None, by: Staff, now: datetime, ip: str | None
) -> Treatment:
    treatment, transfer = _waiting(transfer)
    clinic = transfer.to_clinic
    if not new_mrn:
        raise InputError("new_mrn", f"give the number by which {clinic} and its laboratory know the patient")
    if Patient.objects.filter(clinic=clinic, mrn__iexact=new_mrn).exclude(pk=treatment.patient_id).exists():
        raise _mrn_taken(new_mrn, clinic)
    if clinician is not None and not prescribes_at(clinician, clinic):
        raise InputError("clinician", f"{clinician} is not a prescriber of {clinic}; choose one of its prescribers")
    transfer.new_mrn = new_mrn
    _end(transfer, "accepted", by, now, answer="")
    _end_alert(transfer, by=by, now=now, text=f"{clinic} accepted the transfer.")
    move(treatment, clinic=clinic, mrn=new_mrn, clinician=clinician, by=by, now=now)
    _note("transfer_accepted", transfer, by=by, now=now, ip=ip)
    _tell_sender(transfer, now=now)
    return treatment


@transaction.atomic
def decline_transfer(*, transfer: Transfer, reason: str, by: Staff, now: datetime, ip: str | None = None) -> Transfer:
    """Leave the patient where they are; the sender gets an alert with the reason. Raises InputError, MovedOnError."""
    if not reason.strip():
        raise InputError("reason", "say why; the other clinic has to find another way")
    treatment, transfer = _waiting(transfer)
    _end(transfer, "declined", by, now, answer=reason.strip())
    text = f"{transfer.to_clinic} declined the transfer: {transfer.answer}"
    raise_alerts(treatment, [Raising(Cause.TRANSFER, Severity.MILD, text)], result=None, now=now)
    _note("transfer_declined", transfer, by=by, now=now, ip=ip)
    _tell_sender(transfer, now=now)
    return transfer


@transaction.atomic
def withdraw_transfer(*, transfer: Transfer, by: Staff, now: datetime, ip: str | None = None) -> Transfer:
    """The sender no longer asks. Raises MovedOnError when the other clinic was quicker."""
    _, transfer = _waiting(transfer)
    _end(transfer, "withdrawn", by, now, answer="")
    _end_alert(transfer, by=by, now=now, text="The transfer was withdrawn.")
    _note("transfer_withdrawn", transfer, by=by, now=now, ip=ip)
    _tell(transfer, transfer.to_clinic.on_call_email, ANSWERED, now=now)
    return transfer


def note_looked_at(transfer: Transfer, *, by: Staff, now: datetime, ip: str | None) -> None:
    """Somebody has read who is to be transferred; both clinics' trails say so."""
    _note("transfer_opened", transfer, by=by, now=now, ip=ip)


def open_transfer(treatment: Treatment) -> Transfer | None:
    """The transfer of this treatment that waits for its answer."""
    waiting = Transfer.objects.filter(treatment=treatment, accepted_at=None, declined_at=None, withdrawn_at=None)
    return waiting.select_related("from_clinic", "to_clinic", "requested_by").first()


def prescribes_at(staff: Staff, clinic: Clinic) -> bool:
    """Whether this person is a prescriber there now."""
    return Membership.objects.filter(staff=staff, clinic=clinic, role=Role.PRESCRIBER, active=True).exists()


def _waiting(transfer: Transfer) -> tuple[Treatment, Transfer]:
    """The locked treatment, and the transfer as it is now. Merged records first: results that come lock so too."""
    for pk in Treatment.objects.filter(merged_into=transfer.treatment_id).order_by("pk").values_list("pk", flat=True):
        lock_alone(pk)
    treatment = locked(transfer.treatment_id)
    current = Transfer.objects.select_related("from_clinic", "to_clinic", "requested_by").get(pk=transfer.pk)
    if current.state != "requested":
        raise MovedOnError(f"the transfer is {current.state} already")
    return treatment, current


def _end(transfer: Transfer, state: str, by: Staff, now: datetime, *, answer: str) -> None:
    setattr(transfer, f"{state}_at", now)
    transfer.answered_by, transfer.answer = by, answer
    transfer.save(update_fields=[f"{state}_at", "answered_by", "answer", "new_mrn"])


def _end_alert(transfer: Transfer, *, by: Staff, now: datetime, text: str) -> None:
    standing = Alert.objects.filter(treatment_id=transfer.treatment_id, cause=Cause.TRANSFER, resolved_at=None).first()
    if standing is not None:
        Alert.objects.filter(pk=standing.pk).update(resolved_at=now, resolved_by=by, outcome=Outcome.ACTED)
        AlertNote.objects.bulk_create([AlertNote(alert=standing, at=now, staff=by, verb="resolved", text=text)])


def _note(verb: str, transfer: Transfer, *, by: Staff, now: datetime, ip: str | None) -> None:
    """Both clinics' auditors see each step; afterwards each sees its own part."""
    for clinic_id in (transfer.from_clinic_id, transfer.to_clinic_id):
        audit.record(
            verb, by=by, now=now, clinic_id=clinic_id, patient_id=transfer.treatment.patient_id,
            subject=f"transfer:{transfer.pk}", ip=ip,
        )  # fmt: skip


def _tell_sender(transfer: Transfer, *, now: datetime) -> None:
    asked = transfer.requested_by
    address = asked.email if asked.is_active and asked.email else transfer.from_clinic.on_call_email
    _tell(transfer, address, ANSWERED, now=now)


def _tell(transfer: Transfer, address: str, words: str, *, now: datetime) -> None:
    """A message without anything about the patient: that something happened, and where to look."""
    text = words.format(clinic=transfer.to_clinic, state=transfer.state)
    about = f"transfer:{transfer.pk}"
    owe([letter(address, text, f"/transfers/{transfer.pk}/", about=about, clinic_id=transfer.from_clinic_id, now=now)])


def _mrn_taken(mrn: str, clinic: Clinic) -> InputError:
    return InputError(
        "new_mrn",
        f"{mrn} belongs to another patient of {clinic}; give one of their own, or look whether it is the same person",
    )
