"""Results that a laboratory sent and nobody has looked at yet, where the clinic wants somebody to (its policy)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from monitoring.actions.guarding import MANUAL
from monitoring.actions.judging import locked
from monitoring.models import Result, ResultReview, Treatment
from monitoring.models.result import Status, standing
from patients import audit
from patients.models import Staff

POLICY = "review_results"


def waits_for_review(treatment: Treatment, result: Result, *, now: datetime) -> dict[str, Any]:
    """The derived column that a new result changes; nothing where it was typed or the clinic asks for no review."""
    if result.source == MANUAL or result.by_hand or treatment.unreviewed_since or not treatment.clinic.policy(POLICY):
        return {}
    treatment.unreviewed_since = now
    return {"unreviewed_since": now}


def unreviewed(treatments: Collection[Treatment]) -> dict[int, list[Result]]:
    """What waits, by treatment, in draw order; three questions however many there are."""
    rows = Result.objects.filter(treatment__in=treatments) | Result.objects.filter(
        treatment__merged_into__in=treatments
    )
    since = min((one.unreviewed_since for one in treatments if one.unreviewed_since), default=None)
    if since is None:
        return {}
    lately = rows.filter(received_at__gte=since).select_related("treatment").order_by("drawn_at", "pk")
    seen = set(ResultReview.objects.filter(result__in=lately).values_list("result_id", flat=True))
    found: dict[int, list[Result]] = {one.pk: [] for one in treatments}
    for row in lately:
        found[row.treatment.merged_into_id or row.treatment_id].append(row)
    return {one.pk: [row for row in _shown(found[one.pk]) if _waits(row, one, seen)] for one in treatments}


def _shown(rows: list[Result]) -> list[Result]:
    """The last versions; one that was taken back is looked at as well."""
    removed = [row for row in rows if row.status == Status.ENTERED_IN_ERROR]
    return sorted([*standing(rows), *removed], key=lambda row: (row.drawn_at, row.pk))


def _waits(row: Result, treatment: Treatment, seen: Collection[int]) -> bool:
    since = treatment.unreviewed_since
    lab = row.source != MANUAL and not row.by_hand
    return lab and since is not None and row.received_at >= since and row.pk not in seen


@transaction.atomic
def review_results(
    *, treatment: Treatment, results: Collection[int], by: Staff, now: datetime, ip: str | None = None
) -> int:
    """This person has looked at these versions; how many were new. One that came meanwhile goes on waiting."""
    kept = locked(treatment.pk)
    waiting = unreviewed([kept]).get(kept.pk, [])
    looked_at = [row for row in waiting if row.pk in results]
    ResultReview.objects.bulk_create([ResultReview(result=row, staff=by, at=now) for row in looked_at])
    if len(looked_at) == len(waiting):
        Treatment.objects.filter(pk=kept.pk).update(unreviewed_since=None)
    if looked_at:
        audit.record(
            "results_reviewed", by=by, now=now, clinic_id=kept.clinic_id, patient_id=kept.patient_id, ip=ip,
            results=[row.pk for row in looked_at],
        )  # fmt: skip
    return len(looked_at)
