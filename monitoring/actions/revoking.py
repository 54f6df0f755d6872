"""What a new fact does to supplies: open authorisations end with it, and one already handed over is told about."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from monitoring.actions.alerting import messages, raise_alerts
from monitoring.actions.gathering import Digest
from monitoring.actions.nudge import nudge
from monitoring.actions.reaching import ways_to_all
from monitoring.alerts import ADVICE_IN_WORDS, HOLDS, Raising
from monitoring.models import Alert, Cause, Severity, Treatment
from notifications.actions import owe
from patients.models import Role, Staff

REVOKES = (*HOLDS, "do_not_start")


def revoke_supplies(treatment: Treatment, *, now: datetime, digest: Digest | None = None) -> None:
    """In the transaction of the new judgement, under the treatment's lock: what it forbids cannot be handed over.

    With a digest the owner and the pharmacists are told of a whole run at once, unless the alert is severe.
    """
    if treatment.advice not in REVOKES:
        return
    because = f"{ADVICE_IN_WORDS[treatment.advice]}, known since {now:%Y-%m-%d %H:%M} UTC."
    ended = treatment.authorisations.filter(revoked_at=None, dispense=None).update(
        revoked_at=now, revoked_because=because
    )
    zone_day = now.astimezone(treatment.clinic.zone).date()
    taken = treatment.advice in HOLDS and treatment.tablets_until is not None and treatment.tablets_until >= zone_day
    if not ended and not taken:
        return
    words = f"{because} {ended} open authorisations ended." if ended else because
    if taken:
        words += f" Tablets reach until {treatment.tablets_until}: tell the patient."
    severity = Severity.SEVERE if treatment.advice == "stop" else Severity.MODERATE
    found = [Raising(Cause.CONTRADICTED, severity, words)]
    for alert in raise_alerts(treatment, found, result=None, now=now, digest=digest):
        tell_pharmacists(alert, treatment, now=now, digest=digest)


def tell_pharmacists(alert: Alert, treatment: Treatment, *, now: datetime, digest: Digest | None) -> None:
    """Owe every pharmacist of the clinic a message by each chosen way, or a line in the digest."""
    name, ways = treatment.clinic.name, ways_to_all(pharmacists_of(treatment), alert.severity)
    if digest is not None and digest.takes(alert):
        for channel, address in ways:
            digest.add(alert, address, channel=channel, clinic_name=name, now=now)
        return
    step = f"pharmacy:{now.isoformat()}"
    owe(messages(alert, ways, clinic_name=name, step=step, now=now))
    transaction.on_commit(nudge)


def pharmacists_of(treatment: Treatment) -> "QuerySet[Staff]":
    """The clinic's pharmacists who can be reached."""
    here = {
        "memberships__clinic": treatment.clinic_id,
        "memberships__role": Role.PHARMACIST,
        "memberships__active": True,
    }
    return Staff.objects.filter(is_active=True, **here).exclude(email="").distinct()
