"""Keeping what is typed until it is saved, so that neither a dropped line nor an expired session loses it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from monitoring.actions.guarding import MANUAL, accession_of
from monitoring.models import Draft, Result
from patients.models import Clinic, Staff

KEPT_FOR = timedelta(hours=24)
"""Older drafts are forgotten: they hold patients' numbers and are no record."""
MOST_ROWS = 60
TypedRow = dict[str, str]


@transaction.atomic
def keep_draft(
    *, clinic: Clinic, rows: Sequence[TypedRow], by: Staff, now: datetime, emptied: Collection[str] = ()
) -> None:
    """These rows are what this person has typed here and not saved. Rows that another open sheet of theirs has kept
    stay; a row goes when it is saved, or when its key is among the `emptied`."""
    Draft.objects.filter(saved_at__lt=now - KEPT_FOR).delete()
    draft, _ = Draft.objects.select_for_update().get_or_create(staff=by, clinic=clinic, defaults={"saved_at": now})
    here = {row.get("entry") for row in rows} | set(emptied)
    elsewhere = [row for row in draft.rows if row.get("entry") not in here]
    if unsaved := _unsaved(clinic, [*rows, *elsewhere][:MOST_ROWS]):
        draft.rows, draft.saved_at = unsaved, now
        draft.save()
    else:
        draft.delete()


def _unsaved(clinic: Clinic, rows: Sequence[TypedRow]) -> list[TypedRow]:
    """A draft that is sent while its row is being saved must not bring the row back."""
    known = stored_entries(clinic=clinic, rows=rows)
    return [row for row in rows if row.get("entry", "") not in known]


def stored_entries(*, clinic: Clinic, rows: Iterable[TypedRow]) -> dict[str, list[Result]]:
    """By a row's key: every version of the result that it was saved as, the one that stands last."""
    keys = {accession_of(entry): entry for row in rows if (entry := row.get("entry", ""))}
    stored: dict[str, list[Result]] = {}
    for result in Result.objects.filter(clinic=clinic, source=MANUAL, accession__in=keys).order_by("version"):
        stored.setdefault(keys[result.accession], []).append(result)
    return stored


@transaction.atomic
def forget_row(*, clinic: Clinic, entry: str, by: Staff) -> None:
    """A row that has been saved is no draft any more."""
    draft = Draft.objects.select_for_update().filter(staff=by, clinic=clinic).first()
    if draft is None:
        return
    draft.rows = [row for row in draft.rows if row.get("entry") != entry]
    if draft.rows:
        draft.save()
    else:
        draft.delete()


def drafted_rows(*, clinic: Clinic, by: Staff, now: datetime) -> list[TypedRow]:
    """What this person had typed here and not saved, unless it is too old."""
    draft = Draft.objects.filter(staff=by, clinic=clinic, saved_at__gte=now - KEPT_FOR).first()
    return list(draft.rows) if draft else []
