"""Two records that are one person. Nothing is moved: the kept one reads the other's rows too, until that is undone."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from monitoring.actions.judging import lock_alone
from monitoring.actions.treating import reassess
from monitoring.models import Merge, Treatment
from monitoring.rules.errors import InputError
from patients import audit
from patients.models import Patient, Staff

NOTHING_OWED = {
    "band": "",
    "advice": "",
    "frequency": "",
    "due_on": None,
    "overdue_after": None,
    "repeat_by": None,
    "changes_on": None,
}
"""A merged record owes no test of its own; the kept one does."""


@transaction.atomic
def merge(*, kept: Treatment, merged: Treatment, reason: str, by: Staff, now: datetime, ip: str | None = None) -> Merge:
    """From now on `kept` reads the rows of both. Alerts of both stay open where they are.

    Raises InputError for two clinics, for a record that is merged already, and without a reason.
    """
    if not reason.strip():
        raise InputError("reason", "say how you know that both records are one person")
    if kept.pk == merged.pk:
        raise InputError("mrn", "that is this very record; give the MRN of the other one")
    other, mine = lock_alone(merged.pk), lock_alone(kept.pk)
    if same := Merge.objects.filter(kept=mine, merged=other, undone_at=None).first():
        same.just_stored = False
        return same
    if other.clinic_id != mine.clinic_id:
        raise InputError("mrn", "the records belong to two clinics; transfer one of them first")
    _check_free(mine, other)
    row = Merge.objects.create(kept=mine, merged=other, reason=reason.strip(), at=now, by=by)
    Treatment.objects.filter(pk=other.pk).update(
        version=F("version") + 1, assessed_at=now, merged_into=mine, **NOTHING_OWED
    )
    reassess(mine, now=now)
    _audit("merged", row, by, now, ip)
    return row


def _check_free(mine: Treatment, other: Treatment) -> None:
    """One step only: a chain could not be undone in every order."""
    taken = Q(kept=other) | Q(merged=other) | Q(merged=mine)
    if Merge.objects.filter(taken, undone_at=None).exists():
        raise InputError("mrn", "one of these records is part of another merge; undo that first, then merge into one")


@transaction.atomic
def undo_merge(*, merge: Merge, reason: str, by: Staff, now: datetime, mrn: str = "", ip: str | None = None) -> Merge:
    """Each record reads its own rows again, those that came meanwhile too, and both are judged anew.

    `mrn`: the other person's number here, when the record came along from another clinic. Raises InputError without.
    """
    if not reason.strip():
        raise InputError("reason", "say how you know that these are two people")
    other, mine = lock_alone(merge.merged_id), lock_alone(merge.kept_id)
    standing = Merge.objects.filter(pk=merge.pk, undone_at=None)
    merge.just_stored = bool(standing.update(undone_at=now, undone_by=by, undo_reason=reason.strip()))
    if merge.just_stored:
        _give_number(merge, other, mrn.strip())
        Treatment.objects.filter(pk=other.pk).update(merged_into=None)
        reassess(mine, now=now)
        reassess(other, now=now)
        _audit("merge_undone", merge, by, now, ip)
    return merge


def _give_number(merge: Merge, other: Treatment, mrn: str) -> None:
    """A record that came along from another clinic has no number here until somebody gives it one."""
    merge.refresh_from_db(fields=["old_mrn", "old_clinic"])
    if not merge.old_mrn:
        return
    clinic = other.clinic
    if not mrn:
        known = f"at {merge.old_clinic} it was {merge.old_mrn}"
        raise InputError("mrn", f"give the number by which {clinic} knows {other.patient}; {known}")
    if Patient.objects.filter(clinic=clinic, mrn__iexact=mrn).exclude(pk=other.patient_id).exists():
        raise InputError("mrn", f"{mrn} belongs to another patient of {clinic}; give this person's own number")
    Patient.objects.filter(pk=other.patient_id).update(mrn=mrn)


def _audit(verb: str, row: Merge, by: Staff, now: datetime, ip: str | None) -> None:
    for treatment in (row.kept, row.merged):
        audit.record(
            verb, by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
            subject=f"merge:{row.pk}", ip=ip,
        )  # fmt: skip
