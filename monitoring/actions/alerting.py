"""Raising, worsening and ending alerts, and owing the messages that tell people."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction

from monitoring.actions.gathering import Digest
from monitoring.actions.nudge import nudge
from monitoring.actions.reaching import ways_of
from monitoring.alerts import BODY, SHORT, SUBJECT, URGENCY, Raising, escalate_at, key_of
from monitoring.models import Alert, AlertNote, Cause, Channel, Outcome, Result, Step, Treatment
from monitoring.rules.judgement import Judgement
from monitoring.telling import Told, who_is_told
from notifications.actions import owe
from notifications.models import Delivery
from patients.access import may
from patients.models import Clinic, Staff

SILENT = (Cause.REPEAT_OWED,)
"""Told by the neutropenia message already; a message of its own follows only when the deadline has passed."""

TOLD_EACH_TIME = (Cause.CORRECTION, Cause.LOOSENED, Cause.OVERRIDE, Cause.UNWELL)
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
    told: Told | None = None
    if standing is None:
        told, tell = _told_of(treatment, raising, now), raising.cause not in SILENT
        alert = Alert.objects.create(
            treatment=treatment,
            clinic_id=treatment.clinic_id,
            cause=raising.cause,
            severity=raising.severity,
            summary=raising.summary,
            result=result,
            owner_id=told.owner_id,
            raised_at=now,
            worsened_at=now,
            step=told.step if tell else Step.OWNER,
            escalate_at=told.next_at,
            deadline=raising.deadline,
        )
        verb = "raised"
    else:
        alert = standing
        tell = raising.severity < standing.severity or raising.cause in TOLD_EACH_TIME
        verb = "worsened" if tell else "updated"
        _update(alert, raising, result, now, worse=tell, treatment=treatment)
    note = AlertNote(alert=alert, at=now, verb=verb, text=raising.summary, severity=alert.severity)
    AlertNote.objects.bulk_create([note])
    if tell:
        tell_owner(alert, treatment, now=now, digest=digest, told=told)
    return alert


def _told_of(treatment: Treatment, raising: Raising, now: datetime) -> Told:
    owner = treatment.clinician_id
    return who_is_told(
        clinic_id=treatment.clinic_id, owner_id=owner, deputy_of=owner, cause=raising.cause,
        severity=raising.severity, now=now,
    )  # fmt: skip


def _update(
    alert: Alert, raising: Raising, result: Result | None, now: datetime, *, worse: bool, treatment: Treatment
) -> None:
    """The latest word; when it is worse, whoever answered before has to answer again."""
    alert.summary, alert.result, alert.deadline = raising.summary, result or alert.result, raising.deadline
    if worse:
        alert.severity = min(alert.severity, raising.severity)
        alert.worsened_at = now
        ask_again(alert, treatment.clinic, now)
    alert.save()


def ask_again(alert: Alert, clinic: Clinic, now: datetime) -> None:
    """Whoever was on it has to answer anew, and the steps begin with the owner. The caller saves it."""
    alert.acknowledged_at = alert.acknowledged_by = alert.escalated_at = None
    alert.step = Step.OWNER
    alert.escalate_at = escalate_at(clinic, alert.cause, alert.severity, now)


def end_by_count(treatment: Treatment, *, judgement: Judgement, now: datetime) -> None:
    """A count has come: what waited for one is done, without a person having to say so."""
    end_owed(treatment, judgement=judgement, now=now, because="A count has come.", outcome=Outcome.TESTED)


def end_owed(
    treatment: Treatment, *, judgement: Judgement, now: datetime, because: str, outcome: Outcome = Outcome.OTHER
) -> None:
    """What waited for a count and is owed no longer."""
    still_owed = {
        Cause.REPEAT_OWED: judgement.deadline is not None,
        Cause.TEST_OVERDUE: judgement.overdue,
        Cause.CALL_PATIENT: judgement.overdue,
    }
    causes = [cause for cause, owed in still_owed.items() if not owed]
    waiting = Alert.objects.filter(treatment_id__in=treatment.records, cause__in=causes, resolved_at=None)
    ended = [alert.pk for alert in waiting]
    if ended:
        Alert.objects.filter(pk__in=ended).update(resolved_at=now, outcome=outcome)
        AlertNote.objects.bulk_create([AlertNote(alert_id=pk, at=now, verb="resolved", text=because) for pk in ended])


def end_by_answer(treatment: Treatment, cause: Cause, *, text: str, by: Staff, now: datetime) -> None:
    """A person has given the answer that an alert of this cause asks for: nobody is called for it any more."""
    for alert in Alert.objects.filter(treatment=treatment, cause=cause, resolved_at=None):
        alert.resolved_at, alert.resolved_by, alert.outcome = now, by, Outcome.ACTED
        alert.save(update_fields=["resolved_at", "resolved_by", "outcome"])
        AlertNote.objects.bulk_create([AlertNote(alert=alert, at=now, staff=by, verb="resolved", text=text)])


def reachable(owner: Staff | None, clinic_id: int) -> bool:
    """Somebody who can be written to, who is there, and who may see the patients of this clinic."""
    return owner is not None and owner.is_active and bool(owner.email) and may(owner, "see_patients", clinic_id)


def tell_owner(
    alert: Alert, treatment: Treatment, *, now: datetime, step: str = "", digest: Digest | None = None,
    told: Told | None = None,
) -> None:  # fmt: skip
    """Owe a message to the owner or, where nobody can be reached, to the next in the chain, whose step it then is."""
    clinic = treatment.clinic
    if told is None:
        told = who_is_told(
            clinic_id=clinic.pk, owner_id=alert.owner_id, deputy_of=alert.owner_id or treatment.clinician_id,
            cause=alert.cause, severity=alert.severity, now=now,
        )  # fmt: skip
        _follow(alert, told)
    ways, key = _ways(told, alert.severity), step or f"told:{alert.worsened_at.isoformat()}"
    if digest is not None and digest.takes(alert):
        for channel, address in ways:
            digest.add(alert, address, channel=channel, clinic_name=clinic.name, now=now)
        return
    owe(messages(alert, ways, clinic_name=clinic.name, step=key, now=now))
    transaction.on_commit(nudge)


def _ways(told: Told, severity: int) -> list[tuple[str, str]]:
    """By which ways. Whoever is asked in the owner's place is told, whatever they wished for alerts of their own."""
    by_mail = [(Channel.EMAIL.value, told.address)]
    if told.staff_id is None:
        return by_mail
    return ways_of([told.staff_id], severity) or (by_mail if told.step > Step.OWNER else [])


