"""What people decide about a treatment: doses against the advice, stopping, rechallenge, hospice, the protocol."""

from datetime import date, datetime

from django.db import transaction

from monitoring.actions.judging import judge_now, locked
from monitoring.actions.switching import judged_by, move
from monitoring.actions.treating import advice_against, record_event
from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models import Treatment, TreatmentEvent
from monitoring.rules.errors import InputError
from monitoring.rules.history import EventKind
from monitoring.rules.protocols import PROTOCOLS
from patients import audit
from patients.access import may
from patients.models import Staff

WAITS_FOR_APPROVAL = "severe.until_approved"
"""The rule that a rechallenge lifts."""


@transaction.atomic
def give_dose(
    *,
    treatment: Treatment,
    kind: EventKind,
    at: datetime | date,
    by: Staff,
    now: datetime,
    reason: str = "",
    decided_by: Staff | None = None,
    ip: str | None = None,
) -> TreatmentEvent:
    """A first dose or a restart. Against the advice it needs a prescriber who decided, and why; it is never refused.

    Raises InputError where either is missing.
    """
    kept = locked(treatment.pk)
    against = advice_against(kept, at=at, now=now)
    if against:
        reason = _against(kept, against, by=by, decided_by=decided_by, reason=reason)
    return record_event(treatment=kept, kind=kind, at=at, by=by, now=now, reason=reason, ip=ip)


def _against(treatment: Treatment, advice: str, *, by: Staff, decided_by: Staff | None, reason: str) -> str:
    words = ADVICE_IN_WORDS[advice].lower()
    decides = decided_by or by
    if not may(decides, "override_advice", treatment.clinic_id):
        raise InputError("decided_by", f"the advice is: {words}. Choose the prescriber who decided otherwise")
    if not reason.strip():
        raise InputError("reason", f"the advice is: {words}. Say why the dose is given all the same")
    return f"Against the advice ({words}), decided by {decides}: {reason.strip()}"


@transaction.atomic
def end_doses(
    *,
    treatment: Treatment,
    at: datetime | date,
    by: Staff,
    now: datetime,
    reason: str,
    stop: bool = False,
    ip: str | None = None,
) -> TreatmentEvent:
    """The last dose: of an interruption, or for good. Raises InputError without a reason."""
    if not reason.strip():
        raise InputError("reason", "say why; the next person who opens this patient asks the same")
    return record_event(treatment=treatment, kind="last_dose", at=at, by=by, now=now, stop=stop, reason=reason, ip=ip)


@transaction.atomic
def approve_rechallenge(
    *, treatment: Treatment, at: datetime | date, reason: str, by: Staff, now: datetime, ip: str | None = None
) -> TreatmentEvent:
    """A prescriber documents that the benefit outweighs the risk. Raises InputError where none is asked for."""
    if not reason.strip():
        raise InputError("reason", "say why the benefit outweighs the risk for this patient")
    kept = locked(treatment.pk)
    waits = _rules(kept, now)
    event = record_event(treatment=kept, kind="rechallenge_approved", at=at, by=by, now=now, reason=reason, ip=ip)
    if event.just_stored and WAITS_FOR_APPROVAL not in waits:
        raise InputError("at", _nothing_to_approve(waits))
    if event.just_stored and WAITS_FOR_APPROVAL in _rules(kept, now):
        raise InputError("at", "the approval has to come after the severe count that it is about")
    return event


def _rules(treatment: Treatment, now: datetime) -> list[str]:
    judgement = judge_now(treatment, list(treatment.every_result()), now=now)
    return [reason.rule for reason in judgement.reasons]


def _nothing_to_approve(rules: list[str]) -> str:
    if "rechallenge.ready" in rules or "rechallenge.not_yet" in rules:
        return "a rechallenge is approved already"
    if "severe.for_good" in rules:
        return "under this protocol treatment is stopped for good; there is no rechallenge"
    return "no severe neutropenia is open, so there is nothing to approve"


@transaction.atomic
def agree_hospice(
    *, treatment: Treatment, at: datetime | date, reason: str, by: Staff, now: datetime, ip: str | None = None
) -> TreatmentEvent:
    """Fewer tests by agreement with patient and carer. Raises InputError where the protocol knows no such thing."""
    kept = locked(treatment.pk)
    if kept.protocol.hospice is None:
        raise InputError("at", f"{kept.protocol.title} knows no hospice monitoring")
    if not reason.strip():
        raise InputError("reason", "write down with whom this was discussed, and what was agreed")
    agreed = [event for event in kept.every_event() if event.kind == "hospice_agreed" and event.stands()]
    event = record_event(treatment=kept, kind="hospice_agreed", at=at, by=by, now=now, reason=reason, ip=ip)
    if event.just_stored and agreed:
        raise InputError("at", "hospice monitoring is agreed already; take that back first if it was wrong")
    return event


@transaction.atomic
def change_protocol(
    *, treatment: Treatment, protocol_key: str, reason: str, by: Staff, now: datetime, ip: str | None = None
) -> Treatment | None:
    """Judge by another protocol from now on; null when it is that one already. What was said before stays as it was."""
    if protocol_key not in PROTOCOLS:
        raise InputError("protocol_key", f"{protocol_key!r} is not a protocol; known: {', '.join(PROTOCOLS)}")
    if not reason.strip():
        raise InputError("reason", "say why the protocol changes")
    kept = locked(treatment.pk)
    former = kept.protocol_key
    if former == protocol_key:
        return None
    if kept.ben is not None and "ben" not in PROTOCOLS[protocol_key].tables:
        raise InputError("protocol_key", f"{PROTOCOLS[protocol_key].title} has no thresholds for BEN")
    move(kept, protocol_key, judgement=judged_by(kept, protocol_key, now=now), by=by, now=now)
    audit.record(
        "protocol_changed", by=by, now=now, clinic_id=kept.clinic_id, patient_id=kept.patient_id,
        subject=f"treatment:{kept.pk}", ip=ip, was=former, protocol=protocol_key, reason=reason,
    )  # fmt: skip
    return kept
