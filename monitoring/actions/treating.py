"""Beginning, pausing, resuming and stopping a treatment, and what else happens in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction

from monitoring.actions.alerting import raise_alerts
from monitoring.actions.booking import answer_supply_alert
from monitoring.actions.judging import judge, judge_now, keep, latest_draw, locked
from monitoring.actions.revoking import revoke_supplies
from monitoring.alerts import ADVICE_IN_WORDS, HOLDS, Raising
from monitoring.models import BenStatus, Cause, DoseChange, DoseVoid, Severity, Treatment, TreatmentEvent
from monitoring.rules.dose import MOST, RECORDED_MOST
from monitoring.rules.errors import InputError
from monitoring.rules.history import Event, EventKind
from monitoring.rules.plausible import check_event
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

    A plain date where the time of day is unknown. The same told again is the event that is there already.
    Raises InputError for what cannot have happened.
    """
    asked, treatment = treatment, locked(treatment.pk)
    if treatment.clinic_id != asked.clinic_id:
        raise InputError("at", f"the patient has moved to {treatment.clinic} meanwhile; it is recorded there now")
    date_only = not isinstance(at, datetime)
    instant = at if isinstance(at, datetime) else datetime.combine(at, time(), treatment.clinic.zone)
    standing = [event for event in treatment.every_event() if event.stands()]
    if known := _known(standing, (kind, instant, date_only, stop, celsius)):
        return known
    _check(treatment, Event(kind, at, stop=stop, celsius=celsius), standing, now)
    against = advice_against(treatment, at=at, now=now) if kind in DOSING else ""
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


def _known(standing: Sequence[TreatmentEvent], told: tuple[object, ...]) -> TreatmentEvent | None:
    """The event that says the same."""
    for event in standing:
        if (event.kind, event.at, event.date_only, event.stop, event.celsius) == told:
            event.just_stored = False
            return event
    return None


def _check(treatment: Treatment, event: Event, standing: Sequence[TreatmentEvent], now: datetime) -> None:
    known = [other.as_event(treatment.clinic) for other in standing]
    born = treatment.patient.date_of_birth
    check_event(event, events=known, born=born, now=now, zone=treatment.clinic.zone)


def advice_against(treatment: Treatment, *, at: datetime | date, now: datetime) -> str:
    """The advice that stood against a dose at that moment, or "" where none did."""
    if not isinstance(at, datetime):
        # The time of day is not known: what was known by the end of that day counts.
        at = min(datetime.combine(at + timedelta(days=1), time(), treatment.clinic.zone), now)
    advice = judge(treatment, list(treatment.every_result()), as_of=at).treatment
    return advice if advice in AGAINST else ""


def _tell_of_dosing_against(treatment: Treatment, kind: str, advice: str, now: datetime) -> None:
    """The event is a fact and is recorded; that it goes against the advice is told at once."""
    text = f"{kind.replace('_', ' ').capitalize()} recorded while the advice was: {ADVICE_IN_WORDS[advice].lower()}."
    severity = Severity.SEVERE if advice == "stop" else Severity.MODERATE
    raise_alerts(treatment, [Raising(Cause.AGAINST_ADVICE, severity, text)], result=None, now=now)


@transaction.atomic
def void_event(
    *, event: TreatmentEvent, by: Staff, now: datetime, reason: str, ip: str | None = None
) -> TreatmentEvent:
    """Take back an event that did not happen. The row stays, with who, when and why. Raises InputError without one."""
    if not reason.strip():
        raise InputError("reason", "say why this is taken back; the reason stays with it")
    treatment = locked(event.treatment_id)
    still = TreatmentEvent.objects.filter(pk=event.pk, voided_at=None)
    event.just_stored = bool(still.update(voided_at=now, voided_by=by, void_reason=reason))
    if not event.just_stored:
        return event
    reassess(treatment, now=now)
    audit.record(
        "event_voided", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"event:{event.pk}", ip=ip,
    )  # fmt: skip
    return event


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
    *,
    treatment: Treatment,
    daily_mg: Decimal,
    at: datetime,
    by: Actor,
    now: datetime,
    reason: str = "",
    ip: str | None = None,
) -> DoseChange:
    """The daily dose from a moment on, in milligrams. Raises InputError for what cannot be given."""
    treatment = locked(treatment.pk)
    if not 0 <= daily_mg <= RECORDED_MOST:
        raise InputError("daily_mg", f"{daily_mg} mg a day is not possible; the maximum is {MOST} mg")
    if at > now:
        raise InputError("at", f"{at:%Y-%m-%d %H:%M} is in the future; record the dose once it is given")
    if at.astimezone(treatment.clinic.zone).date() < treatment.patient.date_of_birth:
        raise InputError("at", "that is before the patient was born")
    last = treatment.every_dose().filter(at=at).last()
    if last is not None and last.daily_mg == daily_mg:
        last.just_stored = False
        return last
    dose = DoseChange.objects.create(
        treatment=treatment,
        at=at,
        daily_mg=daily_mg,
        reason=reason,
        recorded_at=now,
        recorded_by=by if isinstance(by, Staff) else None,
    )
    audit.record(
        "dose_changed", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"dose:{dose.pk}", ip=ip,
    )  # fmt: skip
    return dose


@transaction.atomic
def void_dose(*, dose: DoseChange, by: Staff, now: datetime, reason: str, ip: str | None = None) -> DoseVoid:
    """Mark a dose as entered in error; the dose before it holds again. Raises InputError without a reason."""
    if not reason.strip():
        raise InputError("reason", "say why this is taken back; the reason stays with it")
    treatment = locked(dose.treatment_id)
    if known := DoseVoid.objects.filter(dose=dose).first():
        known.just_stored = False
        return known
    void = DoseVoid.objects.create(dose=dose, reason=reason.strip(), voided_at=now, voided_by=by)
    audit.record(
        "dose_voided", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"dose:{dose.pk}", ip=ip,
    )  # fmt: skip
    return void


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
    versions = list(treatment.every_result())
    judgement = judge_now(treatment, versions, now=now)
    keep(treatment, judgement, result=None, latest_draw_at=latest_draw(versions), now=now)
    found = []
    if "anc_now" in judgement.actions:
        text = "Fever reported: blood count today, look for an infection."
        found.append(Raising(Cause.FEVER, Severity.MODERATE, text))
    elif judgement.treatment in HOLDS and not (held_before or _told_of_hold(treatment)):
        found.append(ALERTS_ON_HOLD)
        if judgement.treatment == "stop":
            found = [replace(ALERTS_ON_HOLD, severity=Severity.SEVERE)]
    raise_alerts(treatment, found, result=None, now=now)
    revoke_supplies(treatment, now=now)
    if treatment.tablets_until is not None:
        answer_supply_alert(treatment, "What is known of the treatment has changed.", now=now)


def _told_of_hold(treatment: Treatment) -> bool:
    """An open alert says it already, and says more: with the count that brought it."""
    return treatment.alerts.filter(cause=Cause.NEUTROPENIA, resolved_at=None).exists()