def _follow(alert: Alert, told: Told) -> None:
    """Keep who answers for the owner now, and a step that was taken because nobody could be reached before it."""
    alert.owner_id = told.owner_id
    if told.step > alert.step:
        alert.step, alert.escalate_at = told.step, told.next_at
    alert.save(update_fields=["owner", "step", "escalate_at"])


def messages(
    alert: Alert, ways: Iterable[tuple[str, str]], *, clinic_name: str, step: str, now: datetime
) -> list[Delivery]:
    """One message for each way (channel and address)."""
    return [
        message(alert, address, channel=channel, clinic_name=clinic_name, step=step, now=now)
        for channel, address in ways
    ]


def message(
    alert: Alert, address: str, *, clinic_name: str, step: str, now: datetime, channel: str = Channel.EMAIL
) -> Delivery:
    """The message for one step of an alert: a link behind sign-in, and nothing that names a patient."""
    words, urgency = (BODY if channel == Channel.EMAIL else SHORT), URGENCY[alert.severity]
    return Delivery(
        once=f"alert:{alert.pk}:{step}:{key_of(channel, address)}",
        channel=channel,
        address=address,
        subject=SUBJECT.format(urgency=urgency),
        body=words.format(clinic=clinic_name, base_url=settings.BASE_URL, alert_id=alert.pk, urgency=urgency),
        path=f"/alerts/{alert.pk}/",
        about=f"alert:{alert.pk}",
        clinic_id=alert.clinic_id,
        priority=alert.severity,
        created_at=now,
        due_at=now,
    )
