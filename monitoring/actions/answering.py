"""Answering an alert. Acknowledging is not resolving; nothing but an outcome ends an alert."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from monitoring.models import Alert, AlertNote, Outcome
from patients import audit
from patients.models import Staff

MOVES: Mapping[tuple[str, str], str] = {
    ("open", "acknowledge"): "acknowledged",
    ("open", "resolve"): "resolved",
    ("acknowledged", "resolve"): "resolved",
}


class MoveError(ValueError):
    """The alert is not in a state from which this can be done."""


def _locked(alert: Alert, move: str) -> Alert:
    current = Alert.objects.select_for_update(of=("self",)).select_related("treatment").get(pk=alert.pk)
    if (current.state, move) not in MOVES:
        raise MoveError(f"the alert is {current.state} already; open it again to see who answered")
    return current


@transaction.atomic
def acknowledge(*, alert: Alert, by: Staff, now: datetime, note: str = "", ip: str | None = None) -> Alert:
    """Somebody has seen it and is on it. The clock of the escalation stops."""
    current = _locked(alert, "acknowledge")
    current.acknowledged_at, current.acknowledged_by = now, by
    current.save(update_fields=["acknowledged_at", "acknowledged_by"])
    _note(current, by, now, "acknowledged", note, ip)
    return current


@transaction.atomic
def resolve(*, alert: Alert, by: Staff, now: datetime, outcome: str, note: str = "", ip: str | None = None) -> Alert:
    """It is done, and this is how. Raises ValueError for an unknown outcome, or for `other` without a note."""
    if outcome not in Outcome.values:
        raise ValueError(f"{outcome!r} is not an outcome; choose one of {', '.join(Outcome.values)}")
    if outcome == Outcome.OTHER and not note.strip():
        raise ValueError("say in the note what was done")
    current = _locked(alert, "resolve")
    current.resolved_at, current.resolved_by, current.outcome = now, by, outcome
    current.save(update_fields=["resolved_at", "resolved_by", "outcome"])
    _note(current, by, now, "resolved", note, ip)
    return current


def _note(alert: Alert, by: Staff, now: datetime, verb: str, text: str, ip: str | None) -> None:
    AlertNote.objects.bulk_create([AlertNote(alert=alert, at=now, staff=by, verb=verb, text=text)])
    audit.record(
        f"alert_{verb}",
        by=by,
        now=now,
        clinic_id=alert.clinic_id,
        patient_id=alert.treatment.patient_id,
        subject=f"alert:{alert.pk}",
        ip=ip,
    )
