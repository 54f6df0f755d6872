"""Answering an alert. Acknowledging is not resolving; nothing but an outcome ends an alert."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from monitoring.actions.alerting import ask_again, messages, reachable
from monitoring.actions.judging import locked
from monitoring.actions.nudge import nudge
from monitoring.actions.reaching import ways_to
from monitoring.alerts import returns_at
from monitoring.models import Alert, AlertNote, Cause, Outcome, Severity
from notifications.actions import owe
from patients import audit
from patients.models import Staff
from patients.rota import absent

MOVES: Mapping[tuple[str, str], str] = {
    ("open", "acknowledge"): "acknowledged",
    ("open", "resolve"): "resolved",
    ("acknowledged", "resolve"): "resolved",
    ("open", "hand_over"): "open",
    ("acknowledged", "hand_over"): "open",
}
HARMLESS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "acknowledge": (
        (Cause.TEST_OVERDUE, Severity.ROUTINE),
        (Cause.REPEAT_OWED, Severity.MILD),
        (Cause.CORRECTION, Severity.ROUTINE),
    ),
    "resolve": ((Cause.TEST_OVERDUE, Severity.ROUTINE), (Cause.CORRECTION, Severity.ROUTINE)),
}
"""What may be answered for many at once. A low count, a fever or a hold is always looked at by itself."""


CHANGED = "Not done: the alert has changed since you opened the page. Read what it says now"


class MoveError(ValueError):
    """The alert is not in a state from which this can be done."""


class UnreadError(MoveError):
    """The alert says something else now than what was read before this answer."""


def harmless(alert: Alert, move: str) -> bool:
    """Whether this alert may be answered together with others."""
    return (alert.cause, alert.severity) in HARMLESS[move] and (alert.state, move) in MOVES


def _locked(alert: Alert, move: str, basis: str | None = None) -> Alert:
    """The treatment first, as whoever raises and worsens alerts does: an answer and a new count never cross.

    With a basis (`Alert.basis`) nothing is answered but what was read: worse news has to be read first.
    """
    locked(alert.treatment_id)
    current = Alert.objects.select_for_update(of=("self",)).select_related("treatment", "clinic", "owner")
    found = current.get(pk=alert.pk)
    if (found.state, move) not in MOVES:
        raise MoveError(f"Not done: the alert is {found.state} already; its story says by whom")
    if basis is not None and basis != found.basis:
        raise UnreadError(CHANGED)
    return found


@transaction.atomic
def acknowledge(
    *, alert: Alert, by: Staff, now: datetime, note: str = "", basis: str | None = None, ip: str | None = None
) -> Alert:
    """Somebody has seen it and is on it. No further step is taken; unresolved it comes back."""
    current = _locked(alert, "acknowledge", basis)
    current.acknowledged_at, current.acknowledged_by = now, by
    current.escalate_at = returns_at(current.clinic, current.cause, current.severity, now)
    current.save(update_fields=["acknowledged_at", "acknowledged_by", "escalate_at"])
    _note(current, by, now, "acknowledged", note, ip)
    return current


@transaction.atomic
def resolve(
    *, alert: Alert, by: Staff, now: datetime, outcome: str, note: str = "", basis: str | None = None,
    ip: str | None = None,
) -> Alert:  # fmt: skip
    """It is done, and this is how. Raises ValueError for an unknown outcome, or for `other` without a note."""
    if outcome not in Outcome.values:
        raise ValueError(f"{outcome!r} is not an outcome; choose one of {', '.join(Outcome.values)}")
    if outcome == Outcome.OTHER and not note.strip():
        raise ValueError("say in the note what was done")
    current = _locked(alert, "resolve", basis)
    current.resolved_at, current.resolved_by, current.outcome = now, by, outcome
    current.save(update_fields=["resolved_at", "resolved_by", "outcome"])
    _note(current, by, now, "resolved", note, ip)
    return current


@transaction.atomic
def hand_over(
    *, alert: Alert, to: Staff, by: Staff, now: datetime, note: str = "", basis: str | None = None,
    ip: str | None = None,
) -> Alert:  # fmt: skip
    """Somebody else owns it now and is told so. The escalation's clock runs on.

    Whoever had acknowledged it is no longer on it, so that the new owner has to answer, with a clock of its own.
    Raises ValueError for somebody who cannot be reached, is away today or may not see this clinic's patients.
    """
    if not reachable(to, alert.clinic_id):
        raise ValueError(f"{to} cannot be written to, or may not see the patients of this clinic; choose somebody else")
    current = _locked(alert, "hand_over", basis)
    if absent(current.clinic, now).filter(staff=to).exists():
        raise ValueError(f"{to} is away today; choose who covers for them, or somebody else")
    if current.owner_id == to.pk:
        raise MoveError(f"{to} owns this alert already")
    if current.acknowledged_at:
        ask_again(current, current.clinic, now)
    current.owner = to
    current.save(update_fields=["owner", "acknowledged_at", "acknowledged_by", "escalated_at", "step", "escalate_at"])
    _note(current, by, now, "handed over", f"To {to}. {note}".strip(), ip, to=to.pk)
    step = f"handed:{now.isoformat()}"
    ways = ways_to(to, current.severity)
    owe(messages(current, ways, clinic_name=current.clinic.name, step=step, now=now))
    transaction.on_commit(nudge)
    return current


@transaction.atomic
def add_note(*, alert: Alert, text: str, by: Staff, now: datetime, ip: str | None = None) -> None:
    """A line in the alert's story; its state stays as it is. Raises ValueError for an empty one."""
    if not text.strip():
        raise ValueError("the note is empty; write what the next person should know")
    _note(alert, by, now, "noted", text.strip(), ip)


def mark_seen(*, alert: Alert, by: Staff, now: datetime) -> None:
    """This person has had the alert on their screen; only the first time is kept."""
    AlertNote.objects.bulk_create([AlertNote(alert=alert, at=now, staff=by, verb="seen")], ignore_conflicts=True)


@transaction.atomic
def answer_many(
    *, alerts: Sequence[Alert], move: str, by: Staff, now: datetime, note: str = "", outcome: str = "",
    bases: Mapping[int, str] | None = None, ip: str | None = None,
) -> int:  # fmt: skip
    """The same answer to several harmless alerts, all or none. How many there were.

    With bases, by the alerts' numbers, each is answered only as it was read. Raises UnreadError when one says something
    else now, MoveError when one has to be looked at by itself, ValueError as `resolve` does.
    """
    for alert in sorted(alerts, key=lambda one: (one.treatment_id, one.pk)):
        current = _locked(alert, move, None if bases is None else bases.get(alert.pk, ""))
        if not harmless(current, move):
            raise MoveError(
                f"alert {current.pk} ({current.get_severity_display().lower()}: {current.get_cause_display().lower()})"
                " is answered by itself; open it"
            )
        if move == "acknowledge":
            acknowledge(alert=current, by=by, now=now, note=note, ip=ip)
        else:
            resolve(alert=current, by=by, now=now, outcome=outcome, note=note, ip=ip)
    return len(alerts)


def _note(alert: Alert, by: Staff, now: datetime, verb: str, text: str, ip: str | None, **detail: int) -> None:
    AlertNote.objects.bulk_create([AlertNote(alert=alert, at=now, staff=by, verb=verb, text=text)])
    audit.record(
        f"alert_{verb.replace(' ', '_')}",
        by=by,
        now=now,
        clinic_id=alert.clinic_id,
        patient_id=alert.treatment.patient_id,
        subject=f"alert:{alert.pk}",
        ip=ip,
        **detail,
    )
