"""What a correction changes: every judgement given since the draw is read again, and people are told the difference."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from monitoring.actions.alerting import message, raise_alerts, reachable
from monitoring.actions.gathering import Digest
from monitoring.actions.judging import judge
from monitoring.actions.reaching import ways_to
from monitoring.actions.versioning import overruled, superseded
from monitoring.alerts import ADVICE_IN_WORDS, Raising, severity_of
from monitoring.models import Alert, Assessment, Cause, Channel, Reach, Result, Severity, Treatment
from monitoring.models.limits import protocol_at, table_at
from monitoring.rules.judgement import Judgement
from monitoring.rules.protocol import Table
from monitoring.rules.reasons import IN_WORDS
from notifications.actions import owe
from notifications.models import Delivery

COMPARED = ("band", "treatment", "frequency", "due_on")


def tell_of_correction(
    treatment: Treatment,
    *,
    before: Sequence[Result],
    versions: Sequence[Result],
    result: Result,
    now: datetime,
    digest: Digest | None = None,
) -> None:
    """Re-assess every moment judged since the draw; raise an alert that says which advice changed, if any did."""
    if superseded(result, versions):
        return
    former = next((row for row in before if (row.source, row.accession) == (result.source, result.accession)), None)
    since = min(result.drawn_at, former.drawn_at) if former else result.drawn_at
    changes = [change for change in _reassess(treatment, versions, result, since, now) if change]
    table = table_at(treatment, now)
    band_before, band_after = _rank(table, former), _rank(table, result)
    byhand = overruled(result, versions)
    if byhand is None and not changes and band_before == band_after:
        return
    severity = severity_of(table, max(band_before, band_after)) if band_before or band_after else Severity.ROUTINE
    summary = _summary(treatment, former, result, changes)
    if byhand is not None:
        severity, summary = min(severity, Severity.MODERATE), f"{_of_overruling(byhand)} {summary}"
    raising = Raising(Cause.CORRECTION, severity, summary)
    (alert,) = raise_alerts(treatment, [raising], result=result, now=now, digest=digest)
    _tell_all_told_before(treatment, alert, now, digest)


def _reassess(
    treatment: Treatment, versions: Sequence[Result], result: Result, since: datetime, now: datetime
) -> Iterable[str | None]:
    """Append what each judgement since the draw should have been, and say where it differs."""
    earlier = treatment.assessments.exclude(result=result).filter(as_of__gte=since, replaces=None)
    renewed = []
    for old in earlier.order_by("as_of", "pk"):
        # By the rules and limits of its time: a change since then does not make what was said then wrong.
        judgement = judge(
            treatment, versions, as_of=old.as_of, protocol=protocol_at(treatment, old.as_of, key=old.protocol_key)
        )
        if old.judgement != judgement.as_dict():
            renewed.append(_replacement(treatment, old, judgement, now))
        yield _difference(old, judgement, treatment)
    Assessment.objects.bulk_create(renewed)


def _replacement(treatment: Treatment, old: Assessment, judgement: Judgement, now: datetime) -> Assessment:
    return Assessment(
        treatment=treatment,
        result_id=old.result_id,
        replaces=old,
        version=treatment.version,
        as_of=old.as_of,
        created_at=now,
        protocol_key=judgement.protocol,
        severe=judgement.severe,
        judgement=judgement.as_dict(),
    )


def _difference(old: Assessment, judgement: Judgement, treatment: Treatment) -> str | None:
    return difference(old, judgement.as_dict(), treatment)


def difference(old: Assessment, new: dict[str, Any], treatment: Treatment) -> str | None:
    """One sentence for the advice that was given and should have been another; None where it was right."""
    if all(old.judgement[name] == new[name] for name in COMPARED):
        return None
    day = old.as_of.astimezone(treatment.clinic.zone).date()
    was = ADVICE_IN_WORDS[old.judgement["treatment"]]
    now_is = ADVICE_IN_WORDS[new["treatment"]]
    return (
        f"{day}: was {was} ({old.judgement['band']}, tests {IN_WORDS[old.judgement['frequency']]}),"
        f" should have been {now_is} ({new['band']}, tests {IN_WORDS[new['frequency']]})"
    )


def _rank(table: Table, result: Result | None) -> int:
    if result is None or result.status == "entered_in_error":
        return 0
    return table.rank(result.count())


def _summary(treatment: Treatment, former: Result | None, result: Result, changes: Sequence[str]) -> str:
    was = former.received.get("anc") or former.received.get("wbc") if former else "nothing"
    now_is = "entered in error" if result.status == "entered_in_error" else result.received.get("anc", "see result")
    drawn_on = result.drawn_at.astimezone(treatment.clinic.zone).date()
    head = f"The count drawn {drawn_on} was corrected from {was} to {now_is}."
    return " ".join([head, *(f"{change}." for change in changes)])


def _of_overruling(byhand: Result) -> str:
    who = byhand.staff or "A person"
    did = "taken this result back" if byhand.status == "entered_in_error" else "corrected this result"
    return f"{who} had {did}; a later message of the laboratory stands now. Find out which of the two is right."


def _tell_all_told_before(treatment: Treatment, alert: Alert, now: datetime, digest: Digest | None) -> None:
    """Whoever was told of this treatment's alerts hears that a count was corrected."""
    clinic, step = treatment.clinic, f"told:{alert.worsened_at.isoformat()}"
    for channel, address in sorted(_told_before(treatment)):
        if digest is not None and digest.takes(alert):
            digest.add(alert, address, channel=channel, clinic_name=clinic.name, now=now)
        else:
            owe([message(alert, address, channel=channel, clinic_name=clinic.name, step=step, now=now)])


def _told_before(treatment: Treatment) -> set[tuple[str, str]]:
    """Every way by which a message about one of these alerts went, alone or together with others.

    A telephone or a browser only while it is still somebody's: the number may be a stranger's by now.
    """
    alerts = list(Alert.objects.filter(treatment_id__in=treatment.records).select_related("owner"))
    written = Delivery.objects.filter(about__in=[f"alert:{alert.pk}" for alert in alerts])
    told = set(written.values_list("channel", "address"))
    if any(channel != Channel.EMAIL for channel, _ in told):
        alive = Reach.objects.filter(address__in=[address for _, address in told])
        alive_ways = set(alive.values_list("channel", "address"))
        told = {way for way in told if way[0] == Channel.EMAIL or way in alive_ways}
    for alert in alerts:
        if alert.owner and reachable(alert.owner, alert.clinic_id):
            told |= set(ways_to(alert.owner, alert.severity))
    if any(alert.escalated_at or alert.owner is None for alert in alerts):
        told.add((Channel.EMAIL.value, treatment.clinic.on_call_email))
    return told
