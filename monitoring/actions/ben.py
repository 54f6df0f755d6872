"""Benign ethnic neutropenia (BEN, DANC, Duffy-null): one person documents, a second one confirms or declines."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from monitoring.actions.alerting import messages, raise_alerts
from monitoring.actions.answering import resolve
from monitoring.actions.judging import locked
from monitoring.actions.reaching import ways_to_all
from monitoring.actions.treating import document_ben
from monitoring.alerts import Raising
from monitoring.models import Alert, BenProposal, Cause, Outcome, Result, Severity, Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.history import LOWEST_BEN_BASELINE
from monitoring.rules.units import plain
from notifications.actions import owe
from patients import audit
from patients.access import MAY
from patients.models import Staff

ASKS = "BEN is documented and waits for a second person. Until then the general thresholds hold."


def baseline_of(baselines: Sequence[Result], treatment: Treatment) -> Decimal | None:
    """The lower of the baselines, or none where it lies too low to be documented. Raises InputError."""
    zone = treatment.clinic.zone
    if len({row.drawn_at.astimezone(zone).date() for row in baselines}) < 2:
        raise InputError("baselines", "choose two baselines that were drawn on different dates")
    if any(row.status == "preliminary" or row.supported or row.anc is None or row.anc_bound for row in baselines):
        raise InputError(
            "baselines",
            "a baseline is a final ANC with an exact number, taken without G-CSF or lithium; choose another",
        )
    lowest = min(row.anc for row in baselines if row.anc is not None)
    return lowest if lowest >= LOWEST_BEN_BASELINE else None


@transaction.atomic
def propose_ben(
    *,
    treatment: Treatment,
    baselines: Sequence[Result],
    evidence: str,
    by: Staff,
    now: datetime,
    ip: str | None = None,
) -> BenProposal:
    """Document BEN with its evidence. It changes no threshold until a second person has confirmed it."""
    if not evidence.strip():
        raise InputError("evidence", "write down the evidence, such as a Duffy-null phenotype and where it was found")
    kept = locked(treatment.pk)
    if "ben" not in kept.protocol.tables:
        raise InputError("evidence", f"{kept.protocol.title} has no thresholds for BEN; change the protocol first")
    if kept.ben is not None:
        raise InputError("evidence", "BEN is documented for this patient already")
    told = "; ".join(f"{row.drawn_at.astimezone(kept.clinic.zone):%Y-%m-%d} ANC {_anc(row)}" for row in baselines)
    words = f"{evidence.strip()} Baselines: {told}."
    if standing := kept.ben_proposals.filter(answered_at=None).first():
        standing.just_stored = False
        if (standing.evidence, standing.documented_by_id) != (words, by.pk):
            raise InputError("evidence", f"{standing.documented_by} has documented BEN; that waits to be confirmed")
        return standing
    proposal = BenProposal.objects.create(
        treatment=kept, baseline_anc=baseline_of(baselines, kept), evidence=words, documented_at=now, documented_by=by
    )
    _ask(kept, by, now)
    audit.record(
        "ben_proposed", by=by, now=now, clinic_id=kept.clinic_id, patient_id=kept.patient_id,
        subject=f"ben_proposal:{proposal.pk}", ip=ip,
    )  # fmt: skip
    return proposal


def _anc(row: Result) -> str:
    return f"{plain(row.anc, row.anc_bound)} /uL" if row.anc is not None else "unknown"


def _ask(treatment: Treatment, by: Staff, now: datetime) -> None:
    """Every prescriber of the clinic but the one who documented it may confirm it, so each of them is told."""
    raising = Raising(Cause.BEN_TO_CONFIRM, Severity.ROUTINE, ASKS)
    (alert,) = raise_alerts(treatment, [raising], result=None, now=now)
    others = Staff.objects.filter(
        memberships__clinic=treatment.clinic_id, memberships__active=True, memberships__role__in=MAY["confirm_ben"],
        is_active=True,
    ).exclude(pk=by.pk).distinct()  # fmt: skip
    people = list(others.order_by("pk"))
    if alert.owner_id == by.pk:
        # Whoever documented it cannot answer, so somebody who can owns the alert.
        alert.owner = people[0] if people else None
        alert.save(update_fields=["owner"])
    ways = ways_to_all([person for person in people if person.email], alert.severity)
    step = f"told:{alert.worsened_at.isoformat()}"
    owe(messages(alert, ways, clinic_name=treatment.clinic.name, step=step, now=now))


@transaction.atomic
def answer_ben(
    *, proposal: BenProposal, confirm: bool, answer: str, by: Staff, now: datetime, ip: str | None = None
) -> BenProposal:
    """A second person confirms or declines. Raises InputError for the person who documented it."""
    kept = locked(proposal.treatment_id)
    current = BenProposal.objects.select_related("documented_by").get(pk=proposal.pk)
    if current.answered_at is not None:
        current.just_stored = False
        if (current.answered_by_id, current.status_id is not None) != (by.pk, confirm):
            raise InputError("answer", "somebody has answered this already; open the patient to see how")
        return current
    if current.documented_by_id == by.pk:
        raise InputError("answer", "you have documented this yourself; a second person has to confirm or decline it")
    if not confirm and not answer.strip():
        raise InputError("answer", "say why it is declined")
    if confirm:
        current.status = document_ben(
            treatment=kept, baseline_anc=current.baseline_anc, evidence=current.evidence,
            by=current.documented_by, confirmed_by=by, now=now,
        )  # fmt: skip
    current.answered_at, current.answered_by, current.answer = now, by, answer.strip()
    current.save(update_fields=["answered_at", "answered_by", "answer", "status"])
    _end_alert(kept, by=by, now=now, confirm=confirm, answer=answer, ip=ip)
    audit.record(
        "ben_confirmed" if confirm else "ben_declined", by=by, now=now, clinic_id=kept.clinic_id,
        patient_id=kept.patient_id, subject=f"ben_proposal:{current.pk}", ip=ip,
    )  # fmt: skip
    return current


def _end_alert(treatment: Treatment, *, by: Staff, now: datetime, confirm: bool, answer: str, ip: str | None) -> None:
    outcome = Outcome.ACTED if confirm else Outcome.PRESCRIBER_DECIDED
    words = answer.strip() or "Confirmed."
    for alert in Alert.objects.filter(treatment=treatment, cause=Cause.BEN_TO_CONFIRM, resolved_at=None):
        resolve(alert=alert, by=by, now=now, outcome=outcome, note=words, ip=ip)
