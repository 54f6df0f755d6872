"""What an action would change, told by the action itself: it is carried out and taken back, and nothing is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from monitoring.actions.correcting import difference
from monitoring.actions.judging import judge_now
from monitoring.models import AlertNote, Assessment, Treatment
from monitoring.rules.judgement import Judgement


@dataclass(frozen=True, slots=True)
class Outlook:
    """The judgement before and after, the alerts that it raises or ends, and the past advice that it changes."""

    before: Judgement
    after: Judgement
    alerts: Sequence[AlertNote]
    changed: Sequence[str]
    known: bool
    """The very same is recorded already: nothing would change."""


def rehearse(*, treatment: Treatment, perform: Callable[[], object], now: datetime) -> Outlook:
    """Carry it out, look at what came of it, and roll it back. Raises whatever the action raises."""
    before = _judged(treatment, now)[1]
    with transaction.atomic():
        made = perform()
        with connection.cursor() as cursor:
            # What the database would refuse at the end of the transaction, it refuses here.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        fresh, after = _judged(treatment, now)
        outlook = Outlook(
            before=before,
            after=after,
            alerts=_alerts(fresh, now),
            changed=_changed(fresh, now),
            known=not made or not getattr(made, "just_stored", True),
        )
        transaction.set_rollback(True)
    return outlook


def _judged(treatment: Treatment, now: datetime) -> tuple[Treatment, Judgement]:
    """Read afresh: a copy of the row remembers what it has read."""
    fresh = Treatment.objects.select_related("clinic", "patient", "clinician").get(pk=treatment.pk)
    return fresh, judge_now(fresh, list(fresh.every_result()), now=now)


def _alerts(treatment: Treatment, now: datetime) -> list[AlertNote]:
    notes = AlertNote.objects.filter(at=now, alert__treatment_id__in=treatment.records)
    return list(notes.select_related("alert__owner", "alert__clinic"))


def _changed(treatment: Treatment, now: datetime) -> list[str]:
    renewed = Assessment.objects.filter(treatment=treatment, created_at=now).select_related("replaces")
    told = [
        difference(row.replaces, row.judgement, treatment) for row in renewed.order_by("as_of", "pk") if row.replaces
    ]
    return [sentence for sentence in told if sentence]
