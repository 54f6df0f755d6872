"""Beginning, pausing, resuming and stopping a treatment, and what else happens in it."""

from datetime import date, datetime, time
from decimal import Decimal

from django.db import transaction

from monitoring.actions.alerting import raise_alerts
from monitoring.actions.judging import judge, keep, latest_draw, locked
from monitoring.actions.revoking import revoke_supplies
from monitoring.alerts import ADVICE_IN_WORDS, HOLDS, Raising
from monitoring.models import BenStatus, Cause, DoseChange, Severity, Treatment, TreatmentEvent
from monitoring.rules.history import EventKind
from monitoring.rules.protocols import PROTOCOLS
from patients import audit
from patients.models import Actor, Patient, Staff

DOSING = ("first_dose", "restart")
AGAINST = ("do_not_start", "interrupt", "stop")
ALERTS_ON_HOLD = Raising(Cause.NEUTROPENIA, Severity.MODERATE, "Treatment is on hold.")


@transaction.atomic
def begin_monitoring(
    *, patient: Patient, by: Actor, now: datetime, protocol_key: str | None = None, clinician: Staff | None = None
) -> Treatment:
    """Give a patient a treatment to which baselines can be filed; the first dose comes later."""
    key = protocol_key or patient.clinic.default_protocol
    if key not in PROTOCOLS:
        raise ValueError(f"{key!r} is not a protocol; known: {', '.join(PROTOCOLS)}")
    treatment = Treatment.objects.create(
        patient=patient, clinic=patient.clinic, protocol_key=key, clinician=clinician, created_at=now
    )
    reassess(locked(treatment.pk), now=now)
    audit.record("monitoring_begun", by=by, now=now, clinic_id=patient.clinic_id, patient_id=patient.pk, protocol=key)
    return treatment


@transaction.atomic
def record_event(
    *,
    treatment: Treatment,
    kind: EventKind,
    at: datetime | date,
    by: Actor,
    now: datetime,
    stop: bool = False,
    celsius: Decimal | None = None,
    reason: str = "",
    ip: str | None = None,
) -> TreatmentEvent:
    """A first dose, last dose, restart, approval, hospice agreement or fever; judged at once.

    A plain date where the time of day is unknown. Raises ValueError for an event in the future.
    """
    treatment = locked(treatment.pk)
    against = treatment.advice if kind in DOSING and treatment.advice in AGAINST else ""
    date_only = not isinstance(at, datetime)
    instant = at if isinstance(at, datetime) else datetime.combine(at, time(), treatment.clinic.zone)
    if instant > now:
        raise ValueError(f"{at} is in the future; record what has happened")
    event = TreatmentEvent.objects.create(
        treatment=treatment,
        kind=kind,
        at=instant,
        date_only=date_only,
        stop=stop,
        celsius=celsius,
        reason=reason,
        recorded_at=now,
        recorded_by=by if isinstance(by, Staff) else None,
    )
    reassess(treatment, now=now)
    if against:
        _tell_of_dosing_against(treatment, kind, against, now)
    audit.record(
        kind, by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"event:{event.pk}", ip=ip,
    )  # fmt: skip
    return event


def _tell_of_dosing_against(treatment: Treatment, kind: str, advice: str, now: datetime) -> None:
    """The event is a fact and is recorded; that it goes against the advice is told at once."""
    text = f"{kind.replace('_', ' ').capitalize()} recorded while the advice was: {ADVICE_IN_WORDS[advice].lower()}."
    severity = Severity.SEVERE if advice == "stop" else Severity.MODERATE
    raise_alerts(treatment, [Raising(Cause.AGAINST_ADVICE, severity, text)], result=None, now=now)


@transaction.atomic
def void_event(*, event: TreatmentEvent, by: Staff, now: datetime, reason: str) -> None:
    """Take back an event that did not happen. The row stays, with who, when and why."""
    treatment = locked(event.treatment_id)
    TreatmentEvent.objects.filter(pk=event.pk, voided_at=None).update(voided_at=now, voided_by=by, void_reason=reason)
    reassess(treatment, now=now)
    audit.record(
        "event_voided", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"event:{event.pk}",
    )  # fmt: skip


@transaction.atomic
def document_ben(
    *, treatment: Treatment, baseline_anc: Decimal | None, evidence: str, by: Staff, confirmed_by: Staff, now: datetime
) -> BenStatus:
    """Document benign ethnic neutropenia. The database refuses one person twice, and a baseline below 1000 /uL."""
    treatment = locked(treatment.pk)
    status = BenStatus.objects.create(
        treatment=treatment,
        baseline_anc=baseline_anc,
        evidence=evidence,
        documented_by=by,
        confirmed_by=confirmed_by,
        confirmed_at=now,
    )
    reassess(locked(treatment.pk), now=now)
    audit.record(
        "ben_documented", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"staff:{confirmed_by.pk}",
    )  # fmt: skip
    return status


@transaction.atomic
def record_dose(
    *, treatment: Treatment, daily_mg: Decimal, at: datetime, by: Actor, now: datetime, reason: str = ""
) -> DoseChange:
    """The daily dose from a moment on, in milligrams."""
    dose = DoseChange.objects.create(
        treatment=treatment,
        at=at,
        daily_mg=daily_mg,
        reason=reason,
        recorded_at=now,
        recorded_by=by if isinstance(by, Staff) else None,
    )
    audit.record("dose_changed", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id)
    return dose


def reassess_changed_by_time(*, now: datetime) -> int:
    """Judge anew those whose judgement time alone has changed: a break has lasted 30 days. How many there were."""
    due = list(Treatment.objects.changed_by_time(now).values_list("pk", flat=True)[:500])
    for pk in due:
        with transaction.atomic():
            treatment = locked(pk)
            reassess(treatment, now=now)
            audit.record(
                "reassessed_by_time", by=None, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id
            )
    return len(due)


def reassess(treatment: Treatment, *, now: datetime) -> None:
    """Judge a locked treatment anew. A hold or a fever gets its alert, with owner and timer, in this transaction."""
    held_before = treatment.advice in HOLDS
    versions = list(treatment.results.order_by("drawn_at", "pk"))
    judgement = judge(treatment, versions, as_of=now)
    keep(treatment, judgement, result=None, latest_draw_at=latest_draw(versions), now=now)
    found = []
    if "anc_now" in judgement.actions:
        text = "Fever reported: blood count today, look for an infection."
        found.append(Raising(Cause.FEVER, Severity.MODERATE, text))
    elif judgement.treatment in HOLDS and not held_before:
        found.append(ALERTS_ON_HOLD)
    raise_alerts(treatment, found, result=None, now=now)
    revoke_supplies(treatment, now=now)
