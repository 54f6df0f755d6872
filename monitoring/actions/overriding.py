"""Supply that two people answer for: an override of the advice, or a bridge of a few days while blood is on its way."""

from datetime import datetime, timedelta

from django.db import transaction

from monitoring.actions.alerting import end_by_answer, raise_alerts
from monitoring.actions.dispensing import refuse_stale, verdict_of
from monitoring.actions.judging import locked
from monitoring.alerts import Raising
from monitoring.models import Cause, Override, ReasonCode, Severity, Treatment
from monitoring.models.dispense import WAITS
from monitoring.rules.overrides import REACH, level, reach_of
from patients import audit
from patients.access import may
from patients.models import Staff


@transaction.atomic
def ask_override(
    *,
    treatment: Treatment,
    bridge: bool,
    administrative: bool = False,
    code: str,
    words: str,
    days: int,
    hours: int,
    by: Staff,
    now: datetime,
    ip: str | None = None,
) -> Override:
    """Ask for a supply; nothing is allowed before a second person confirms.

    `days` of tablets, valid for `hours`. An `administrative` one lifts the clinic's own policy and nothing clinical.
    Raises ValueError for an unknown code, no words, while another request waits, or a bridge too long or too many.
    """
    treatment = locked(treatment.pk)
    if code not in ReasonCode.values:
        raise ValueError(f"{code!r} is not a reason; choose one of {', '.join(ReasonCode.values)}")
    if not words.strip():
        raise ValueError("say in words why tablets are needed now")
    if not 1 <= hours <= 72:
        raise ValueError("an override is valid for 1 to 72 hours")
    if bridge:
        _check_bridge(treatment, days, now)
    _end_unanswered(treatment, now)
    override = Override.objects.create(
        treatment=treatment,
        clinic_id=treatment.clinic_id,
        bridge=bridge,
        administrative=administrative,
        code=code,
        words=words.strip(),
        days=days,
        asked_at=now,
        asked_by=by,
        expires_at=now + timedelta(hours=hours),
    )
    text = f"{by} asks for {days} days of tablets: {ReasonCode(code).label.lower()}. A second person must answer."
    _notice(treatment, text, now)
    _told("override_asked", override, treatment, by, now, ip)
    return override


def bridges_left(treatment: Treatment, now: datetime) -> int:
    """How many bridge supplies may still be confirmed in the clinic's rolling period."""
    clinic = treatment.clinic
    since = now - timedelta(days=clinic.policy("bridge_period_days"))
    used = treatment.overrides.filter(bridge=True, confirmed_at__gt=since).count()
    return max(clinic.policy("bridge_times") - used, 0)


def _check_bridge(treatment: Treatment, days: int, now: datetime) -> None:
    most = treatment.clinic.policy("bridge_days")
    if level(verdict_of(treatment, now=now).why) > REACH["bridge"]:
        raise ValueError("a bridge supply is for missing blood, not against a stop; ask for an override instead")
    if days > most:
        raise ValueError(f"a bridge supply is at most {most} days; {days} were asked for")
    if not bridges_left(treatment, now):
        period = treatment.clinic.policy("bridge_period_days")
        raise ValueError(f"no bridge supply is left in {period} days; take blood, or ask for an override")
    bridged = treatment.overrides.filter(bridge=True, confirmed_at__isnull=False, waits_since=treatment.latest_draw_at)
    if bridged.exists():
        raise ValueError("this wait for blood had its bridge supply already; take blood, or ask for an override")


def _end_unanswered(treatment: Treatment, now: datetime) -> None:
    """One that nobody answered in time waits no longer; one that still waits is not asked for twice."""
    waiting = treatment.overrides.filter(WAITS)
    waiting.filter(expires_at__lt=now).update(lapsed_at=now)
    if waiting.exists():
        raise ValueError("a request for this patient waits for a second person already; have it answered first")


