"""Limits agreed for one patient: a prescriber agrees them until a day, ends them sooner, and they end by themselves."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from monitoring.actions.alerting import end_by_answer
from monitoring.actions.judging import locked
from monitoring.actions.treating import reassess
from monitoring.models import AgreedLimits, Cause, Treatment
from monitoring.models.limits import agreement_at
from monitoring.rules.errors import InputError
from monitoring.rules.limits import LONGEST_DAYS, check_limits
from monitoring.rules.protocol import Floor
from patients import audit
from patients.models import Actor, Staff


@transaction.atomic
def agree_limits(
    *,
    treatment: Treatment,
    floors: Sequence[Floor],
    until: date,
    reason: str,
    by: Staff,
    now: datetime,
    ip: str | None = None,
) -> AgreedLimits | None:
    """From now to the end of that day counts are judged by these limits; None where just these hold already.

    An agreement before it ends with it. Raises InputError for limits that may not be, a day that is past or more
    than a year ahead, and without a reason.
    """
    kept = locked(treatment.pk)
    today = now.astimezone(kept.clinic.zone).date()
    _check_day(until, today)
    if not reason.strip():
        raise InputError("reason", "say why other limits are right for this patient, and with whom it was agreed")
    check_limits(kept.table, floors)
    standing = agreement_at(kept, now)
    if standing and (standing.floors(), standing.until) == (list(floors), until):
        return None
    _close(kept, by=by, now=now, reason="Other limits were agreed.")
    agreed = AgreedLimits.objects.create(
        treatment=kept,
        protocol_key=kept.protocol_key,
        population="ben" if kept.table is kept.protocol.tables.get("ben") else "general",
        anc=[floor.anc for floor in floors],
        wbc=[floor.wbc for floor in floors if floor.wbc is not None],
        reason=reason.strip(),
        agreed_on=today,
        agreed_at=now,
        agreed_by=by,
        until=until,
    )
    Treatment.objects.filter(pk=kept.pk).update(has_limits=True)
    kept.has_limits, kept.agreements_read = True, None
    reassess(kept, now=now)
    end_by_answer(kept, Cause.LIMITS_END, text=f"Limits were agreed until {until}.", by=by, now=now)
    _audit_agreed(agreed, kept, by=by, now=now, ip=ip)
    return agreed


def _audit_agreed(agreed: AgreedLimits, treatment: Treatment, *, by: Staff, now: datetime, ip: str | None) -> None:
    audit.record(
        "limits_agreed", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"limits:{agreed.pk}", ip=ip, anc=agreed.anc, wbc=agreed.wbc, until=agreed.until.isoformat(),
        reason=agreed.reason,
    )  # fmt: skip


def _check_day(until: date, today: date) -> None:
    if until < today:
        raise InputError("until", f"{until} is past; agreed limits hold from now to the end of a day")
    if until > today + timedelta(days=LONGEST_DAYS):
        raise InputError("until", f"{until} is more than a year ahead; agree it until then at most, and look again")


@transaction.atomic
def end_limits(*, treatment: Treatment, reason: str, by: Staff, now: datetime, ip: str | None = None) -> bool:
    """The protocol's own limits hold again from now on. False where none were agreed. Raises InputError."""
    if not reason.strip():
        raise InputError("reason", "say why the agreed limits end")
    kept = locked(treatment.pk)
    if not close_agreement(kept, by=by, now=now, reason=reason.strip(), ip=ip):
        return False
    reassess(kept, now=now)
    end_by_answer(kept, Cause.LIMITS_END, text="The agreed limits were ended.", by=by, now=now)
    return True


def close_agreement(treatment: Treatment, *, by: Actor, now: datetime, reason: str, ip: str | None = None) -> bool:
    """End what is agreed for a locked treatment, which whoever calls judges anew. False where nothing was."""
    held = agreement_at(treatment, now) is not None
    if not _close(treatment, by=by, now=now, reason=reason) or not held:
        return False
    audit.record(
        "limits_ended", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"treatment:{treatment.pk}", ip=ip, reason=reason,
    )  # fmt: skip
    return True


def _close(treatment: Treatment, *, by: Actor, now: datetime, reason: str) -> int:
    """End the row that is open, also one whose last day is past."""
    if not treatment.has_limits:
        return 0
    treatment.agreements_read = None
    who = by.pk if isinstance(by, Staff) else None
    still = AgreedLimits.objects.filter(treatment_id=treatment.pk, ended_at=None)
    return still.update(ended_at=now, ended_by_id=who, end_reason=reason)
