"""A patient's own word that they are unwell: kept, judged, and told to staff in one transaction."""

import json
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from monitoring.actions.alerting import raise_alerts
from monitoring.actions.judging import locked
from monitoring.actions.treating import record_event
from monitoring.alerts import Raising
from monitoring.models import Cause, SelfCheck, Severity, Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.feeling_unwell import Answers, Finding, findings
from patients import audit
from patients.reaching import Carer

MOST_TOLD = 1500


@transaction.atomic
def record_self_check(
    *, treatment: Treatment, answers: Answers, entry: UUID, now: datetime, carer: Carer | None = None,
    ip: str | None = None,
) -> list[Finding]:  # fmt: skip
    """Keep the answers; a measured fever becomes an event, everything else an alert with owner and timer.

    The same entry with the same answers is the same check and tells nobody twice; with others it is one more.
    """
    treatment = locked(treatment.pk)
    found = findings(answers, retitrate_hours=treatment.protocol.breaks.retitrate_hours)
    known = SelfCheck.objects.filter(treatment=treatment)
    if (first := known.filter(entry=entry).first()) is not None:
        if first.answers == answers.as_dict():
            return found
        # Who went back in the browser and changed the answers: always one key for these answers to this form.
        entry = uuid5(entry, json.dumps(answers.as_dict(), sort_keys=True))
        if known.filter(entry=entry).exists():
            return found
    check = SelfCheck.objects.create(
        treatment=treatment, clinic_id=treatment.clinic_id, carer=carer, entry=entry, answers=answers.as_dict(),
        found=[row.code for row in found], at=now,
    )  # fmt: skip
    audit.record(
        "self_check_recorded", by=None, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"self_check:{check.pk}", ip=ip, who="carer" if carer else "patient",
    )  # fmt: skip
    if found:
        _tell(treatment, answers, found, now, who="A carer" if carer else "The patient")
    return found


def _tell(treatment: Treatment, answers: Answers, found: list[Finding], now: datetime, *, who: str) -> None:
    if answers.hot and answers.celsius is not None:
        _record_fever(treatment, answers, now)
    severity = Severity(min(row.severity for row in found))
    says = " ".join(row.says for row in found)
    told = f"{who} says so{f' ({answers.celsius} °C)' if answers.celsius else ''}. {says}"
    standing = treatment.alerts.filter(cause=Cause.UNWELL, resolved_at=None).first()
    if standing is not None:
        # One open alert: what was told before must not go under in what is told now.
        told = f"{told} Told before: {standing.summary}"[:MOST_TOLD]
    raise_alerts(treatment, [Raising(Cause.UNWELL, severity, told)], result=None, now=now)


def _record_fever(treatment: Treatment, answers: Answers, now: datetime) -> None:
    """A temperature of 38.5 °C or more on treatment is an event of its own, judged at once with its own alert."""
    try:
        with transaction.atomic():
            record_event(
                treatment=treatment, kind="fever", at=now, celsius=answers.celsius, reason="Told by the patient",
                by=None, now=now,
            )  # fmt: skip
    except InputError:
        # Not on treatment, or not possible then: the alert of the check says what was told all the same.
        return
