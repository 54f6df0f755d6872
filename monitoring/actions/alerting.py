"""Raising, worsening and ending alerts, and owing the messages that tell people."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction

from monitoring.actions.gathering import Digest
from monitoring.actions.nudge import nudge
from monitoring.alerts import BODY, SUBJECT, URGENCY, Raising, escalate_at
from monitoring.models import Alert, AlertNote, Cause, Outcome, Result, Treatment
from monitoring.rules.judgement import Judgement
from notifications.actions import owe
from notifications.models import Delivery
from patients.access import may
from patients.models import Staff

SILENT = (Cause.REPEAT_OWED,)
"""Told by the neutropenia message already; a message of its own follows only when the deadline has passed."""

TOLD_EACH_TIME = (Cause.CORRECTION, Cause.LOOSENED, Cause.UNWELL)
"""Each one is news of its own, however urgent the open alert is: whoever has answered has to look again."""


def raise_alerts(
    treatment: Treatment,
    found: Iterable[Raising],
    *,
    result: Result | None,
    now: datetime,
    digest: Digest | None = None,
) -> list[Alert]:
    """One open alert a cause: a new one, or the open one brought up to date. Locked by the treatment's lock.

    With a digest its owner is told of all alerts of that run at once, unless the alert is severe.
    """
    wanted = list(found)
    if not wanted:
        return []
    standing = {
        alert.cause: alert
        for alert in Alert.objects.filter(treatment=treatment, resolved_at=None).select_related("owner")
    }
    return [_raise(treatment, raising, standing.get(raising.cause), result, now, digest) for raising in wanted]


def _raise(
    treatment: Treatment,
    raising: Raising,
    standing: Alert | None,
    result: Result | None,
    now: datetime,
    digest: Digest | None,
) -> Alert:
    if standing is None:
        alert = Alert.objects.create(
            treatment=treatment,
            clinic_id=treatment.clinic_id,
            cause=raising.cause,
            severity=raising.severity,
            summary=raising.summary,
            result=result,
            owner=treatment.clinician if reachable(treatment.clinician, treatment.clinic_id) else None,
            raised_at=now,
            worsened_at=now,
            escalate_at=escalate_at(treatment.clinic, raising.severity, now),
            deadline=raising.deadline,
        )
        verb, tell = "raised", raising.cause not in SILENT
    else:
        alert = standing
        tell = raising.severity < standing.severity or raising.cause in TOLD_EACH_TIME
        verb = "worsened" if tell else "updated"
        _update(alert, raising, result, now, worse=tell, treatment=treatment)
    note = AlertNote(alert=alert, at=now, verb=verb, text=raising.summary, severity=alert.severity)
    AlertNote.objects.bulk_create([note])
    if tell:
        tell_owner(alert, treatment, now=now, digest=digest)
    return alert


def _update(
    alert: Alert, raising: Raising, result: Result | None, now: datetime, *, worse: bool, treatment: Treatment
) -> None:
    """The latest word; when it is worse, whoever answered before has to answer again."""
    alert.summary, alert.result, alert.deadline = raising.summary, result or alert.result, raising.deadline
    if worse:
        alert.severity = min(alert.severity, raising.severity)
        alert.worsened_at = now
        alert.acknowledged_at = alert.acknowledged_by = alert.escalated_at = None
        alert.escalate_at = escalate_at(treatment.clinic, alert.severity, now)
    alert.save()


def end_by_count(treatment: Treatment, *, judgement: Judgement, now: datetime) -> None:
    """A count has come: what waited for one is done, without a person having to say so."""
    still_owed = {
        Cause.REPEAT_OWED: judgement.deadline is not None,
        Cause.TEST_OVERDUE: judgement.overdue,
        Cause.CALL_PATIENT: judgement.overdue,
    }
    causes = [cause for cause, owed in still_owed.items() if not owed]
    waiting = Alert.objects.filter(treatment_id__in=treatment.records, cause__in=causes, resolved_at=None)
    ended = [alert.pk for alert in waiting]
    if ended:
        Alert.objects.filter(pk__in=ended).update(resolved_at=now, outcome=Outcome.TESTED)
        AlertNote.objects.bulk_create(
            [AlertNote(alert_id=pk, at=now, verb="resolved", text="A count has come.") for pk in ended]
        )


def reachable(owner: Staff | None, clinic_id: int) -> bool:
    """Somebody who can be written to, who is there, and who may see the patients of this clinic."""
    return owner is not None and owner.is_active and bool(owner.email) and may(owner, "see_patients", clinic_id)


def tell_owner(
    alert: Alert, treatment: Treatment, *, now: datetime, step: str = "", digest: Digest | None = None
) -> None:
    """Owe the owner a message; a clinic's on-call address when there is no owner who can be reached."""
    address, clinic = treatment.clinic.on_call_email, treatment.clinic
    owner = alert.owner
    if owner is not None and reachable(owner, alert.clinic_id):
        address = owner.email
    if digest is not None and digest.takes(alert):
        digest.add(alert, address, clinic_name=clinic.name, now=now)
        return
    told = step or f"told:{alert.worsened_at.isoformat()}"
    owe([message(alert, address, clinic_name=clinic.name, step=told, now=now)])
    transaction.on_commit(nudge)


def message(alert: Alert, address: str, *, clinic_name: str, step: str, now: datetime) -> Delivery:
    """The e-mail for one step of an alert: a link behind sign-in, and nothing that names a patient."""
    return Delivery(
        once=f"alert:{alert.pk}:{step}:{address}",
        address=address,
        subject=SUBJECT.format(urgency=URGENCY[alert.severity]),
        body=BODY.format(clinic=clinic_name, base_url=settings.BASE_URL, alert_id=alert.pk),
        about=f"alert:{alert.pk}",
        clinic_id=alert.clinic_id,
        priority=alert.severity,
        created_at=now,
        due_at=now,
    )
