"""One line of the audit trail for every change and every opening of a patient."""

from datetime import datetime
from typing import Any

from patients.models import Actor, AuditEvent, Patient, actor_columns


def record(verb: str, **facts: Any) -> None:
    """Write who did what, about whom, when, from where; in the caller's transaction. The facts are those of `event`."""
    AuditEvent.objects.bulk_create([event(verb, **facts)])


def event(
    verb: str,
    *,
    by: Actor,
    now: datetime,
    clinic_id: int | None = None,
    patient_id: int | None = None,
    subject: str = "",
    ip: str | None = None,
    **detail: Any,
) -> AuditEvent:
    """The line, not written yet."""
    return AuditEvent(
        at=now, verb=verb, clinic_id=clinic_id, patient_id=patient_id, subject=subject, ip=ip, detail=detail,
        **actor_columns(by),
    )  # fmt: skip


def opened(patient: Patient, *, by: Actor, now: datetime, ip: str | None) -> None:
    """Somebody looked at a patient."""
    record("patient_opened", by=by, now=now, clinic_id=patient.clinic_id, patient_id=patient.pk, ip=ip)
