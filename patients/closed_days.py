"""The days on which a clinic takes no blood, and what they mean: a draw moves earlier, never later (H22)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from django.db import transaction

from patients import audit
from patients.models import Clinic, ClosedDay, Staff

Days = Collection[date]
"""A clinic's own closed days; Saturdays and Sundays are closed besides."""

SATURDAY = 5
ONE = timedelta(days=1)


def is_open(day: date, closed: Days) -> bool:
    """Whether blood is taken on this day: no Saturday, no Sunday, no closed day."""
    return day.weekday() < SATURDAY and day not in closed


def open_day_on_or_before(day: date, closed: Days) -> date:
    """The last day, this one included, on which blood is taken."""
    while not is_open(day, closed):
        day -= ONE
    return day


def open_day_after(day: date, closed: Days) -> date:
    """The first day after this one on which blood is taken."""
    day += ONE
    while not is_open(day, closed):
        day += ONE
    return day


def closed_days_of(clinics: Iterable[Clinic], *, since: date, until: date) -> Mapping[int, frozenset[date]]:
    """The closed days of these clinics from `since` to `until`, both included, by the clinic's id; one query."""
    found: dict[int, set[date]] = {clinic.pk: set() for clinic in clinics}
    rows = ClosedDay.objects.filter(clinic__in=found, ended_at=None, day__range=(since, until))
    for clinic_id, day in rows.values_list("clinic_id", "day"):
        found[clinic_id].add(day)
    return {clinic_id: frozenset(days) for clinic_id, days in found.items()}


@transaction.atomic
def close_days(
    *, clinic: Clinic, days: Mapping[date, str], by: Staff | None, now: datetime, ip: str | None = None
) -> list[ClosedDay]:
    """Close the clinic on these days, each with its name; a day that is closed already stays as it is."""
    Clinic.objects.select_for_update().get(pk=clinic.pk)
    standing = set(ClosedDay.objects.filter(clinic=clinic, day__in=days, ended_at=None).values_list("day", flat=True))
    made = ClosedDay.objects.bulk_create(
        ClosedDay(clinic=clinic, day=day, name=name, recorded_at=now, recorded_by=by)
        for day, name in sorted(days.items())
        if day not in standing
    )
    if made:
        named = {str(closed.day): closed.name for closed in made}
        audit.record("days_closed", by=by, now=now, clinic_id=clinic.pk, ip=ip, days=named)
    return made


@transaction.atomic
def open_again(*, closed: ClosedDay, by: Staff | None, now: datetime, ip: str | None = None) -> bool:
    """Blood is taken on this day after all; whether it was closed until now."""
    ended = ClosedDay.objects.filter(pk=closed.pk, ended_at=None).update(ended_at=now, ended_by=by)
    if ended:
        audit.record(
            "day_opened", by=by, now=now, clinic_id=closed.clinic_id, ip=ip, day=str(closed.day), name=closed.name
        )
    return bool(ended)
