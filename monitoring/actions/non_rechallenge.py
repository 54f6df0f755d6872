"""The non-rechallenge register of this service: never a life sentence, always with a date to look again."""

from datetime import date, datetime

from django.db import transaction

from monitoring.actions.alerting import end_by_answer
from monitoring.actions.judging import locked
from monitoring.models import Cause, NonRechallenge, Treatment
from monitoring.models.result import standing
from monitoring.rules.units import plain
from patients import audit
from patients.models import Staff

COUNTS = 10


@transaction.atomic
def enter_register(
    *,
    treatment: Treatment,
    evidence: str,
    other_drugs: str,
    confirmed: bool | None,
    review_on: date,
    by: Staff,
    now: datetime,
    ip: str | None = None,
) -> NonRechallenge:
    """Enter a patient with the evidence as it stands. Raises ValueError without evidence or a later review."""
    treatment = locked(treatment.pk)
    if not evidence.strip():
        raise ValueError("say on what evidence the patient is entered")
    if review_on <= now.astimezone(treatment.clinic.zone).date():
        raise ValueError("give a later day on which the entry is looked at again")
    if treatment.non_rechallenges.filter(ended_at=None).exists():
        raise ValueError("the patient is in the register already")
    counts = standing(list(treatment.every_result()))[-COUNTS:]
    entry = NonRechallenge.objects.create(
        treatment=treatment,
        clinic_id=treatment.clinic_id,
        evidence=evidence.strip(),
        other_drugs=other_drugs.strip(),
        confirmed=confirmed,
        counts=[{"drawn_at": row.drawn_at.isoformat(), "anc": _number(row)} for row in counts],
        population="ben" if treatment.ben else "general",
        entered_at=now,
        entered_by=by,
        review_on=review_on,
    )
    _told("register_entered", entry, treatment, by, now, ip)
    return entry


def _number(row: object) -> str | None:
    anc = getattr(row, "anc", None)
    return None if anc is None else plain(anc, getattr(row, "anc_bound", ""))


@transaction.atomic
def appeal(*, entry: NonRechallenge, words: str, by: Staff, now: datetime, ip: str | None = None) -> NonRechallenge:
    """Ask that the entry be lifted. Raises ValueError without words or once it has ended."""
    current = _open(entry)
    if not words.strip():
        raise ValueError("say why the entry should be lifted")
    current.appeal, current.appealed_at, current.appealed_by = words.strip(), now, by
    current.save(update_fields=["appeal", "appealed_at", "appealed_by"])
    _told("register_appealed", current, current.treatment, by, now, ip)
    return current


@transaction.atomic
def keep_entry(
    *, entry: NonRechallenge, words: str, review_on: date, by: Staff, now: datetime, ip: str | None = None
) -> NonRechallenge:
    """Looked at again, and it stays until another look. Raises ValueError without words or a later day."""
    current = _open(entry)
    treatment = current.treatment
    if not words.strip():
        raise ValueError("say why the entry stays")
    if review_on <= now.astimezone(treatment.clinic.zone).date():
        raise ValueError("give a later day on which the entry is looked at again")
    said = {"at": now.isoformat(), "by": str(by), "words": words.strip()}
    current.review_on, current.reviews = review_on, [*current.reviews, said]
    current.save(update_fields=["review_on", "reviews"])
    text = f"Looked at again and kept until {review_on}."
    end_by_answer(treatment, Cause.REGISTER_REVIEW, text=text, by=by, now=now)
    _told("register_kept", current, treatment, by, now, ip)
    return current


@transaction.atomic
def end_entry(
    *, entry: NonRechallenge, outcome: str, by: Staff, now: datetime, ip: str | None = None
) -> NonRechallenge:
    """Lift the entry, with the reason. Any prescriber of the clinic may. Raises ValueError without one."""
    current = _open(entry)
    if not outcome.strip():
        raise ValueError("say why the entry ends")
    current.ended_at, current.ended_by, current.outcome = now, by, outcome.strip()
    current.save(update_fields=["ended_at", "ended_by", "outcome"])
    end_by_answer(current.treatment, Cause.REGISTER_REVIEW, text="The entry is lifted.", by=by, now=now)
    _told("register_ended", current, current.treatment, by, now, ip)
    return current


def _open(entry: NonRechallenge) -> NonRechallenge:
    locked(entry.treatment_id)
    rows = NonRechallenge.objects.select_for_update(of=("self",)).select_related("treatment__clinic")
    current = rows.get(pk=entry.pk)
    if current.ended_at:
        raise ValueError("this entry has ended already")
    return current


def _told(verb: str, entry: NonRechallenge, treatment: Treatment, by: Staff, now: datetime, ip: str | None) -> None:
    audit.record(
        verb, by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"non_rechallenge:{entry.pk}", ip=ip,
    )  # fmt: skip