@transaction.atomic
def confirm_override(
    *, override: Override, by: Staff, now: datetime, basis: int | None = None, ip: str | None = None
) -> Override:
    """The second key. Raises ValueError for the person who asked, once answered, or after it has expired.

    `basis`: the treatment's version that the page showed; StaleError when it is past.
    """
    treatment = locked(override.treatment_id)
    current = _open(override, by, now)
    verdict = verdict_of(treatment, now=now)
    refuse_stale(basis, treatment, verdict)
    if current.bridge:
        _check_bridge(treatment, current.days, now)
        current.waits_since = treatment.latest_draw_at
    current.confirmed_at, current.confirmed_by, current.basis_version = now, by, treatment.version
    current.reach = reach_of(current.scope, level(verdict.why))
    current.save(update_fields=["confirmed_at", "confirmed_by", "basis_version", "reach", "waits_since"])
    _notice(treatment, f"{by} confirmed {current.days} days of tablets that {current.asked_by} had asked for.", now)
    _told("override_confirmed", current, treatment, by, now, ip)
    return current


@transaction.atomic
def decline_override(*, override: Override, by: Staff, now: datetime, answer: str, ip: str | None = None) -> Override:
    """No, and why. Raises ValueError without a reason or once answered."""
    if not answer.strip():
        raise ValueError("say why")
    treatment = locked(override.treatment_id)
    current = _open(override, by, now)
    current.declined_at, current.declined_by, current.answer = now, by, answer.strip()
    current.save(update_fields=["declined_at", "declined_by", "answer"])
    end_by_answer(treatment, Cause.OVERRIDE, text=f"Declined: {current.answer}", by=by, now=now)
    _told("override_declined", current, treatment, by, now, ip)
    return current


@transaction.atomic
def review_override(*, override: Override, by: Staff, now: datetime, words: str, ip: str | None = None) -> Override:
    """Somebody without a part in it looks at it afterwards, and says what they found; twice is once.

    Raises ValueError for those who had a part in it, before it is confirmed, and without words.
    """
    treatment = locked(override.treatment_id)
    current = Override.objects.select_for_update().get(pk=override.pk)
    if current.reviewed_at:
        return current
    if not current.confirmed_at:
        raise ValueError("it was not confirmed, so there is nothing to review")
    if by.pk in (current.asked_by_id, current.confirmed_by_id):
        raise ValueError("somebody who neither asked nor confirmed must review it")
    if not words.strip():
        raise ValueError("say what you found, such as: agreed, the courier's note is on file")
    current.reviewed_at, current.reviewed_by, current.review = now, by, words.strip()
    current.save(update_fields=["reviewed_at", "reviewed_by", "review"])
    end_by_answer(treatment, Cause.OVERRIDE, text=f"Reviewed: {current.review}", by=by, now=now)
    _told("override_reviewed", current, treatment, by, now, ip)
    return current


def _open(override: Override, by: Staff, now: datetime) -> Override:
    current = Override.objects.select_for_update().get(pk=override.pk)
    if current.confirmed_at or current.declined_at:
        raise ValueError("this request is answered already")
    if current.lapsed_at:
        raise ValueError("nobody answered this request in time; answer the one that followed it")
    if current.asked_by_id == by.pk:
        raise ValueError("a second person must answer; whoever asks cannot confirm")
    if current.expires_at < now:
        raise ValueError("this request has expired; ask again")
    if not may(by, "confirm_override", current.clinic_id):
        raise ValueError("only a prescriber or another pharmacist of this clinic can answer")
    return current


def _notice(treatment: Treatment, text: str, now: datetime) -> None:
    """The treatment's prescriber hears of each step, and each is looked at again by whoever resolves the alert."""
    raise_alerts(treatment, [Raising(Cause.OVERRIDE, Severity.MODERATE, text)], result=None, now=now)


def _told(verb: str, override: Override, treatment: Treatment, by: Staff, now: datetime, ip: str | None) -> None:
    audit.record(
        verb, by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"override:{override.pk}", ip=ip, days=override.days, code=override.code,
    )  # fmt: skip
