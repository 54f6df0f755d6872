"""Moving treatments to another protocol: one alone, or a clinic patient by patient as it was foreseen and confirmed."""

from datetime import date, datetime

from django.db import transaction

from monitoring.actions.alerting import end_owed, raise_alerts
from monitoring.actions.foreseeing import LINES, said
from monitoring.actions.gathering import Digest
from monitoring.actions.judging import judge, keep, latest_draw, locked
from monitoring.actions.limiting import close_agreement
from monitoring.actions.revoking import revoke_supplies
from monitoring.alerts import called_for_by_protocol
from monitoring.models import ChangeRow, ProtocolChange, RowState, Treatment
from monitoring.rules.judgement import Judgement
from monitoring.rules.protocols import PROTOCOLS
from patients import audit
from patients.models import Staff

ENDS = "The protocol has changed, and the new one does not ask for it."


def move(
    treatment: Treatment,
    protocol_key: str,
    *,
    judgement: Judgement,
    by: Staff,
    now: datetime,
    digest: Digest | None = None,
) -> None:
    """Judge a locked treatment by another protocol from now on: keep what it says, raise and end alerts.

    Limits that were agreed under the former one end with it.
    """
    was_advice = treatment.advice
    close_agreement(treatment, by=by, now=now, reason="The protocol has changed.")
    Treatment.objects.filter(pk=treatment.pk).update(protocol_key=protocol_key)
    treatment.protocol_key = protocol_key
    keep(treatment, judgement, result=None, latest_draw_at=latest_draw(list(treatment.every_result())), now=now)
    end_owed(treatment, judgement=judgement, now=now, because=ENDS)
    found = called_for_by_protocol(judgement, PROTOCOLS[protocol_key].title, was_advice=was_advice)
    raise_alerts(treatment, found, result=None, now=now, digest=digest)
    revoke_supplies(treatment, now=now, digest=digest)


def judged_by(treatment: Treatment, protocol_key: str, *, now: datetime) -> Judgement:
    """What another protocol makes of a locked treatment. Raises InputError where it cannot judge it."""
    return judge(treatment, list(treatment.every_result()), as_of=now, protocol=PROTOCOLS[protocol_key], all_known=True)


def switch_next(change: ProtocolChange, *, after: int, now: datetime, digest: Digest) -> ChangeRow | None:
    """Carry the change out for the next treatment that nobody has in hand; None when none is left after that row.

    Under the lock it is judged anew: where that is not what was foreseen and confirmed, nothing is changed and the
    row says why. The row's end, the judgement, the alerts and the audit line are one transaction.
    """
    with transaction.atomic():
        waiting = ChangeRow.objects.filter(change=change, state=RowState.FORESEEN, pk__gt=after).order_by("pk")
        row = waiting.select_for_update(skip_locked=True).first()
        if row is None:
            return None
        treatment = locked(row.treatment_id)
        row.why = _switched(change, row, treatment, now=now, digest=digest)
        row.state, row.ended_at = RowState.REFUSED if row.why else RowState.SWITCHED, now
        row.save(update_fields=["why", "state", "ended_at"])
    return row


def _switched(change: ProtocolChange, row: ChangeRow, treatment: Treatment, *, now: datetime, digest: Digest) -> str:
    """Switch it, or say why not."""
    if why := _stands_against(change, row, treatment):
        return why
    judgement = judged_by(treatment, change.protocol_key, now=now)
    if said(judgement) != (row.band, row.advice, row.frequency, row.due_on):
        return changed_in_words(row, judgement, treatment)
    former, by = treatment.protocol_key, _signer(change)
    move(treatment, change.protocol_key, judgement=judgement, by=by, now=now, digest=digest)
    audit.record(
        "protocol_changed", by=by, now=now, clinic_id=treatment.clinic_id, patient_id=treatment.patient_id,
        subject=f"treatment:{treatment.pk}", was=former, protocol=change.protocol_key, reason=change.reason,
        change=change.pk,
    )  # fmt: skip
    return ""


def _stands_against(change: ProtocolChange, row: ChangeRow, treatment: Treatment) -> str:
    if row.kind == "cannot":
        return row.why
    if treatment.clinic_id != change.clinic_id:
        return "The patient has moved to another clinic since the preview."
    if treatment.pk != row.treatment_id:
        return "The record was merged into another one since the preview."
    if treatment.protocol_key == change.protocol_key:
        return "The protocol was changed already, by itself."
    if treatment.ben is not None and "ben" not in PROTOCOLS[change.protocol_key].tables:
        return "BEN was documented since the preview, and the protocol has no thresholds for it."
    return ""


def changed_in_words(row: ChangeRow, judgement: Judgement, treatment: Treatment) -> str:
    """Which line of the prediction holds no longer, and what it would be now."""
    told = zip(LINES, said(judgement), strict=True)
    differs = [
        f"{name.replace('_', ' ')} would be {_word(new)}, foreseen was {_word(getattr(row, name))}"
        for name, new in told
        if new != getattr(row, name)
    ]
    since = "Something was recorded since the preview" if treatment.version != row.version else "Time has gone by"
    return f"{since}: {'; '.join(differs)}."


def _word(value: str | date | None) -> str:
    return str(value).replace("_", " ") if value else "none"


def _signer(change: ProtocolChange) -> Staff:
    if change.confirmed_by is None:
        raise ValueError(f"protocol change {change.pk} is not confirmed")
    return change.confirmed_by
